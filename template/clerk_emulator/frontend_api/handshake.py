"""``/client/handshake``: the app's server sends the browser here to learn who is signed in."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug import Response

from ..clerk import current_clerk
from ..dev_browser import known_browser
from ..errors import ClerkError
from ..handshakes import directives, store_for_nonce
from ..sessions import new_client
from ..urls import app_redirect, origin_of, with_query, without_query

blueprint = Blueprint("handshake", __name__)


@blueprint.get("/client/handshake")
def handshake() -> Response:
    """Redirect back to ``redirect_url`` with the browser's cookies as a signed payload or nonce.

    :raises ClerkError: 400 if ``redirect_url`` is not a page of the app.
    """
    clerk = current_clerk()
    wanted = request.args.get("redirect_url", "")
    target = app_redirect(wanted, clerk.config.app_url)
    if target is None or wanted.startswith("/"):
        message = (
            f"redirect_url is {wanted[:200]!r}. Expected a page of the app, which is at "
            f"{clerk.app_origin}. If the app has moved, start the local Clerk with that --app-url."
        )
        raise ClerkError("redirect_url_mismatch", message, 400, "redirect_url")
    client = known_browser() or new_client(clerk)
    cookies = directives(clerk, client, origin_of(target) or clerk.app_origin)
    target = without_query(target, "__clerk_db_jwt")
    if request.args.get("format") == "nonce":
        location = with_query(target, __clerk_handshake_nonce=store_for_nonce(clerk, cookies))
    else:
        location = with_query(target, __clerk_handshake=clerk.signer.handshake_token(cookies))
    return redirect(location, 307)
