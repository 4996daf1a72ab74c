"""The second step of signing in, for who has a second factor or comes with an unknown browser."""

from __future__ import annotations

from .clerk import LocalClerk
from .errors import ClerkError, missing, unsupported_strategy
from .links import send_link
from .lockouts import check_welcome, counting_guesses
from .redirects import return_url
from .resources import EmailAddress, PhoneNumber, SignIn, User, Verification
from .second_factors import check_second_factor
from .second_steps import SECOND, TRUST, second_factors
from .sign_ins import Wanted, sign_in_user
from .verifications import (
    begin_verification,
    check_attempts,
    check_code,
    finish_verification,
    open_verification,
    send_code,
)

STEPS = (SECOND, TRUST)
SENT_CODES = ("phone_code", "email_code")


def prepare_second_factor(clerk: LocalClerk, sign_in: SignIn, wanted: Wanted) -> None:
    """Send a code or link to an address or number of the user's.

    :raises ClerkError: if it is none that this step asks for, the first factor is missing, or a
        link leads elsewhere than to the app.
    """
    _check_needed(sign_in)
    to = _address(clerk, sign_in, wanted)
    if wanted.strategy == "email_link":
        url = return_url(clerk, wanted.redirect_url)
        sent = send_link(clerk, sign_in.id, to, sign_in.client_id, url, wanted.link_base)
    else:
        sent = send_code(clerk, wanted.strategy, sign_in.id, to)
    _remember(clerk, sign_in, wanted.strategy, sent)


def _address(clerk: LocalClerk, sign_in: SignIn, wanted: Wanted) -> str:
    for factor in second_factors(clerk, sign_in, sign_in_user(clerk, sign_in)):
        email = clerk.store.get(EmailAddress, factor.get("email_address_id"))
        phone = clerk.store.get(PhoneNumber, factor.get("phone_number_id"))
        found = email or phone
        if factor["strategy"] != wanted.strategy or found is None:
            continue
        if wanted.target in ("", found.id):
            return email.email_address if email else phone.phone_number if phone else ""
    raise unsupported_strategy()


def attempt_second_factor(clerk: LocalClerk, sign_in: SignIn, strategy: str, code: str) -> None:
    """Check a code of an authenticator app, a backup code, or a code that was sent.

    :raises ClerkError: if it is wrong or was used before, after too many attempts, or if the first
        factor is missing.
    """
    _check_needed(sign_in)
    user = sign_in_user(clerk, sign_in)
    usable = {factor["strategy"] for factor in second_factors(clerk, sign_in, user)}
    if strategy not in usable or strategy == "email_link":
        raise unsupported_strategy()
    if not code:
        raise missing("code")
    check_welcome(clerk, user)
    with counting_guesses(clerk, user):
        _check_factor(clerk, sign_in, user, strategy, code)
    give_second_factor(clerk, sign_in, strategy)


def _check_factor(clerk: LocalClerk, sign_in: SignIn, user: User, strategy: str, code: str) -> None:
    if strategy in SENT_CODES:
        verification = open_verification(clerk, sign_in.second_verification_id)
        if verification.target != sign_in.id or verification.strategy != strategy:
            raise unsupported_strategy()
        check_code(clerk, verification.id, code)
    else:
        verification = _attempts(clerk, sign_in, strategy)
        check_attempts(clerk, verification)
        check_second_factor(clerk, user, strategy, code)
        finish_verification(clerk, verification)


def give_second_factor(clerk: LocalClerk, sign_in: SignIn, strategy: str) -> None:
    """Go on after the second step has been proved by this strategy."""
    sign_in.second_verified_by = strategy
    sign_in.status = "complete"
    sign_in.updated_at = clerk.now
    clerk.store.put(sign_in)


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
    if sign_in.status not in STEPS:
        message = "A second factor is not needed now."
        raise ClerkError("strategy_for_user_invalid", message, 400, "strategy")
