"""The emulator's own pages at ``/``: who is there, what was sent, and what is switched on.

Clerk's dashboard for a single developer: server-rendered, and usable without JavaScript.
"""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug import Response

from ..errors import ClerkError, not_found
from . import features, inbox, organizations, overview, sessions, users, webhooks
from .forms import check_form
from .pages import render

dashboard = Blueprint("dashboard", __name__)
for part in (overview, users, sessions, organizations, inbox, webhooks, features):
    dashboard.register_blueprint(part.blueprint)


@dashboard.before_request
def guard() -> None:
    """Not to be reached through the app; and no form from elsewhere.

    :raises ClerkError: 404 through the app's proxy, 403 for a foreign form.
    """
    if "Clerk-Proxy-Url" in request.headers:
        raise not_found("Page")
    if request.method != "GET":
        check_form()


@dashboard.errorhandler(ClerkError)
def show_error(error: ClerkError) -> Response:
    """A page that says what went wrong."""
    response = render("problem.html", error=error)
    response.status_code = error.status
    return response
