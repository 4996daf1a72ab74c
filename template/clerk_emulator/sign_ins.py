"""Signing in, step by step: who are you, prove it, perhaps choose a new password."""

from __future__ import annotations

from .clerk import LocalClerk
from .errors import ClerkError, incorrect_code, unsupported_strategy
from .resources import Client, Session, SignIn, User, new_id
from .serializers import first_factors
from .sessions import Visitor, end_user_sessions, start_session
from .users import (
    CODE,
    check_password,
    hash_password,
    normalize_email,
    save_user,
    user_with_email,
)

RESET = "reset_password_email_code"
CODE_STRATEGIES = ("email_code", RESET)


def begin_sign_in(clerk: LocalClerk, client: Client, identifier: str | None) -> SignIn:
    """Start over with a new sign-in.

    :raises ClerkError: ``form_identifier_not_found`` for an unknown address.
    """
    now = clerk.now
    sign_in = SignIn(new_id("sia"), now, now, client_id=client.id)
    if identifier is not None:
        sign_in.identifier = normalize_email(identifier, "identifier")
        sign_in.user_id = user_with_email(clerk, sign_in.identifier).id
        sign_in.status = "needs_first_factor"
    client.sign_in_id = sign_in.id
    clerk.store.put(client)
    clerk.store.put(sign_in)
    return sign_in


def prepare_first_factor(clerk: LocalClerk, sign_in: SignIn, strategy: str) -> None:
    """Pretend to send the code, which is always 424242.

    :raises ClerkError: if this account cannot use that strategy.
    """
    offered = first_factors(clerk, sign_in, sign_in_user(clerk, sign_in))
    if strategy not in CODE_STRATEGIES or strategy not in {f["strategy"] for f in offered}:
        raise unsupported_strategy()
    sign_in.prepared = strategy
    _save(clerk, sign_in)


def attempt_first_factor(
    clerk: LocalClerk, sign_in: SignIn, strategy: str, password: str, code: str
) -> None:
    """Check a password or a code. Afterwards the sign-in needs a new password, or is complete.

    :raises ClerkError: ``form_password_incorrect``, ``form_code_incorrect``, or
        ``strategy_for_user_invalid``.
    """
    user = sign_in_user(clerk, sign_in)
    if strategy == "password":
        if user.password_hash is None:
            raise unsupported_strategy()
        check_password(user, password)
    elif strategy not in CODE_STRATEGIES:
        raise unsupported_strategy()
    elif sign_in.prepared != strategy or code != CODE:
        raise incorrect_code()
    give_first_factor(clerk, sign_in, strategy)


def give_first_factor(clerk: LocalClerk, sign_in: SignIn, strategy: str) -> None:
    """Go on after the first factor has been proved by this strategy."""
    sign_in.verified_by = strategy
    sign_in.status = "needs_new_password" if strategy == RESET else "complete"
    _save(clerk, sign_in)


def reset_password(
    clerk: LocalClerk, sign_in: SignIn, password: str, *, sign_out_others: bool
) -> None:
    """Choose a new password after a reset code.

    :raises ClerkError: for a weak password, or when no reset code was given before.
    """
    if sign_in.status != "needs_new_password":
        raise unsupported_strategy()
    user = sign_in_user(clerk, sign_in)
    user.password_hash = hash_password(password)
    user.password_compromised = False
    save_user(clerk, user)
    if sign_out_others:
        end_user_sessions(clerk, user, "revoked")
    sign_in.status = "complete"
    _save(clerk, sign_in)


def finish_sign_in(
    clerk: LocalClerk, client: Client, sign_in: SignIn, visitor: Visitor
) -> Session | None:
    """Start the session of a complete sign-in, once; None while steps are missing."""
    if sign_in.status != "complete" or sign_in.created_session_id is not None:
        return None
    user = sign_in_user(clerk, sign_in)
    session = start_session(clerk, client, user, sign_in.verified_by or "", visitor)
    sign_in.created_session_id = session.id
    _save(clerk, sign_in)
    return session


def sign_in_user(clerk: LocalClerk, sign_in: SignIn) -> User:
    """The account that is signing in.

    :raises ClerkError: if no identifier was given yet, or the account is gone.
    """
    user = clerk.store.get(User, sign_in.user_id)
    if user is None:
        raise ClerkError(
            "form_identifier_not_found", "Couldn't find your account.", param="identifier"
        )
    return user


def _save(clerk: LocalClerk, sign_in: SignIn) -> None:
    sign_in.updated_at = clerk.now
    clerk.store.put(sign_in)
