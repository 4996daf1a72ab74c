"""``/me/oauth/consent/{client_id}``: what Clerk's consent component shows, and its answer."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug import Response

from ..clerk import current_clerk
from ..errors import signed_out
from ..oauth_grants import check_authorization, grant_code, read_authorization
from ..resources import User
from ..serializers import Json
from ..serializers.oauth import consent_json
from ..session_tasks import session_tasks
from ..urls import host_of
from .browser import answer, current_session

blueprint = Blueprint("oauth_consent", __name__, url_prefix="/oauth/consent")


@blueprint.get("/<client_id>")
def show(client_id: str) -> Json:
    """What the application asks for."""
    _user()
    asked = request.args.to_dict() | {"client_id": client_id}
    wanted = read_authorization(current_clerk(), asked)
    return answer(consent_json(wanted, host_of(wanted.redirect_uri)))


@blueprint.post("/<client_id>")
def decide(client_id: str) -> Response:
    """A form of the page itself: the browser goes on to the application."""
    clerk, user = current_clerk(), _user()
    asked = request.form.to_dict() | {"client_id": client_id}
    wanted = read_authorization(clerk, asked)
    check_authorization(wanted, asked)
    if asked.get("consented") != "true":
        return redirect(wanted.back(error="access_denied"), 303)
    return redirect(wanted.back(code=grant_code(clerk, wanted, user)), 303)


def _user() -> User:
    """Who is signed in, and has nothing left to do first."""
    clerk, session = current_clerk(), current_session()
    user = clerk.store.get(User, session.user_id)
    if user is None or session_tasks(clerk, session, user):
        raise signed_out()
    return user
