"""``/m2m_tokens``: what machines show each other. Machines come here with their own secret keys."""

from __future__ import annotations

from flask import Blueprint, request

from ..clerk import current_clerk
from ..errors import ClerkError, invalid, missing, not_found
from ..machine_tokens import (
    create_m2m_jwt,
    create_m2m_token,
    has_expired,
    revoke_m2m_token,
    verify_m2m_token,
)
from ..resources import M2MToken, Machine
from ..serializers import Json
from ..serializers.machines import m2m_token_json
from .authorization import current_machine
from .parameters import (
    json_body,
    metadata,
    one_page,
    optional_text,
    query_flag,
    required_text,
    whole_number,
)

blueprint = Blueprint("m2m_tokens", __name__, url_prefix="/m2m_tokens")


@blueprint.get("")
def list_tokens() -> Json:
    """A machine's opaque tokens, newest first; a machine sees none but its own."""
    clerk = current_clerk()
    machine = current_machine()
    subject = request.args.get("subject") or (machine.id if machine else "")
    if not subject:
        raise missing("subject")
    if clerk.store.get(Machine, subject) is None or (machine and machine.id != subject):
        raise not_found("Machine")
    wanted = (query_flag("revoked") or False, query_flag("expired") or False)
    found = [
        token
        for token in clerk.store.find(M2MToken, subject=subject, newest_first=True)
        if (token.revoked <= wanted[0]) and (has_expired(clerk, token) <= wanted[1])
    ]
    page = [m2m_token_json(clerk, token) for token in one_page(found)]
    return {"m2m_tokens": page, "total_count": len(found)}


@blueprint.post("")
def post_token() -> tuple[Json, int]:
    """A token of the machine whose secret key came with the request."""
    clerk, body = current_clerk(), json_body()
    machine = current_machine()
    if machine is None:
        message = "Tokens are created with a machine's secret key (ak_…), not with the instance's."
        raise ClerkError("machine_secret_key_required", message, 401)
    kind = optional_text(body, "token_format") or "opaque"
    if kind not in ("opaque", "jwt"):
        raise invalid("token_format", "opaque or jwt")
    seconds = whole_number(body, "seconds_until_expiration", least=1)
    claims = metadata(body, "claims") or None
    if kind == "jwt":
        token, secret = create_m2m_jwt(clerk, machine, seconds=seconds, claims=claims)
    else:
        remaining = whole_number(body, "min_remaining_ttl_seconds")
        token, secret = create_m2m_token(
            clerk, machine, seconds=seconds, claims=claims, min_remaining_seconds=remaining
        )
    return m2m_token_json(clerk, token, secret), 201


@blueprint.post("/<id>/revoke")
def revoke_token(id: str) -> Json:
    """Make a token useless; a machine can do that to its own."""
    clerk = current_clerk()
    machine = current_machine()
    token = clerk.store.get(M2MToken, id)
    if token is None or (machine is not None and token.subject != machine.id):
        raise not_found("M2M token")
    revoke_m2m_token(clerk, token, optional_text(json_body(), "revocation_reason"))
    return m2m_token_json(clerk, token)


@blueprint.post("/verify")
def verify_token() -> Json:
    """The token, if it is good and meant for the machine that asks.

    Clerk's Python SDK sends it as ``secret``.
    """
    clerk, body = current_clerk(), json_body()
    secret = optional_text(body, "secret") or required_text(body, "token")
    return m2m_token_json(clerk, verify_m2m_token(clerk, secret, current_machine()))
