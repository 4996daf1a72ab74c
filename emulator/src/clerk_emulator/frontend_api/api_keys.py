"""``/api_keys``: the keys of the signed-in user, or of the active organization.

Clerk.js calls these with a session token instead of the dev browser, in JSON, and without ``/v1``.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from ..api_keys import NewApiKey, create_api_key, find_api_keys, revoke_api_key
from ..clerk import current_clerk
from ..errors import ClerkError, invalid, not_found, signed_out
from ..organizations import require_member, require_permission
from ..resources import ApiKey, Session, User
from ..serializers import Json
from ..serializers.api_keys import api_key_json
from ..sessions import ACTIVE

blueprint = Blueprint("api_keys", __name__, url_prefix="/api_keys")

READ = "org:sys_api_keys:read"
MANAGE = "org:sys_api_keys:manage"
MAX_LIMIT = 100


@blueprint.get("")
def list_api_keys() -> Json:
    """The keys of the user or organization that ``subject`` names."""
    clerk = current_clerk()
    session = bearer_session()
    subject = request.args.get("subject") or session.user_id
    _check_subject(session, subject, READ)
    keys = find_api_keys(
        clerk,
        subject,
        query=request.args.get("query", ""),
        include_invalid=request.args.get("include_invalid") == "true",
    )
    limit = min(request.args.get("limit", 10, int), MAX_LIMIT)
    start = max(request.args.get("offset", 0, int), 0)
    page = keys[start : start + max(limit, 0)]
    return {"data": [api_key_json(clerk, key) for key in page], "total_count": len(keys)}


@blueprint.post("")
def create() -> Json:
    """Make a key. This answer is the only one that has the secret."""
    clerk = current_clerk()
    session = bearer_session()
    body = _body()
    subject = _text(body, "subject") or session.user_id
    _check_subject(session, subject, MANAGE)
    key, secret = create_api_key(
        clerk,
        NewApiKey(
            name=_text(body, "name") or "",
            subject=subject,
            description=_text(body, "description"),
            created_by=session.user_id,
            seconds_until_expiration=_lifetime(body),
        ),
    )
    return api_key_json(clerk, key, secret)


@blueprint.post("/<id>/revoke")
def revoke(id: str) -> Json:
    """Make a key useless."""
    clerk = current_clerk()
    session = bearer_session()
    key = clerk.store.get(ApiKey, id)
    if key is None:
        raise not_found("API key")
    _check_subject(session, key.subject, MANAGE)
    revoke_api_key(clerk, key, _text(_body(), "revocation_reason"))
    return api_key_json(clerk, key)


def bearer_session() -> Session:
    """The active session whose token came as ``Authorization: Bearer``.

    :raises ClerkError: 401 unless the token is ours and its session has not ended.
    """
    clerk = current_clerk()
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    id = clerk.signer.session_of(token, clerk.now) if scheme.lower() == "bearer" else None
    session = clerk.store.get(Session, id)
    if session is None or session.status != ACTIVE or session.expire_at <= clerk.now:
        raise signed_out()
    return session


def _check_subject(session: Session, subject: str, permission: str) -> None:
    """Users have their own keys; an organization's take a permission in it."""
    clerk = current_clerk()
    if subject == session.user_id:
        if not clerk.settings.api_keys.user_enabled:
            raise ClerkError("feature_not_enabled", "API keys for users are not enabled.", 403)
        return
    user = clerk.store.get(User, session.user_id)
    if user is None:
        raise signed_out()
    member = require_member(clerk, subject, user)
    if not clerk.settings.api_keys.organization_enabled:
        raise ClerkError("feature_not_enabled", "API keys for organizations are not enabled.", 403)
    require_permission(clerk, member, permission)


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    return body if isinstance(body, dict) else {}


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is None or isinstance(value, str):
        return value
    raise invalid(name, "a string")


def _lifetime(body: dict[str, Any]) -> int | None:
    value = body.get("seconds_until_expiration")
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise invalid("seconds_until_expiration", "a number of seconds above 0")
    return value
