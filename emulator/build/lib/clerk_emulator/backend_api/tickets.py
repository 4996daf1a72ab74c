"""``/invitations`` and all ``/…_tokens`` that let people in."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from ..clerk import current_clerk
from ..errors import invalid, not_found
from ..invitation_states import invitation_status
from ..invitations import (
    STATUSES,
    NewInvitation,
    create_invitation,
    revoke_invitation,
)
from ..resources import Invitation, SignInToken
from ..serializers import Json
from ..serializers.tickets import invitation_json, sign_in_token_json, testing_token_json
from ..sign_in_tokens import create_actor_token, create_sign_in_token, revoke_sign_in_token
from ..testing_tokens import create_testing_token
from ..urls import origin_of
from ..users import normalize_email
from .parameters import (
    flag,
    json_body,
    listed,
    metadata,
    optional_text,
    query_flag,
    required_text,
    whole_number,
)
from .users import known_user

blueprint = Blueprint("tickets", __name__)

MAX_BULK = 10


@blueprint.get("/invitations")
def list_invitations() -> Json | list[Json]:
    """Invitations, newest first; ``status`` and ``query`` narrow them down."""
    clerk = current_clerk()
    status = request.args.get("status")
    if status not in (None, *STATUSES):
        raise invalid("status", f"one of {', '.join(STATUSES)}")
    part = request.args.get("query", "").strip().lower()
    order = request.args.get("order_by", "-created_at").strip()
    found = [
        invitation
        for invitation in clerk.store.find(Invitation, newest_first=order.startswith("-"))
        if status in (None, invitation_status(clerk, invitation))
        and (part in invitation.email_address or part == invitation.id.lower())
    ]
    answer = listed(found, lambda invitation: invitation_json(clerk, invitation))
    bare: list[Json] = answer["data"]
    return answer if query_flag("paginated") else bare


@blueprint.post("/invitations")
def post_invitation() -> Json:
    """Invite somebody to sign up."""
    clerk = current_clerk()
    return invitation_json(clerk, create_invitation(clerk, _new_invitation(json_body())))


@blueprint.post("/invitations/bulk")
def post_invitations() -> list[Json]:
    """Invite several people, or nobody if one cannot be."""
    clerk = current_clerk()
    bodies = request.get_json(force=True, silent=True)
    if not isinstance(bodies, list) or not all(isinstance(body, dict) for body in bodies):
        raise invalid("body", "a list of JSON objects")
    if not 1 <= len(bodies) <= MAX_BULK:
        raise invalid("body", f"a list of 1 to {MAX_BULK} invitations")
    made = [create_invitation(clerk, _new_invitation(body)) for body in bodies]
    return [invitation_json(clerk, invitation) for invitation in made]


def _new_invitation(body: dict[str, Any]) -> NewInvitation:
    redirect_url = optional_text(body, "redirect_url") or ""
    if redirect_url and origin_of(redirect_url) is None:
        raise invalid("redirect_url", "an absolute http(s) URL")
    return NewInvitation(
        normalize_email(required_text(body, "email_address")),
        redirect_url=redirect_url,
        public_metadata=metadata(body, "public_metadata"),
        notify=flag(body, "notify", True),
        ignore_existing=flag(body, "ignore_existing"),
        expires_in_days=whole_number(body, "expires_in_days", least=1),
    )


@blueprint.post("/invitations/<id>/revoke")
def revoke(id: str) -> Json:
    """Take an invitation back."""
    clerk = current_clerk()
    invitation = clerk.store.get(Invitation, id)
    if invitation is None:
        raise not_found("Invitation")
    revoke_invitation(clerk, invitation)
    return invitation_json(clerk, invitation)


@blueprint.post("/sign_in_tokens")
def post_sign_in_token() -> Json:
    """A ticket that signs a user in, once."""
    clerk, body = current_clerk(), json_body()
    user = known_user(required_text(body, "user_id"))
    seconds = whole_number(body, "expires_in_seconds", least=1)
    return sign_in_token_json(clerk, create_sign_in_token(clerk, user, seconds))


@blueprint.post("/actor_tokens")
def post_actor_token() -> Json:
    """A ticket with which somebody impersonates a user, once."""
    clerk, body = current_clerk(), json_body()
    user = known_user(required_text(body, "user_id"))
    lifetime = whole_number(body, "expires_in_seconds", least=1)
    session = whole_number(body, "session_max_duration_in_seconds", least=1)
    actor = metadata(body, "actor")
    return sign_in_token_json(clerk, create_actor_token(clerk, user, actor, lifetime, session))


@blueprint.post("/<any(sign_in_tokens, actor_tokens):kind>/<id>/revoke")
def revoke_token(kind: str, id: str) -> Json:
    """Make a ticket useless."""
    clerk = current_clerk()
    token = clerk.store.get(SignInToken, id)
    if token is None or (token.actor is not None) is not (kind == "actor_tokens"):
        raise not_found("Token")
    revoke_sign_in_token(clerk, token)
    return sign_in_token_json(clerk, token)


@blueprint.post("/testing_tokens")
def post_testing_token() -> Json:
    """A token that lets a test's browser past bot protection."""
    return testing_token_json(create_testing_token(current_clerk()))
