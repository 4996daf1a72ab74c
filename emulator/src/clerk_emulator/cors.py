"""Let pages of the app call the Frontend API from the app's own origin, as Clerk does.

Only the origin of the configured app gets these headers; pages of any other site can neither read
an answer nor send a request that needs a preflight.
https://developer.mozilla.org/docs/Web/HTTP/Guides/CORS
"""

from __future__ import annotations

from flask import request
from werkzeug import Response
from werkzeug.datastructures import HeaderSet

from .clerk import current_clerk
from .urls import origin_aliases

PATHS = ("/v1/", "/.well-known/", "/api_keys", "/avatars/")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
EXPOSED = ("Authorization", "Retry-After")
"""Headers that Clerk.js reads."""


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
        response.access_control_allow_headers = request.access_control_request_headers
    return response
