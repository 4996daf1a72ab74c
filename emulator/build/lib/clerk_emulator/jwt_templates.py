"""Custom tokens: Clerk's JWT templates with their shortcodes, such as ``{{user.id}}``."""

from __future__ import annotations

import re
import secrets
from typing import Any

from .clerk import LocalClerk
from .errors import not_found
from .organizations import membership_of, user_memberships
from .resources import EmailAddress, Organization, PhoneNumber, Session, User
from .serializers import user_json
from .session_tokens import NOT_BEFORE_SLACK_SECONDS

SHORTCODE = re.compile(r"\{\{\s*(.*?)\s*\}\}")
RESERVED = ("azp", "exp", "iat", "iss", "jti", "nbf", "sub")
"""Claims that a template cannot set."""


def template_token(
    clerk: LocalClerk, session: Session, user: User, template: str, authorized_party: str
) -> str:
    """A token as the template with that name describes it.

    :raises ClerkError: 404 if there is no such template.
    """
    found = clerk.settings.jwt_templates.get(template)
    if found is None:
        raise not_found(f"JWT template {template}")
    now = clerk.now // 1000
    known = _facts(clerk, session, user)
    custom = {k: _fill(v, known) for k, v in found.claims.items() if k not in RESERVED}
    standard = {
        "azp": authorized_party,
        "exp": now + found.lifetime_seconds,
        "iat": now,
        "iss": clerk.config.issuer,
        "jti": secrets.token_hex(10),
        "nbf": now - NOT_BEFORE_SLACK_SECONDS,
        "sub": user.id,
    }
    return clerk.signer.sign_template_token(custom | standard)


def _facts(clerk: LocalClerk, session: Session, user: User) -> dict[str, Any]:
    """Everything that a shortcode can name."""
    store = clerk.store
    email = store.get(EmailAddress, user.primary_email_address_id)
    phone = store.get(PhoneNumber, user.primary_phone_number_id)
    facts = user_json(clerk, user, clerk.config.own_url) | {
        "full_name": user.name or None,
        "primary_email_address": email.email_address if email else None,
        "primary_phone_number": phone.phone_number if phone else None,
        "primary_web3_wallet": None,
        "email_verified": bool(email and email.verified),
        "phone_number_verified": bool(phone and phone.verified),
        "organizations": {
            membership.organization_id: membership.role
            for membership in user_memberships(clerk, user.id)
        },
    }
    return {"user": facts, "session": {"id": session.id, "actor": session.actor}} | _active(
        clerk, session
    )


def _active(clerk: LocalClerk, session: Session) -> dict[str, Any]:
    """The active organization and the membership of it."""
    membership = membership_of(clerk, session.last_active_organization_id, session.user_id)
    found = clerk.store.get(Organization, membership.organization_id if membership else None)
    if membership is None or found is None:
        return {}
    org = {
        "id": found.id,
        "slug": found.slug,
        "name": found.name,
        "role": membership.role,
        "has_image": found.picture_id is not None,
        "image_url": f"{clerk.config.own_url}/avatars/{found.id}",
        "public_metadata": found.public_metadata,
        "created_at": found.created_at,
    }
    return {"org": org, "org_membership": {"public_metadata": membership.public_metadata}}


def _fill(value: Any, facts: dict[str, Any]) -> Any:
    """Fill in shortcodes at every depth. One that stands alone keeps the type of what it names."""
    if isinstance(value, dict):
        return {key: _fill(inner, facts) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_fill(inner, facts) for inner in value]
    if not isinstance(value, str):
        return value
    alone = SHORTCODE.fullmatch(value)
    if alone and "}}" not in alone[1]:
        return _evaluate(alone[1], facts)
    return SHORTCODE.sub(lambda match: _text(_evaluate(match[1], facts)), value)


def _evaluate(expression: str, facts: dict[str, Any]) -> Any:
    """The first of the alternatives between ``||`` that is there."""
    for operand in expression.split("||"):
        found = _operand(operand.strip(), facts)
        if found not in (None, "", False):
            return found
    return found


def _operand(operand: str, facts: dict[str, Any]) -> Any:
    if len(operand) >= 2 and operand[0] == operand[-1] and operand[0] in "'\"":
        return operand[1:-1]
    if re.fullmatch(r"-?\d+", operand):
        return int(operand)
    if operand in ("true", "false"):
        return operand == "true"
    found: Any = facts
    for name in operand.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _text(value: Any) -> str:
    return "" if value is None else str(value)
