"""Signing in with a passkey: whoever's it is, or that of an account that was named."""

from __future__ import annotations

from .clerk import LocalClerk
from .errors import unsupported_strategy
from .lockouts import check_welcome
from .passkeys import STRATEGY, ask_for_passkey, check_passkey, check_passkeys_enabled
from .resources import Client, SignIn, User
from .sessions import refuse_second_session
from .sign_in_factors import has_passkey, is_anonymous
from .sign_ins import begin_sign_in, check_step, give_first_factor, sign_in_user


def begin_sign_in_with_passkey(clerk: LocalClerk, client: Client) -> SignIn:
    """Ask for any passkey that the browser has: it tells who is there.

    :raises ClerkError: ``feature_not_enabled``.
    """
    check_passkeys_enabled(clerk)
    sign_in = begin_sign_in(clerk, client, None)
    sign_in.status = "needs_first_factor"
    _ask(clerk, sign_in, None)
    return sign_in


def prepare_passkey(clerk: LocalClerk, sign_in: SignIn) -> None:
    """Ask for one of the account's passkeys.

    :raises ClerkError: if it has none, or nobody may be told whether there is such an account.
    """
    check_step(sign_in, "needs_first_factor")
    user = clerk.store.get(User, sign_in.user_id)
    if user is None or is_anonymous(clerk, sign_in) or not has_passkey(clerk, user):
        raise unsupported_strategy()
    _ask(clerk, sign_in, user)


def attempt_passkey(clerk: LocalClerk, client: Client, sign_in: SignIn, credential: str) -> None:
    """Take the proof of a passkey. Afterwards more is needed, or the sign-in is complete.

    :param credential: JSON, as Clerk.js sends it.
    :raises ClerkError: if it proves nothing, or its owner may not sign in.
    """
    check_step(sign_in, "needs_first_factor")
    if sign_in.prepared != STRATEGY:
        raise unsupported_strategy()
    if sign_in.user_id is not None:
        check_welcome(clerk, sign_in_user(clerk, sign_in))
    sign_in.user_id = check_passkey(
        clerk, sign_in.first_verification_id, sign_in.id, sign_in.user_id, credential
    )
    if clerk.settings.sessions.multi_session:
        refuse_second_session(clerk, client, sign_in_user(clerk, sign_in))
    give_first_factor(clerk, sign_in, STRATEGY)


def _ask(clerk: LocalClerk, sign_in: SignIn, user: User | None) -> None:
    asked = ask_for_passkey(clerk, sign_in.id, user)
    sign_in.prepared, sign_in.first_verification_id = STRATEGY, asked.id
    sign_in.updated_at = clerk.now
    clerk.store.put(sign_in)
