"""API keys."""

from __future__ import annotations

from ..api_keys import has_expired
from ..clerk import LocalClerk
from ..resources import ApiKey
from .json import Json


def api_key_json(clerk: LocalClerk, key: ApiKey, secret: str | None = None) -> Json:
    """An API key.

    :param secret: given only to whom just made it.
    """
    shown = {"secret": secret} if secret is not None else {}
    return {
        "object": "api_key",
        "id": key.id,
        "type": "api_key",
        "subject": key.subject,
        "name": key.name,
        "description": key.description,
        "claims": key.claims,
        "scopes": key.scopes,
        "revoked": key.revoked,
        "revocation_reason": key.revocation_reason,
        "expired": has_expired(clerk, key),
        "expiration": key.expiration,
        "created_by": key.created_by,
        "last_used_at": key.last_used_at,
        "created_at": key.created_at,
        "updated_at": key.updated_at,
    } | shown
