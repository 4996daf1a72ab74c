"""One sign-in for several domains: a primary domain and its satellites.

Source: https://clerk.com/docs/guides/dashboard/dns-domains/satellite-domains
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from .cookies import DEV_BROWSER, ClerkCookies
from .instance import Instance
from .request import RequestFacts

SYNCED = "__clerk_synced"
REDIRECT_URL = "__clerk_redirect_url"


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

    :returns: None if the browser didn't come from a satellite.
    """
    target = request.query_value(REDIRECT_URL)
    if not target or not instance.is_development or instance.is_satellite:
        return None
    try:
        parts = urlsplit(target)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and target.isprintable()
    except ValueError:
        usable = False
    if not usable or "\\" in target:
        return None
    added = {DEV_BROWSER: cookies.dev_browser} if cookies.dev_browser else {}
    return _with_query(target, {**added, SYNCED: "true"})


def _with_query(url: str, added: dict[str, str]) -> str:
    parts = urlsplit(url)
    kept = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name not in added
    ]
    return urlunsplit(parts._replace(query=urlencode([*kept, *added.items()])))
