"""No foreign page may send the dashboard's forms, though anybody on this computer may see them."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from flask import after_this_request, g, request
from werkzeug import Response

from ..clerk import current_clerk
from ..errors import ClerkError
from ..urls import origin_aliases

COOKIE = "local_clerk_dashboard"
FIELD = "csrf_token"


def form_token() -> str:
    """The token for this browser's forms: HMAC-SHA256 of a cookie that only it has."""
    if "dashboard_cookie" not in g:
        g.dashboard_cookie = request.cookies.get(COOKIE) or secrets.token_urlsafe(24)

        @after_this_request
        def set_cookie(response: Response) -> Response:
            response.set_cookie(COOKIE, g.dashboard_cookie, httponly=True, samesite="Strict")
            return response

    return _token(g.dashboard_cookie)


def check_form() -> None:
    """Accept a form only from one of the dashboard's own pages, shown to this browser.

    :raises ClerkError: 403 for a foreign origin, an unknown browser, or a wrong token.
    """
    cookie, sent = request.cookies.get(COOKIE, ""), request.form.get(FIELD, "")
    genuine = bool(cookie) and hmac.compare_digest(sent.encode(), _token(cookie).encode())
    if not (genuine and _from_here()):
        message = "This form is from another page or has expired. Reload the page and try again."
        raise ClerkError("csrf_invalid", message, 403)


def _from_here() -> bool:
    """Every browser says from where a form comes; whoever does not say it is not let in."""
    ours = origin_aliases(current_clerk().config.origin)
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    return request.headers.get("Origin") in ours and site == "same-origin"


def _token(cookie: str) -> str:
    key = current_clerk().csrf_key
    return hmac.new(key, b"dashboard:" + cookie.encode(), hashlib.sha256).hexdigest()
