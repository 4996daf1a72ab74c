"""``/sessions``: looking at sessions, making tokens for them, and revoking them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from ..clerk import current_clerk
from ..dev_browser import current_visitor
from ..errors import ClerkError, missing, not_found
from ..handshakes import refresh_cookie, twin_cookies
from ..jwt_templates import template_token
from ..organizations import active_organization_id
from ..refresh_tokens import new_refresh_token, refresh_session
from ..resources import Session
from ..serializers import Json, backend_session_json, token_json
from ..session_tokens import session_token
from ..sessions import LIVE, end_session, new_client, settle, start_session
from ..urls import origin_aliases, origin_of
from .parameters import (
    json_body,
    one_page,
    optional_text,
    page,
    query_flag,
    required_text,
    whole_number,
)
from .users import known_user

blueprint = Blueprint("sessions", __name__, url_prefix="/sessions")

FILTERS = ("user_id", "client_id")
SHORTEST_TOKEN_SECONDS = 30


@blueprint.get("")
def list_sessions() -> list[Json] | Json:
    """A user's or a browser's sessions, newest first; ``status`` narrows them down."""
    clerk = current_clerk()
    filters: dict[str, Any] = {name: request.args[name] for name in FILTERS if name in request.args}
    if not filters:
        raise missing("user_id")
    page()
    found = clerk.store.find(Session, newest_first=True, **filters)
    settled = [settle(clerk, session) for session in found]
    status = request.args.get("status")
    wanted = [session for session in settled if status in (None, session.status)]
    answer = [backend_session_json(session) for session in one_page(wanted)]
    if query_flag("paginated"):
        return {"data": answer, "total_count": len(wanted)}
    return answer


@blueprint.post("")
def create_session() -> Json:
    """Sign a user in, in a browser of its own. Meant for tests."""
    clerk, body = current_clerk(), json_body()
    user = known_user(required_text(body, "user_id"))
    client = new_client(clerk)
    session = start_session(clerk, client, user, "ticket", current_visitor())
    if organization := optional_text(body, "active_organization_id"):
        session.last_active_organization_id = active_organization_id(clerk, user.id, organization)
        clerk.store.put(session)
        settle(clerk, session)
    return backend_session_json(session)


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


@blueprint.post("/<id>/verify")
def verify_session(id: str) -> Json:
    """The session, if it is live and this is a token of it that has not expired."""
    clerk = current_clerk()
    session = _live_session(id)
    token = required_text(json_body(), "token")
    if clerk.signer.session_of(token, clerk.now) != session.id:
        raise ClerkError("session_token_invalid", "This is not a token of this session.", 401)
    return backend_session_json(session)


@blueprint.post("/<id>/tokens")
def create_token(id: str) -> Json:
    """A session token, for tests and for programs that act for a user."""
    session = _live_session(id)
    body = json_body()
    lifetime = whole_number(body, "expires_in_seconds", least=SHORTEST_TOKEN_SECONDS)
    clerk = current_clerk()
    return token_json(session_token(clerk, session, clerk.app_origin, lifetime))


@blueprint.post("/<id>/tokens/<template>")
def create_template_token(id: str, template: str) -> Json:
    """A custom token, as a JWT template of the settings describes it."""
    clerk = current_clerk()
    session = _live_session(id)
    user = known_user(session.user_id)
    return token_json(template_token(clerk, session, user, template, clerk.app_origin))


@blueprint.post("/<id>/refresh")
def refresh(id: str) -> Json:
    """A fresh session token for an expired one and a refresh token, which is used up."""
    clerk, body = current_clerk(), json_body()
    expired, token = optional_text(body, "expired_token"), optional_text(body, "refresh_token")
    session = refresh_session(clerk, id, expired or "", token or "")
    jwt = session_token(clerk, session, _authorized_party(body))
    if body.get("format") != "cookie":
        return token_json(jwt)
    cookies = twin_cookies(clerk, {"__session": jwt})
    cookies.append(refresh_cookie(clerk, new_refresh_token(clerk, session)))
    return {"object": "cookies", "cookies": cookies}


def _authorized_party(body: dict[str, Any]) -> str:
    """The origin under which the app was asked, if it is the app's."""
    clerk = current_clerk()
    origin = origin_of(optional_text(body, "request_origin") or "")
    return origin if origin and origin in origin_aliases(clerk.app_origin) else clerk.app_origin


def _session(id: str) -> Session:
    session = current_clerk().store.get(Session, id)
    if session is None:
        raise not_found("Session")
    return settle(current_clerk(), session)


def _live_session(id: str) -> Session:
    session = _session(id)
    if session.status not in LIVE:
        raise not_found("Live session")
    return session
