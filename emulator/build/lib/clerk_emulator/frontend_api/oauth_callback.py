"""``/oauth_callback``: where a social provider sends the browser back to."""

from __future__ import annotations

import secrets

from flask import Blueprint, redirect, request
from werkzeug import Response

from ..clerk import current_clerk
from ..dev_browser import browser_of_cookies, current_visitor
from ..oauth import finish_visit, open_visit
from ..urls import with_query

blueprint = Blueprint("oauth_callback", __name__)


@blueprint.get("/oauth_callback")
def oauth_callback() -> Response:
    """Redeem the state and the code, and go back to the page that the visit was started from.

    Only the browser's own cookie says which browser this is: a link with somebody else's token
    in it would sign them in as whoever follows it.
    """
    clerk = current_clerk()
    client = browser_of_cookies()
    visit = open_visit(clerk, client, request.args.get("state", ""))
    if client is not None:
        finish_visit(clerk, client, visit, request.args.get("code", ""), current_visitor())
    return redirect(
        with_query(visit.redirect_url, rotating_token_nonce=secrets.token_urlsafe(24)), 303
    )
