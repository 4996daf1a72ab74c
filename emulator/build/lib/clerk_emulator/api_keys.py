"""API keys that people and organizations give to their programs: the rules, for both APIs."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any

from .clerk import LocalClerk
from .errors import ClerkError, missing, not_found
from .resources import ApiKey, new_id

SECRET_PREFIX = "ak_"  # noqa: S105
NAME_MAX_LENGTH = 256


@dataclass(frozen=True)
class NewApiKey:
    """What a key is made of.

    :param subject: id of the user or organization that the key acts for.
    :param created_by: id of the user who makes it.
    :param seconds_until_expiration: None for a key that never expires.
    """

    name: str
    subject: str
    description: str | None = None
    scopes: list[str] = field(default_factory=list)
    claims: dict[str, Any] | None = None
    created_by: str | None = None
    seconds_until_expiration: int | None = None


def create_api_key(clerk: LocalClerk, new: NewApiKey) -> tuple[ApiKey, str]:
    """Make a key.

    :returns: the key and its secret, which nobody can read again.
    :raises ClerkError: ``form_param_nil`` without a name, ``token_creation_conflict`` if the
        subject has a key of that name that still works.
    """
    name = new.name.strip()[:NAME_MAX_LENGTH]
    if not name:
        raise missing("name")
    if any(key.name == name for key in find_api_keys(clerk, new.subject)):
        message = "An API key with this name already exists."
        raise ClerkError("token_creation_conflict", message, 409, param="name")
    now = clerk.now
    id = new_id("ak")
    secret = _derived_secret(clerk, id)
    lifetime = new.seconds_until_expiration
    key = ApiKey(
        id,
        now,
        now,
        name=name,
        subject=new.subject,
        secret_hash=hash_secret(secret),
        description=new.description or None,
        scopes=new.scopes,
        claims=new.claims,
        created_by=new.created_by,
        expiration=None if lifetime is None else now + lifetime * 1000,
    )
    clerk.store.put(key)
    return key, secret


def find_api_keys(
    clerk: LocalClerk, subject: str, *, query: str = "", include_invalid: bool = False
) -> list[ApiKey]:
    """A subject's keys, newest first.

    :param query: part of the name; case does not matter.
    :param include_invalid: also those that are revoked or have expired.
    """
    keys = clerk.store.find(ApiKey, subject=subject, newest_first=True)
    return [
        key
        for key in keys
        if (include_invalid or is_valid(clerk, key)) and query.strip().lower() in key.name.lower()
    ]


def is_valid(clerk: LocalClerk, key: ApiKey) -> bool:
    """Whether a key still opens anything."""
    return not key.revoked and not has_expired(clerk, key)


def has_expired(clerk: LocalClerk, key: ApiKey) -> bool:
    """Whether a key's time is over."""
    return key.expiration is not None and key.expiration <= clerk.now


def revoke_api_key(clerk: LocalClerk, key: ApiKey, reason: str | None = None) -> None:
    """Make a key useless for ever; one that is revoked already keeps its reason."""
    if key.revoked:
        return
    key.revoked = True
    key.revocation_reason = reason
    key.updated_at = clerk.now
    clerk.store.put(key)


def verify_api_key(clerk: LocalClerk, secret: str) -> ApiKey:
    """The key with that secret, which was used just now.

    :raises ClerkError: 404 for an unknown, revoked or expired key.
    """
    key = clerk.store.first(ApiKey, secret_hash=hash_secret(secret))
    if key is None or not is_valid(clerk, key):
        raise not_found("API key")
    key.last_used_at = clerk.now
    clerk.store.put(key)
    return key


def secret_of(clerk: LocalClerk, key: ApiKey) -> str | None:
    """A key's secret, for the app's server; None for a key that was made another way."""
    secret = _derived_secret(clerk, key.id)
    return secret if hash_secret(secret) == key.secret_hash else None


def _derived_secret(clerk: LocalClerk, id: str) -> str:
    """Derived from the id by the instance's own key, so that it need not be kept."""
    digest = hmac.new(clerk.csrf_key, f"api key {id}".encode(), hashlib.sha256).digest()
    return SECRET_PREFIX + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def hash_secret(secret: str) -> str:
    """What is kept of a secret. It is random and long, so that a fast hash will do."""
    return hashlib.sha256(secret.encode()).hexdigest()
