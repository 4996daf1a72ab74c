"""``/client/handshake``: the app's server sends the browser here to learn who is signed in."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug import Response

from ..clerk import current_clerk
from ..dev_browser import known_browser
from ..errors import ClerkError
from ..handshakes import directives, store_for_nonce
from ..organizations import membership_of
from ..resources import Client, Organization
from ..sessions import active_session, new_client, settle
from ..urls import app_redirect, origin_of, with_query, without_query

blueprint = Blueprint("handshake", __name__)

COOKIE_SECONDS = 60


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
    _activate_organization(client)
    cookies = directives(clerk, client, origin_of(target) or clerk.app_origin)
    target = without_query(target, "__clerk_db_jwt")
    if request.args.get("format") == "nonce":
        name, value = "__clerk_handshake_nonce", store_for_nonce(clerk, cookies)
    else:
        name, value = "__clerk_handshake", clerk.signer.handshake_token(cookies)
    if not clerk.settings.sessions.handshake_in_cookies:
        return redirect(with_query(target, **{name: value}), 307)
    response = redirect(target, 307)
    response.set_cookie(name, value, COOKIE_SECONDS, httponly=True, samesite="Lax")
    return response


def _activate_organization(client: Client) -> None:
    """The page belongs to an organization, by id or slug, or (empty) to the personal account.

    Whoever does not belong to that organization stays where they are; the app says no then.
    """
    clerk = current_clerk()
    session = active_session(clerk, client)
    wanted = request.args.get("organization_id")
    if session is None or wanted is None:
        return
    found = clerk.store.get(Organization, wanted) or clerk.store.first(Organization, slug=wanted)
    if wanted and (found is None or not membership_of(clerk, found.id, session.user_id)):
        return
    session.last_active_organization_id = found.id if found and wanted else None
    clerk.store.put(session)
    settle(clerk, session)
