"""No foreign page may send our forms: not a sign-in, and not a deletion."""

from __future__ import annotations

import hashlib
import hmac

from flask import request

from ..clerk import base_url, current_clerk
from ..dev_browser import known_browser
from ..errors import ClerkError
from ..resources import Client
from ..urls import origin_aliases, origin_of

FIELD = "csrf_token"


def csrf_token(client: Client) -> str:
    """The form token of a browser: HMAC-SHA256 of its dev browser token."""
    key = current_clerk().csrf_key
    return hmac.new(key, client.dev_browser.encode(), hashlib.sha256).hexdigest()


def check_form() -> None:
    """Accept a form only from one of our own pages, shown to this browser.

    :raises ClerkError: 403 for a foreign origin, an unknown browser, or a wrong token.
    """
    client = known_browser()
    sent = request.form.get(FIELD, "")
    genuine = client is not None and hmac.compare_digest(sent.encode(), csrf_token(client).encode())
    if not (genuine and _from_here()):
        message = "This form is from another page or has expired. Reload the page and try again."
        raise ClerkError("csrf_invalid", message, 403)


def _from_here() -> bool:
    """Whether the browser says that the form was on our own origin."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    config = current_clerk().config
    ours = {origin_of(base_url())} | origin_aliases(config.app_url)
    return origin in ours | origin_aliases(config.own_url)
