"""Which web pages may call the local Clerk: those of the app, and its own.

Pages of the app get CORS headers, so that they can call the Frontend API from the app's origin, as
at Clerk. Requests from pages of any other site are refused, even where the browser would hide the
answer from the page: a form or an image can change data without reading anything. Programs, such
as native apps and servers, send neither ``Origin`` nor ``Sec-Fetch-Site`` and are not restricted.

https://developer.mozilla.org/docs/Web/HTTP/Guides/CORS
https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
"""

from __future__ import annotations

from flask import request
from werkzeug import Response
from werkzeug.datastructures import HeaderSet

from .clerk import base_url, current_clerk
from .errors import ClerkError
from .urls import origin_aliases, origin_of

PATHS = ("/v1/", "/.well-known/", "/api_keys", "/avatars/")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
EXPOSED = ("Authorization", "Retry-After")
"""Headers that Clerk.js reads."""
PUBLIC_PATHS = ("/npm/", "/avatars/", "/.well-known/", "/healthz")
"""Files without user data. Any page may load them."""
SAFE_METHODS = ("GET", "HEAD")


def check_origin() -> None:
    """Refuse a request that a browser sends for a page of another site.

    Links from other sites are followed: a navigation sends no ``Origin``, and the page that made
    it can't read the answer.

    :raises ClerkError: 400 ``origin_invalid``, as at Clerk.
    """
    if request.method in SAFE_METHODS and request.path.startswith(PUBLIC_PATHS):
        return
    origin = request.headers.get("Origin")
    if origin is None:
        if not _is_for_another_site():
            return
        seen = f"Sec-Fetch-Site is {request.headers['Sec-Fetch-Site'][:100]!r}"
    elif origin in _allowed_origins():
        return
    else:
        seen = f"Origin is {origin[:100]!r}"
    raise ClerkError(
        "origin_invalid",
        f"{seen}. Expected a page of the app, which is at {current_clerk().app_origin}. If the app "
        "has moved, start the local Clerk with that --app-url.",
        400,
    )


def _is_for_another_site() -> bool:
    """Whether a browser loads this into a page of another origin, rather than following a link."""
    site = request.headers.get("Sec-Fetch-Site", "none")
    follows_link = (
        request.method in SAFE_METHODS and request.headers.get("Sec-Fetch-Mode") == "navigate"
    )
    return site not in ("none", "same-origin") and not follows_link


def _allowed_origins() -> set[str | None]:
    """The app's origin, our own, and the one under which the app's proxy shows us."""
    config = current_clerk().config
    return {
        *origin_aliases(config.app_url),
        *origin_aliases(config.own_url),
        origin_of(base_url()),
    }


def allow_the_app(response: Response) -> Response:
    """Add CORS headers to an answer of the Frontend API, or an avatar, for a page of the app."""
    if not request.path.startswith(PATHS):
        return response
    response.vary.add("Origin")
    origin = request.headers.get("Origin")
    if origin not in origin_aliases(current_clerk().config.app_url):
        return response
    response.access_control_allow_origin = origin
    response.access_control_allow_credentials = True
    response.access_control_expose_headers = HeaderSet(EXPOSED)
    if request.method == "OPTIONS":
        response.access_control_allow_methods = HeaderSet(METHODS)
        if asked := request.access_control_request_headers:  # none before a simple DELETE
            response.access_control_allow_headers = asked
    return response
