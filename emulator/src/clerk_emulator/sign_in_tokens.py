"""Sign-in tokens and actor tokens: tickets that sign somebody in without asking."""

from __future__ import annotations

import secrets
from typing import Any

from .clerk import LocalClerk
from .errors import ClerkError
from .resources import SignInToken, User, new_id

SIGN_IN_TOKEN_SECONDS = 30 * 24 * 3600
ACTOR_TOKEN_SECONDS = 3600
ACTOR_SESSION_SECONDS = 30 * 60
TICKET_BYTES = 32


def create_sign_in_token(
    clerk: LocalClerk, user: User, lifetime_seconds: int | None = None
) -> SignInToken:
    """A ticket that signs this user in, once."""
    return _create(clerk, "sit", user, lifetime_seconds or SIGN_IN_TOKEN_SECONDS)


def create_actor_token(
    clerk: LocalClerk,
    user: User,
    actor: dict[str, Any],
    lifetime_seconds: int | None = None,
    session_seconds: int | None = None,
) -> SignInToken:
    """A ticket with which the actor impersonates this user, once.

    :param actor: ``{"sub": "user_…"}``, who really sits there.
    :param session_seconds: how long the session may last; half an hour if nothing is said.
    :raises ClerkError: 422 if the actor says nothing of who it is, or is the user.
    """
    sub = actor.get("sub")
    if not isinstance(sub, str) or not sub or sub == user.id:
        message = "actor must be an object whose sub is another user."
        raise ClerkError("form_param_value_invalid", message, param="actor")
    token = _create(clerk, "act", user, lifetime_seconds or ACTOR_TOKEN_SECONDS)
    token.actor = actor
    token.session_max_duration_in_seconds = session_seconds or ACTOR_SESSION_SECONDS
    clerk.store.put(token)
    return token


def _create(clerk: LocalClerk, prefix: str, user: User, lifetime_seconds: int) -> SignInToken:
    now = clerk.now
    token = SignInToken(
        new_id(prefix),
        now,
        now,
        user_id=user.id,
        expires_at=now + lifetime_seconds * 1000,
        ticket=secrets.token_urlsafe(TICKET_BYTES),
    )
    clerk.store.put(token)
    return token


def is_open(clerk: LocalClerk, token: SignInToken) -> bool:
    """Whether somebody can still sign in with it."""
    return token.status == "pending" and token.expires_at > clerk.now


def revoke_sign_in_token(clerk: LocalClerk, token: SignInToken) -> None:
    """Make a ticket useless.

    :raises ClerkError: 400 if it was used or revoked before.
    """
    if token.status != "pending":
        kind, name = ("actor", "Actor") if token.actor else ("sign_in", "Sign in")
        message = (
            f"{name} token cannot be revoked because its status is {token.status}. "
            "Only pending tokens can be revoked."
        )
        raise ClerkError(f"{kind}_token_cannot_be_revoked_code", message, 400)
    token.status, token.updated_at = "revoked", clerk.now
    clerk.store.put(token)
