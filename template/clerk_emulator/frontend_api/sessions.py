"""``/client/sessions/…``: keeping a session alive, its tokens, its end."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, request

from ..clerk import authorized_party, base_url, current_clerk
from ..errors import not_found
from ..organizations import active_organization_id
from ..resources import Session, User
from ..serializers import Json, session_json, token_json
from ..sessions import end_session, forget_finished
from .browser import answer, client_session, current_client

blueprint = Blueprint("sessions", __name__, url_prefix="/client/sessions")


@blueprint.get("/<id>")
def get_session(id: str) -> Json:
    """One session of the browser."""
    return answer(_session_answer(client_session(current_client(), id)))


@blueprint.post("/<id>/touch")
def touch_session(id: str) -> Json:
    """Make it the browser's active session, as after sign-in and when a tab gets the focus.

    With ``active_organization_id`` it also switches to that organization, or with an empty one to
    the personal account.
    """
    clerk = current_clerk()
    client = current_client()
    session = client_session(client, id)
    wanted = request.form.get("active_organization_id")
    if wanted is not None:
        session.last_active_organization_id = active_organization_id(clerk, session.user_id, wanted)
    session.last_active_at = clerk.now
    clerk.store.put(session)
    client.last_active_session_id = session.id
    forget_finished(clerk, client)
    clerk.store.put(client)
    return answer(_session_answer(session))


@blueprint.post("/<id>/tokens")
def create_token(id: str) -> Json:
    """A fresh session token; Clerk.js asks about every 50 seconds.

    ``organization_id`` asks for a token of another organization than the active one.
    """
    clerk = current_clerk()
    session = client_session(current_client(), id)
    wanted = request.form.get("organization_id")
    if wanted is not None:
        organization_id = active_organization_id(clerk, session.user_id, wanted)
        session = replace(session, last_active_organization_id=organization_id)
    return token_json(clerk.signer.session_token(session, authorized_party(), clerk.now))


@blueprint.post("/<id>/tokens/<template>")
def create_template_token(id: str, template: str) -> Json:
    """JWT templates are made in Clerk's dashboard; a local instance has none."""
    client_session(current_client(), id)
    raise not_found(f"JWT template {template}")


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
