"""Proving once more who one is, in the middle of a session, before something that matters."""

from __future__ import annotations

from .clerk import LocalClerk
from .errors import ClerkError, invalid, missing, unsupported_strategy
from .lockouts import check_welcome, counting_guesses
from .passkeys import STRATEGY as PASSKEY
from .passkeys import ask_for_passkey, check_passkey
from .resources import EmailAddress, PhoneNumber, Session, User, Verification
from .second_factors import check_second_factor, has_second_factor, second_factor_phones
from .sign_in_factors import has_passkey
from .users import check_password
from .verifications import check_code, open_verification, send_code

FRESH_MINUTES = 10
LIFETIME_MS = 10 * 60_000
LEVELS = ("first_factor", "second_factor", "multi_factor")
FIRST = "needs_first_factor"
SECOND = "needs_second_factor"
COMPLETE = "complete"


def is_fresh(clerk: LocalClerk, session: Session, user: User) -> bool:
    """Whether the person has proved who they are less than ten minutes ago.

    Whoever has a second factor must have given that one. Once a verification has been started,
    only its end counts.
    """
    if status_of(session) != COMPLETE:
        return False
    at = session.verified_at
    if has_second_factor(clerk, user):
        at = session.second_factor_verified_at or 0
    return (clerk.now - at) // 60_000 < FRESH_MINUTES


def start_reverification(clerk: LocalClerk, session: Session, user: User, level: str) -> None:
    """Begin, whatever was under way before.

    :param level: ``first_factor``, ``second_factor`` (the first one, for who has no second) or
        ``multi_factor``.
    :raises ClerkError: for any other level.
    """
    if level not in LEVELS:
        raise invalid("level", f"one of {', '.join(LEVELS)}")
    enrolled = has_second_factor(clerk, user)
    steps = [SECOND] if level == "second_factor" and enrolled else [FIRST]
    if level == "multi_factor" and enrolled:
        steps.append(SECOND)
    session.verification = {"level": level, "steps": steps, "started_at": clerk.now}
    clerk.store.put(session)


def status_of(session: Session) -> str:
    """How far it is: ``needs_first_factor``, ``needs_second_factor`` or ``complete``."""
    steps: list[str] = session.verification.get("steps", [])
    return steps[0] if steps else COMPLETE


def prepare_factor(
    clerk: LocalClerk, session: Session, user: User, step: str, strategy: str, target: str
) -> None:
    """Send a code.

    :param step: ``needs_first_factor`` or ``needs_second_factor``, which must be the one now.
    :param target: id of the e-mail address or phone number; empty for the default one.
    :raises ClerkError: if the account has no such factor.
    """
    _check_step(clerk, session, step)
    if strategy == PASSKEY and step == FIRST and has_passkey(clerk, user):
        _prepared(clerk, session, ask_for_passkey(clerk, session.id, user))
        return
    for found in _code_targets(clerk, user, step, strategy):
        if not target or found.id == target:
            to = found.email_address if isinstance(found, EmailAddress) else found.phone_number
            sent = send_code(clerk, strategy, session.id, to)
            _prepared(clerk, session, sent)
            return
    raise unsupported_strategy()


def attempt_first_factor(
    clerk: LocalClerk, session: Session, user: User, strategy: str, password: str, code: str
) -> None:
    """Give a password, or a code that was sent.

    :raises ClerkError: if it is wrong, or cannot be given now.
    """
    _check_step(clerk, session, FIRST)
    check_welcome(clerk, user)
    if strategy == "password" and user.password_hash is None:
        raise unsupported_strategy()
    with counting_guesses(clerk, user):
        if strategy == "password":
            check_password(user, password)
        else:
            _check_sent_code(clerk, session, strategy, code)
    session.verified_at = clerk.now
    _finish_step(clerk, session, "first", strategy)


def attempt_second_factor(
    clerk: LocalClerk, session: Session, user: User, strategy: str, code: str
) -> None:
    """Give a code of an authenticator app, a backup code, or a code that was sent.

    :raises ClerkError: if it is wrong, or cannot be given now.
    """
    _check_step(clerk, session, SECOND)
    if not code:
        raise missing("code")
    check_welcome(clerk, user)
    with counting_guesses(clerk, user):
        if strategy in ("totp", "backup_code"):
            check_second_factor(clerk, user, strategy, code)
        else:
            _check_sent_code(clerk, session, strategy, code)
    session.second_factor_verified_at = clerk.now
    _finish_step(clerk, session, "second", strategy)


def attempt_passkey(clerk: LocalClerk, session: Session, user: User, credential: str) -> None:
    """Give a passkey as the first factor.

    :param credential: JSON, as Clerk.js sends it.
    :raises ClerkError: if it proves nothing, or cannot be given now.
    """
    _check_step(clerk, session, FIRST)
    check_welcome(clerk, user)
    check_passkey(
        clerk, session.verification.get("verification_id"), session.id, user.id, credential
    )
    session.verified_at = clerk.now
    _finish_step(clerk, session, "first", PASSKEY)


def verified_emails(clerk: LocalClerk, user: User) -> list[EmailAddress]:
    """The addresses that a code can be sent to, the primary one first."""
    emails = clerk.store.find(EmailAddress, user_id=user.id, verified=True)
    return sorted(emails, key=lambda email: email.id != user.primary_email_address_id)


def verified_phones(clerk: LocalClerk, user: User) -> list[PhoneNumber]:
    """The numbers that a code can be sent to, the primary one first."""
    if not clerk.settings.attributes.phone_number.used_for_first_factor:
        return []
    phones = clerk.store.find(PhoneNumber, user_id=user.id, verified=True)
    return sorted(phones, key=lambda phone: phone.id != user.primary_phone_number_id)


def _code_targets(
    clerk: LocalClerk, user: User, step: str, strategy: str
) -> list[EmailAddress] | list[PhoneNumber]:
    if step == SECOND:
        return second_factor_phones(clerk, user) if strategy == "phone_code" else []
    if strategy == "email_code":
        return verified_emails(clerk, user)
    return verified_phones(clerk, user) if strategy == "phone_code" else []


def _prepared(clerk: LocalClerk, session: Session, asked: Verification) -> None:
    session.verification |= {"verification_id": asked.id, "prepared": asked.strategy}
    clerk.store.put(session)


def _check_step(clerk: LocalClerk, session: Session, step: str) -> None:
    started = session.verification.get("started_at", 0)
    if status_of(session) != step or started + LIFETIME_MS <= clerk.now:
        message = "Start the verification of this session first."
        raise ClerkError("verification_missing", message, 400)


def _check_sent_code(clerk: LocalClerk, session: Session, strategy: str, code: str) -> None:
    """The code must have been sent for this session, and for the step that it is in now."""
    if session.verification.get("prepared") != strategy:
        raise unsupported_strategy()
    verification = open_verification(clerk, session.verification.get("verification_id"))
    if verification.target != session.id:
        raise unsupported_strategy()
    check_code(clerk, verification.id, code)


def _finish_step(clerk: LocalClerk, session: Session, name: str, strategy: str) -> None:
    rest = session.verification["steps"][1:]
    session.verification |= {"steps": rest, name: strategy, "prepared": "", "verification_id": None}
    clerk.store.put(session)
