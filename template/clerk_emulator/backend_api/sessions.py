"""``/sessions``: looking at sessions, and revoking them."""

from __future__ import annotations

from flask import Blueprint, request

from ..clerk import current_clerk
from ..errors import missing, not_found
from ..resources import Session
from ..serializers import Json, backend_session_json
from ..sessions import end_session, settle
from .parameters import page

blueprint = Blueprint("sessions", __name__, url_prefix="/sessions")


@blueprint.get("")
def list_sessions() -> list[Json]:
    """A user's or a browser's sessions, newest first; ``status`` narrows them down."""
    filters = {
        name: request.args[name]
        for name in ("user_id", "client_id", "status")
        if name in request.args
    }
    if not filters.keys() & {"user_id", "client_id"}:
        raise missing("user_id")
    limit, offset = page()
    sessions = current_clerk().store.find(
        Session, newest_first=True, limit=limit, offset=offset, **filters
    )
    return [backend_session_json(session) for session in sessions]


@blueprint.get("/<id>")
def get_session(id: str) -> Json:
    """One session, whatever its status."""
    return backend_session_json(_session(id))


@blueprint.post("/<id>/revoke")
def revoke_session(id: str) -> Json:
    """Sign a browser out; its current token stays good for up to a minute."""
    session = _session(id)
    end_session(current_clerk(), session, "revoked")
    return backend_session_json(session)


def _session(id: str) -> Session:
    session = current_clerk().store.get(Session, id)
    if session is None:
        raise not_found("Session")
    return settle(current_clerk(), session)
