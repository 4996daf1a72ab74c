"""``/agents/tasks``: a program works for a user, in a session that says so."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Blueprint

from ..clerk import current_clerk
from ..errors import ClerkError, invalid, not_found
from ..identifiers import user_with_identifier
from ..resources import SignInToken, User
from ..serializers import Json
from ..sign_in_tokens import create_actor_token, revoke_sign_in_token
from ..urls import with_query
from .parameters import json_body, metadata, optional_text, required_text, whole_number
from .users import known_user

blueprint = Blueprint("agent_tasks", __name__, url_prefix="/agents/tasks")

SESSION_SECONDS = 1800
AGENT = "agent"


@blueprint.post("")
def post_task() -> Json:
    """A link that signs the user in, once, for half an hour unless the request says otherwise."""
    clerk, body = current_clerk(), json_body()
    user = _user(metadata(body, "on_behalf_of"))
    if required_text(body, "permissions") != "*":
        raise invalid("permissions", '"*"')
    required_text(body, "task_description")
    required_text(body, "redirect_url")
    agent_id = _agent_id(required_text(body, "agent_name"))
    seconds = whole_number(body, "session_max_duration_in_seconds", least=1)
    actor = {"sub": agent_id, "type": AGENT}
    token = create_actor_token(clerk, user, actor, None, seconds or SESSION_SECONDS)
    page = f"{clerk.config.own_url}/v1/tickets/accept"
    return _json(token) | {"url": with_query(page, ticket=token.ticket)}


@blueprint.post("/<id>/revoke")
def revoke_task(id: str) -> Json:
    """Make the link useless.

    :raises ClerkError: 400 if it was used or revoked before.
    """
    clerk = current_clerk()
    token = clerk.store.get(SignInToken, id)
    if token is None or (token.actor or {}).get("type") != AGENT:
        raise not_found("Agent task")
    revoke_sign_in_token(clerk, token)
    return _json(token)


def _user(asked: dict[str, Any]) -> User:
    """Named by exactly one of ``user_id`` and ``identifier``."""
    id, identifier = optional_text(asked, "user_id"), optional_text(asked, "identifier")
    if bool(id) is bool(identifier):
        message = "Exactly one of user_id and identifier must be given."
        raise ClerkError("form_param_value_invalid", message, 422, "on_behalf_of")
    if id:
        return known_user(id)
    user = user_with_identifier(current_clerk(), (identifier or "").strip().lower())
    if user is None:
        raise not_found("User")
    return user


def _agent_id(name: str) -> str:
    """Always the same for one name."""
    text = f"{current_clerk().config.instance_id}/{name}"
    return f"agent_{hashlib.sha256(text.encode()).hexdigest()[:27]}"


def _json(token: SignInToken) -> Json:
    return {
        "object": "agent_task",
        "agent_id": (token.actor or {})["sub"],
        "agent_task_id": token.id,
        "task_id": token.id,
    }
