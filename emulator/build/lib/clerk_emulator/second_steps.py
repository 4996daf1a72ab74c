"""What a sign-in needs after its first factor: a second one, or proof that the browser is known."""

from __future__ import annotations

from .clerk import LocalClerk
from .resources import EmailAddress, PhoneNumber, Session, SignIn, User
from .second_factors import has_second_factor, second_factor_phones
from .settings.model import Attribute
from .sign_in_factors import EMAIL_CODE, Factor, is_anonymous, masked

SECOND = "needs_second_factor"
TRUST = "needs_client_trust"
BY_EMAIL = ("email_code", "email_link")
MAILBOX_PROVED = (*BY_EMAIL, EMAIL_CODE, "ticket")
"""First factors after which a message to the same person's mailbox would prove nothing more."""


def next_step(clerk: LocalClerk, sign_in: SignIn, user: User) -> str:
    """The status of a sign-in whose first factor has just been given.

    Who has a second factor gives that one; client trust is for those who have none.
    """
    if _own_factors(clerk, sign_in, user):
        return SECOND
    return TRUST if _needs_trust(clerk, sign_in, user) else "complete"


def second_factors(clerk: LocalClerk, sign_in: SignIn, user: User) -> list[Factor]:
    """What may be given in the second step; a backup code only takes the place of another."""
    if sign_in.status == TRUST:
        return _trust_factors(clerk, user)
    return _own_factors(clerk, sign_in, user)


def client_trust_state(clerk: LocalClerk, sign_in: SignIn) -> str:
    """``pending`` while nobody has been named, else whether the user was in this browser before."""
    hidden = is_anonymous(clerk, sign_in) and sign_in.verified_by is None
    if sign_in.user_id is None or hidden:
        return "pending"
    return "known" if _is_known(clerk, sign_in) else "new"


def _is_known(clerk: LocalClerk, sign_in: SignIn) -> bool:
    """Whether the user has had a session in this browser. Somebody else's as the user is none."""
    sessions = clerk.store.find(Session, client_id=sign_in.client_id, user_id=sign_in.user_id)
    return any(session.actor is None for session in sessions)


def _needs_trust(clerk: LocalClerk, sign_in: SignIn, user: User) -> bool:
    """Only a password can have been stolen from elsewhere; and there must be a way to ask."""
    asked = clerk.settings.sign_in.client_trust and sign_in.verified_by == "password"
    return asked and not _is_known(clerk, sign_in) and bool(_trust_factors(clerk, user))


def _own_factors(clerk: LocalClerk, sign_in: SignIn, user: User) -> list[Factor]:
    factors: list[Factor] = [{"strategy": "totp"}] if user.totp_verified else []
    for phone in second_factor_phones(clerk, user):
        factors.append(_by_phone(phone) | {"default": phone.default_second_factor})
    attribute = clerk.settings.attributes.email_address
    if attribute.used_for_second_factor and sign_in.verified_by not in MAILBOX_PROVED:
        factors += _by_email(clerk, user, attribute, attribute.second_factors)
    if user.backup_codes and has_second_factor(clerk, user):
        factors.append({"strategy": "backup_code"})
    return factors


def _trust_factors(clerk: LocalClerk, user: User) -> list[Factor]:
    """A message to what the user is known to have, by the strategies of the instance."""
    attributes = clerk.settings.attributes
    email = attributes.email_address
    factors = _by_email(clerk, user, email, (*email.first_factors, *email.verifications))
    if attributes.phone_number.enabled:
        phones = clerk.store.find(PhoneNumber, user_id=user.id, verified=True)
        phones.sort(key=lambda phone: phone.id != user.primary_phone_number_id)
        factors += [_by_phone(phone) for phone in phones]
    return factors


def _by_email(
    clerk: LocalClerk, user: User, attribute: Attribute, strategies: tuple[str, ...]
) -> list[Factor]:
    """One for each address and strategy, the primary address first."""
    emails = clerk.store.find(EmailAddress, user_id=user.id, verified=True)
    emails.sort(key=lambda email: email.id != user.primary_email_address_id)
    usable = [strategy for strategy in BY_EMAIL if strategy in strategies]
    return [
        {
            "strategy": strategy,
            "email_address_id": email.id,
            "safe_identifier": masked(email.email_address),
            "primary": email.id == user.primary_email_address_id,
        }
        for email in emails
        for strategy in usable
        if attribute.enabled
    ]


def _by_phone(phone: PhoneNumber) -> Factor:
    return {
        "strategy": "phone_code",
        "phone_number_id": phone.id,
        "safe_identifier": masked(phone.phone_number),
    }
