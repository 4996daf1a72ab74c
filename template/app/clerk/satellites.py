"""One sign-in for several domains: a primary domain and its satellites.

Source: https://clerk.com/docs/guides/dashboard/dns-domains/satellite-domains
"""

from __future__ import annotations

import logging
import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from .cookies import DEV_BROWSER, ClerkCookies
from .instance import Instance
from .origins import parse_origin
from .request import RequestFacts

log = logging.getLogger(__name__)

SYNCED = "__clerk_synced"
REDIRECT_URL = "__clerk_redirect_url"

_ORIGIN_AND_REST = re.compile(r"(https?://[^/?#]+)(.*)\Z", re.IGNORECASE)


def needs_sync(request: RequestFacts, cookies: ClerkCookies, instance: Instance) -> bool | None:
    """Whether a satellite must fetch the session from its primary domain.

    :returns: True to sync now; False if the user is signed out here and no sync is due; None to
        continue with the usual steps.
    """
    synced = request.query_value(SYNCED)
    is_document = request.headers.get("sec-fetch-dest") == "document"
    if request.method != "GET" or not is_document or synced == "true":
        return None
    if synced == "false":
        return True
    if cookies.session or cookies.client_uat:
        return None
    return instance.satellite_auto_sync


def sign_in_location(request: RequestFacts, instance: Instance) -> str:
    """The URL to which a development satellite redirects: the primary's sign-in page."""
    return _with_query(instance.sign_in_url, {REDIRECT_URL: request.url})


def return_location(request: RequestFacts, cookies: ClerkCookies, instance: Instance) -> str | None:
    """The URL to which a development primary returns a browser that came from a satellite.

    The URL contains the token that identifies the browser to Clerk, so only configured satellites
    get it. A ``Referer`` proves nothing: any site can link to this one.

    :returns: None if the browser didn't come from a satellite in ``CLERK_SATELLITE_ORIGINS``.
    """
    target = request.query_value(REDIRECT_URL)
    if not target or not instance.is_development or instance.is_satellite:
        return None
    origin, rest = _split_origin(target)
    if not origin or instance.satellite_origins.isdisjoint((origin, "*")):
        log.warning(
            "The parameter %s was ignored: its origin, %s, is not a configured satellite. If it is "
            "one of yours, add it to CLERK_SATELLITE_ORIGINS.",
            REDIRECT_URL,
            origin or "which is malformed",
        )
        return None
    added = {DEV_BROWSER: cookies.dev_browser} if cookies.dev_browser else {}
    return _with_query(origin + rest, {**added, SYNCED: "true"})


def _split_origin(url: str) -> tuple[str, str]:
    """The normalized origin of an absolute URL, and the rest; empty if browsers could disagree."""
    found = _ORIGIN_AND_REST.match(url)
    if not found or "\\" in url or not url.isprintable():
        return "", ""
    return parse_origin(found[1]) or "", found[2]


def _with_query(url: str, added: dict[str, str]) -> str:
    parts = urlsplit(url)
    kept = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name not in added
    ]
    return urlunsplit(parts._replace(query=urlencode([*kept, *added.items()])))
