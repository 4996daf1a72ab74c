"""Stop endless redirects in browsers that don't keep Clerk's cookies.

Each handshake ends by setting cookies. A browser that drops them would be sent to Clerk again and
again. The cookie that counts handshakes may be lost as well, so a marker in the URL stops them. It
is added only when something looks wrong, and removed once the cookies are there.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from .bounded_cache import RecentCounts
from .cookies import DEV_BROWSER, ClerkCookies
from .instance import Instance
from .request import RequestFacts

MARKER = "__clerk_cookie_check"
"""The query parameter that marks the page to which a repeated handshake returns."""

UNRELATED_REASONS = (
    "active-organization-mismatch",
    "dev-browser-sync",
    "primary-responds-to-syncing",
)
"""Reasons for handshakes in which every cookie has arrived."""

REPETITIONS = 3
"""Handshakes for the same page, with the same cookies, after which the next one is marked."""

REPETITION_WINDOW = 30.0
"""Seconds within which these handshakes count."""

RECENT_SIZE = 128 * 1024
"""Bytes for recent handshakes, which need about 500 each."""


class RecentHandshakes:
    """Counts the handshakes that one process has started for the same page and cookies."""

    def __init__(self) -> None:
        self._recent = RecentCounts(RECENT_SIZE, REPETITION_WINDOW)

    def count(self, request: RequestFacts, cookies: ClerkCookies, now: float) -> int:
        """Count one more, and return how many there were before.

        :param now: Unix time in seconds.
        """
        agent = request.headers.get("user-agent", "")
        key = hash((request.url, agent, cookies.session, cookies.client_uat, cookies.dev_browser))
        return self._recent.count(key, now)


def is_marked(request: RequestFacts) -> bool:
    """Whether this page is the return from a marked handshake."""
    return MARKER in request.query and bool(request.query_value(MARKER))


def mark(location: str) -> str:
    """Add the marker to a URL without a fragment."""
    return f"{location}{'&' if '?' in location else '?'}{MARKER}=1"


def looks_lost(request: RequestFacts, cookies: ClerkCookies) -> bool:
    """Whether a browser that returns from a development handshake seems to have lost cookies.

    When the handshake started, the browser got a counter. In the first of a row it is 1, and any
    other missing cookie has a harmless reason, such as a first visit.
    """
    if cookies.redirect_count == 1:
        return False
    has_dev_browser = any(name.startswith(DEV_BROWSER) for name in request.cookies)
    return not has_dev_browser or bool(cookies.session) != bool(cookies.client_uat)


def should_mark(
    request: RequestFacts, cookies: ClerkCookies, instance: Instance, reason: str, repeated: int
) -> bool:
    """Whether the handshake that is about to start should return to a marked page.

    :param reason: the reason for the handshake.
    :param repeated: how many recent handshakes were the same, from :class:`RecentHandshakes`.
    """
    if reason in UNRELATED_REASONS:
        return False
    is_repeated = repeated >= REPETITIONS or cookies.redirect_count > 0
    return is_repeated or is_insecure(request, instance)


def is_insecure(request: RequestFacts, instance: Instance) -> bool:
    """Whether browsers drop a production instance's cookies, which are ``Secure``."""
    parts = urlsplit(request.origin)
    return (
        not instance.is_development
        and parts.scheme == "http"
        and parts.hostname not in ("localhost", "127.0.0.1", "::1")
    )
