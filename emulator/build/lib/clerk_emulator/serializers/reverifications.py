"""The verification of a session under way."""

from __future__ import annotations

from ..clerk import LocalClerk
from ..passkeys import STRATEGY as PASSKEY
from ..resources import EmailAddress, PhoneNumber, Session, User, Verification
from ..reverification import (
    status_of,
    verified_emails,
    verified_phones,
)
from ..second_factors import second_factor_phones
from ..sign_in_factors import has_passkey
from .json import Json
from .verifications import stored_verification_json, verification_json


def reverification_json(
    clerk: LocalClerk, session: Session, user: User, shown_session: Json | None
) -> Json:
    """How far the verification of a session is, and how it could go on.

    :param shown_session: the session as the Frontend API shows it.
    """
    under_way = session.verification
    return {
        "object": "session_verification",
        "id": f"sver_{session.id.removeprefix('sess_')}",
        "status": status_of(session),
        "level": under_way.get("level"),
        "session": shown_session,
        "supported_first_factors": reverification_first_factors(clerk, user),
        "supported_second_factors": reverification_second_factors(clerk, user),
        "first_factor_verification": _first(clerk, session),
        "second_factor_verification": _verification(session, "second"),
    }


def reverification_first_factors(clerk: LocalClerk, user: User) -> list[Json]:
    """What the account can prove itself by."""
    factors: list[Json] = []
    if user.password_hash is not None:
        factors.append({"strategy": "password"})
    if has_passkey(clerk, user):
        factors.append({"strategy": PASSKEY})
    for email in verified_emails(clerk, user):
        factors.append(_by_email(email, primary=email.id == user.primary_email_address_id))
    for phone in verified_phones(clerk, user):
        factors.append(_by_phone(phone) | {"primary": phone.id == user.primary_phone_number_id})
    return factors


def reverification_second_factors(clerk: LocalClerk, user: User) -> list[Json]:
    """What the account has beside."""
    factors: list[Json] = [{"strategy": "totp"}] if user.totp_verified else []
    for phone in second_factor_phones(clerk, user):
        factors.append(_by_phone(phone) | {"default": phone.default_second_factor})
    if factors and user.backup_codes:
        factors.append({"strategy": "backup_code"})
    return factors


def _by_email(email: EmailAddress, *, primary: bool) -> Json:
    return {
        "strategy": "email_code",
        "email_address_id": email.id,
        "safe_identifier": email.email_address,
        "primary": primary,
    }


def _by_phone(phone: PhoneNumber) -> Json:
    return {
        "strategy": "phone_code",
        "phone_number_id": phone.id,
        "safe_identifier": phone.phone_number,
    }


def _first(clerk: LocalClerk, session: Session) -> Json | None:
    """While a passkey is asked for, with what the browser needs for that."""
    asked = clerk.store.get(Verification, session.verification.get("verification_id"))
    if asked is not None and session.verification.get("prepared") == PASSKEY:
        return stored_verification_json(clerk, asked)
    return _verification(session, "first")


def _verification(session: Session, step: str) -> Json | None:
    """How far a step is: done, or waiting for the code that was sent."""
    done, sent = session.verification.get(step), session.verification.get("prepared")
    if done:
        return verification_json("verified", done)
    if sent and status_of(session) == f"needs_{step}_factor":
        return verification_json("unverified", sent)
    return None
