"""Machines, and the tokens that they show each other."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Any

from .api_keys import hash_secret
from .clerk import LocalClerk
from .errors import ClerkError, not_found
from .resources import M2MToken, Machine, new_id
from .users import check_required_name

KEY_PREFIX = "ak_"
TOKEN_PREFIX = "mt_"  # noqa: S105
MAX_SCOPES = 150


def create_machine(clerk: LocalClerk, name: str, scopes: list[str], token_seconds: int) -> Machine:
    """Make a machine.

    :param scopes: ids of the machines that it may talk to.
    :param token_seconds: how long its tokens last by default.
    :raises ClerkError: ``form_param_nil`` without a name, 404 for a scope that is no machine.
    """
    now = clerk.now
    machine = Machine(
        new_id("mch"),
        now,
        now,
        name=check_required_name(name),
        secret_key=new_machine_key(),
        default_token_ttl=token_seconds,
    )
    clerk.store.put(machine)
    for id in dict.fromkeys(scopes):
        add_scope(clerk, machine, id)
    return machine


def new_machine_key() -> str:
    """A fresh machine secret key."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def delete_machine(clerk: LocalClerk, machine: Machine) -> None:
    """Forget a machine, its tokens, and that others may talk to it."""
    for token in clerk.store.find(M2MToken, subject=machine.id):
        clerk.store.delete(token)
    for other in clerk.store.find(Machine):
        if machine.id in other.scopes:
            remove_scope(clerk, other, machine.id)
    clerk.store.delete(machine)


def add_scope(clerk: LocalClerk, machine: Machine, to_id: str) -> None:
    """Let a machine talk to another one.

    :raises ClerkError: 404 for an unknown machine, 409 if it may already, 422 for itself.
    """
    if clerk.store.get(Machine, to_id) is None:
        raise not_found("Machine")
    if to_id == machine.id:
        message = "A machine cannot be in its own scope."
        raise ClerkError("form_param_value_invalid", message, param="to_machine_id")
    if to_id in machine.scopes:
        message = "The machine already has this scope."
        raise ClerkError("machine_scope_already_exists", message, 409, "to_machine_id")
    if len(machine.scopes) >= MAX_SCOPES:
        message = f"A machine cannot have more than {MAX_SCOPES} scopes."
        raise ClerkError("machine_scope_limit_exceeded", message, 422, "to_machine_id")
    machine.scopes.append(to_id)
    machine.updated_at = clerk.now
    clerk.store.put(machine)


def remove_scope(clerk: LocalClerk, machine: Machine, to_id: str) -> None:
    """Let a machine no longer talk to another one.

    :raises ClerkError: 404 if it never could.
    """
    if to_id not in machine.scopes:
        raise not_found("Machine scope")
    machine.scopes.remove(to_id)
    machine.updated_at = clerk.now
    clerk.store.put(machine)


def machine_with_key(clerk: LocalClerk, secret_key: str) -> Machine | None:
    """The machine that has this secret key."""
    machine = clerk.store.first(Machine, secret_key=secret_key) if secret_key else None
    if machine is None:
        return None
    same = hmac.compare_digest(machine.secret_key.encode(), secret_key.encode())
    return machine if same else None


def create_m2m_token(
    clerk: LocalClerk,
    machine: Machine,
    *,
    seconds: int | None = None,
    claims: dict[str, Any] | None = None,
    min_remaining_seconds: int | None = None,
) -> tuple[M2MToken, str]:
    """An opaque token of a machine, for the machines in its scope as they are now.

    :param seconds: how long it is good for; None: as long as the machine's tokens are by default.
    :param min_remaining_seconds: take an equal one that there is, if it lasts so much longer.
    :returns: the token and its secret.
    :raises ClerkError: 400 if no token could last that long.
    """
    lifetime = seconds or machine.default_token_ttl
    if min_remaining_seconds is not None:
        if min_remaining_seconds >= lifetime:
            message = "min_remaining_ttl_seconds must be less than the token's lifetime."
            raise ClerkError("form_param_value_invalid", message, 400, "min_remaining_ttl_seconds")
        found = _reusable(clerk, machine, claims, min_remaining_seconds)
        if found is not None:
            return found, _secret(clerk, found.id)
    now = clerk.now
    id = new_id("mt")
    secret = _secret(clerk, id)
    token = M2MToken(
        id,
        now,
        now,
        subject=machine.id,
        secret_hash=hash_secret(secret),
        scopes=list(machine.scopes),
        claims=claims,
        expiration=now + lifetime * 1000,
    )
    clerk.store.put(token)
    return token, secret


def _secret(clerk: LocalClerk, id: str) -> str:
    """Derived from the id by the instance's own key, so that it need not be kept to be reused."""
    digest = hmac.new(clerk.csrf_key, f"m2m token {id}".encode(), hashlib.sha256).digest()
    return TOKEN_PREFIX + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _reusable(
    clerk: LocalClerk, machine: Machine, claims: dict[str, Any] | None, seconds: int
) -> M2MToken | None:
    for token in clerk.store.find(M2MToken, subject=machine.id, newest_first=True):
        equal = token.claims == claims and sorted(token.scopes) == sorted(machine.scopes)
        lasts = token.expiration is None or token.expiration >= clerk.now + seconds * 1000
        if equal and lasts and not token.revoked:
            return token
    return None


def create_m2m_jwt(
    clerk: LocalClerk, machine: Machine, *, seconds: int | None, claims: dict[str, Any] | None
) -> tuple[M2MToken, str]:
    """A signed token of a machine: whoever has the instance's public key can verify it.

    :returns: what it says, and the JWT. It is not kept, and so cannot be revoked.
    """
    now = clerk.now
    lifetime = seconds or machine.default_token_ttl
    token = M2MToken(
        new_id("mt"),
        now,
        now,
        subject=machine.id,
        secret_hash="",
        scopes=list(machine.scopes),
        claims=claims,
        expiration=now + lifetime * 1000,
    )
    standard = {
        "iss": clerk.config.issuer,
        "sub": machine.id,
        "jti": token.id,
        "aud": token.scopes,
        "scopes": " ".join(token.scopes),
        "iat": now // 1000,
        "nbf": now // 1000 - 10,
        "exp": now // 1000 + lifetime,
    }
    return token, clerk.signer.sign_machine_token((claims or {}) | standard)


def has_expired(clerk: LocalClerk, token: M2MToken) -> bool:
    """Whether a token's time is over."""
    return token.expiration is not None and token.expiration <= clerk.now


def revoke_m2m_token(clerk: LocalClerk, token: M2MToken, reason: str | None) -> None:
    """Make a token useless for ever; one that is revoked already keeps its reason."""
    if token.revoked:
        return
    token.revoked, token.revocation_reason = True, reason
    token.updated_at = clerk.now
    clerk.store.put(token)


def verify_m2m_token(clerk: LocalClerk, secret: str, verifier: Machine | None) -> M2MToken:
    """The token with that secret, which was shown just now.

    :param verifier: the machine that asks; None: the app's server, which may know of all.
    :raises ClerkError: 404 for a token that is unknown, revoked, expired, or not meant for the
        machine that asks.
    """
    is_jwt = secret.count(".") == 2
    token = _from_jwt(clerk, secret) if is_jwt else _opaque(clerk, secret)
    if token is None or token.revoked or has_expired(clerk, token):
        raise not_found("M2M token")
    if clerk.store.get(Machine, token.subject) is None:
        raise not_found("M2M token")
    if verifier is not None and verifier.id not in (token.subject, *token.scopes):
        raise not_found("M2M token")
    if not is_jwt:
        token.last_used_at = clerk.now
        clerk.store.put(token)
    return token


def _opaque(clerk: LocalClerk, secret: str) -> M2MToken | None:
    return clerk.store.first(M2MToken, secret_hash=hash_secret(secret))


def _from_jwt(clerk: LocalClerk, token: str) -> M2MToken | None:
    claims = clerk.signer.machine_claims(token)
    if claims is None:
        return None
    known = ("iss", "sub", "jti", "aud", "scopes", "iat", "nbf", "exp")
    made = claims["iat"] * 1000
    return M2MToken(
        claims["jti"],
        made,
        made,
        subject=claims["sub"],
        secret_hash="",
        scopes=claims["aud"],
        claims={name: value for name, value in claims.items() if name not in known} or None,
        expiration=claims["exp"] * 1000,
    )
