"""The second step of signing in, for who has a second factor."""

from __future__ import annotations

from .clerk import LocalClerk
from .errors import ClerkError, missing, unsupported_strategy
from .lockouts import check_welcome, counting_guesses
from .resources import PhoneNumber, SignIn, User, Verification
from .second_factors import check_second_factor
from .sign_in_factors import second_factors
from .sign_ins import sign_in_user
from .verifications import (
    begin_verification,
    check_attempts,
    check_code,
    finish_verification,
    open_verification,
    send_code,
)

NEEDED = "needs_second_factor"


def prepare_second_factor(clerk: LocalClerk, sign_in: SignIn, strategy: str, target: str) -> None:
    """Send a code to a number that is a second factor.

    :param target: id of the number; empty for the default one.
    :raises ClerkError: if the account has no such number, or the first factor is missing.
    """
    _check_needed(sign_in)
    user = sign_in_user(clerk, sign_in)
    for factor in second_factors(clerk, user):
        id = factor.get("phone_number_id")
        if factor["strategy"] == strategy == "phone_code" and target in ("", id):
            phone = clerk.store.get(PhoneNumber, id)
            if phone is not None:
                sent = send_code(clerk, strategy, sign_in.id, phone.phone_number)
                _remember(clerk, sign_in, strategy, sent)
                return
    raise unsupported_strategy()


def attempt_second_factor(clerk: LocalClerk, sign_in: SignIn, strategy: str, code: str) -> None:
    """Check a code of an authenticator app, a backup code, or a code that was sent.

    :raises ClerkError: if it is wrong or was used before, after too many attempts, or if the first
        factor is missing.
    """
    _check_needed(sign_in)
    user = sign_in_user(clerk, sign_in)
    if strategy not in {factor["strategy"] for factor in second_factors(clerk, user)}:
        raise unsupported_strategy()
    if not code:
        raise missing("code")
    check_welcome(clerk, user)
    with counting_guesses(clerk, user):
        _check_factor(clerk, sign_in, user, strategy, code)
    sign_in.second_verified_by = strategy
    sign_in.status = "complete"
    sign_in.updated_at = clerk.now
    clerk.store.put(sign_in)


def _check_factor(clerk: LocalClerk, sign_in: SignIn, user: User, strategy: str, code: str) -> None:
    if strategy == "phone_code":
        verification = open_verification(clerk, sign_in.second_verification_id)
        if verification.target != sign_in.id or verification.strategy != strategy:
            raise unsupported_strategy()
        check_code(clerk, verification.id, code)
    else:
        verification = _attempts(clerk, sign_in, strategy)
        check_attempts(clerk, verification)
        check_second_factor(clerk, user, strategy, code)
        finish_verification(clerk, verification)


def _attempts(clerk: LocalClerk, sign_in: SignIn, strategy: str) -> Verification:
    """What counts the attempts at a code that is not sent: one for the whole sign-in."""
    counted = clerk.store.first(Verification, target=sign_in.id, strategy=strategy)
    if counted is not None:
        return counted
    begun = begin_verification(clerk, strategy, sign_in.id)
    _remember(clerk, sign_in, strategy, begun)
    return begun


def _remember(
    clerk: LocalClerk, sign_in: SignIn, strategy: str, verification: Verification
) -> None:
    sign_in.second_prepared = strategy
    sign_in.second_verification_id = verification.id
    sign_in.updated_at = clerk.now
    clerk.store.put(sign_in)


def _check_needed(sign_in: SignIn) -> None:
    if sign_in.status != NEEDED:
        message = "A second factor is not needed now."
        raise ClerkError("strategy_for_user_invalid", message, 422, "strategy")
