"""``/client/sessions/…``: keeping a session alive, its tokens, its end."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, request

from ..clerk import authorized_party, base_url, current_clerk
from ..errors import signed_out
from ..jwt_templates import template_token
from ..organizations import active_organization_id
from ..resources import Session, User
from ..serializers import Json, session_json, token_json
from ..session_tokens import session_token
from ..sessions import end_session, touch_session, use_session
from .browser import answer, client_session, current_client

blueprint = Blueprint("sessions", __name__, url_prefix="/client/sessions")


@blueprint.get("/<id>")
def get_session(id: str) -> Json:
    """One session of the browser."""
    return answer(_session_answer(client_session(current_client(), id)))


@blueprint.post("/<id>/touch")
def touch(id: str) -> Json:
    """Make it the browser's active session, and perhaps another organization the active one."""
    client = current_client()
    session = client_session(client, id)
    organization_id = request.form.get("active_organization_id")
    touch_session(current_clerk(), client, session, organization_id)
    return answer(_session_answer(session))


@blueprint.post("/<id>/tokens")
def create_token(id: str) -> Json:
    """A fresh session token; Clerk.js asks about every 50 seconds.

    With an ``organization_id`` it speaks for that organization, whichever is active.
    """
    clerk = current_clerk()
    session = client_session(current_client(), id)
    use_session(clerk, session)
    if "organization_id" in request.form:
        wanted = active_organization_id(clerk, session.user_id, request.form["organization_id"])
        session = replace(session, last_active_organization_id=wanted)
    return token_json(session_token(clerk, session, authorized_party()))


@blueprint.post("/<id>/tokens/<template>")
def create_template_token(id: str, template: str) -> Json:
    """A custom token, as a JWT template of the settings describes it."""
    clerk = current_clerk()
    session = client_session(current_client(), id)
    user = clerk.store.get(User, session.user_id)
    if user is None:
        raise signed_out()
    return token_json(template_token(clerk, session, user, template, authorized_party()))


@blueprint.post("/<id>/<any(end, remove):action>")
def finish_session(id: str, action: str) -> Json:
    """Sign out of one session."""
    session = client_session(current_client(), id)
    end_session(current_clerk(), session, "ended" if action == "end" else "removed")
    return answer(_session_answer(session))


def _session_answer(session: Session) -> Json | None:
    clerk = current_clerk()
    user = clerk.store.get(User, session.user_id)
    if user is None:
        return None
    return session_json(clerk, session, user, base_url(), authorized_party())
