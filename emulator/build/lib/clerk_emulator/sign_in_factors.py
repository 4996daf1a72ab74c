"""The ways in which somebody who signs in can prove who they are."""

from __future__ import annotations

import hashlib
from typing import Any

from .clerk import LocalClerk
from .resources import EmailAddress, ExternalAccount, Passkey, PhoneNumber, SignIn, User

Factor = dict[str, Any]

IDENTIFIERS = ("email_address", "phone_number", "username")
EMAIL_CODE = "reset_password_email_code"
PHONE_CODE = "reset_password_phone_code"
RESET_STRATEGIES = (EMAIL_CODE, PHONE_CODE)
CODE_STRATEGIES = ("email_code", "phone_code", *RESET_STRATEGIES)
SENT_STRATEGIES = (*CODE_STRATEGIES, "email_link")
"""What is prepared first: a message goes out."""


def supported_identifiers(clerk: LocalClerk) -> list[str]:
    """What people may sign in with."""
    attributes = {name: getattr(clerk.settings.attributes, name) for name in IDENTIFIERS}
    return [name for name, a in attributes.items() if a.enabled and a.used_for_first_factor]


def is_anonymous(clerk: LocalClerk, sign_in: SignIn) -> bool:
    """Whether nothing may tell if there is such an account (enumeration protection)."""
    protected = clerk.settings.sign_in.enumeration_protection or sign_in.sign_up_if_missing
    return protected and sign_in.identifier is not None


def first_factors(clerk: LocalClerk, sign_in: SignIn, user: User | None) -> list[Factor]:
    """The first factors, those of the identifier that was typed first.

    Under enumeration protection everybody seems to have the same ones.
    """
    if is_anonymous(clerk, sign_in):
        return _anonymous_factors(clerk, sign_in)
    if user is None:
        return []
    with_password = user.password_hash is not None and clerk.settings.attributes.password.enabled
    factors: list[Factor] = [{"strategy": "password"}] if with_password else []
    for email in _emails(clerk, sign_in, user):
        primary = email.id == user.primary_email_address_id
        factors += _by_email(clerk, sign_in, email.id, email.email_address, primary, with_password)
    for phone in _phones(clerk, sign_in, user):
        primary = phone.id == user.primary_phone_number_id
        factors += _by_phone(clerk, sign_in, phone.id, phone.phone_number, primary, with_password)
    by_passkey: list[Factor] = [{"strategy": "passkey"}] if has_passkey(clerk, user) else []
    return factors + by_passkey + _by_provider(clerk, user)


def user_passkeys(clerk: LocalClerk, user_id: str) -> list[Passkey]:
    """The passkeys that an account can use."""
    return clerk.store.find(Passkey, user_id=user_id, verified=True)


def has_passkey(clerk: LocalClerk, user: User) -> bool:
    """Whether a passkey is a way to sign this account in."""
    return clerk.settings.attributes.passkey.enabled and bool(user_passkeys(clerk, user.id))


def masked(identifier: str) -> str:
    """An address or number of which only its owner can tell the rest."""
    name, at, domain = identifier.rpartition("@")
    return f"{name[:1]}*****{at}{domain}" if at else f"{identifier[:2]}*******{identifier[-2:]}"


def _emails(clerk: LocalClerk, sign_in: SignIn, user: User) -> list[EmailAddress]:
    """The address that was typed, else all of them, the primary one first."""
    emails = clerk.store.find(EmailAddress, user_id=user.id, verified=True)
    typed = [email for email in emails if email.email_address == sign_in.identifier]
    return typed or sorted(emails, key=lambda email: email.id != user.primary_email_address_id)


def _phones(clerk: LocalClerk, sign_in: SignIn, user: User) -> list[PhoneNumber]:
    """Numbers that are second factors are no first ones."""
    phones = clerk.store.find(
        PhoneNumber, user_id=user.id, verified=True, reserved_for_second_factor=False
    )
    typed = [phone for phone in phones if phone.phone_number == sign_in.identifier]
    return typed or sorted(phones, key=lambda phone: phone.id != user.primary_phone_number_id)


def _by_email(
    clerk: LocalClerk, sign_in: SignIn, id: str, address: str, primary: bool, resettable: bool
) -> list[Factor]:
    attribute = clerk.settings.attributes.email_address
    strategies = list(attribute.first_factors) if attribute.enabled else []
    if resettable and attribute.enabled:
        strategies.append(EMAIL_CODE)
    shown = address if address == sign_in.identifier else masked(address)
    about = {"email_address_id": id, "safe_identifier": shown, "primary": primary}
    return [{"strategy": strategy} | about for strategy in strategies]


def _by_phone(
    clerk: LocalClerk, sign_in: SignIn, id: str, number: str, primary: bool, resettable: bool
) -> list[Factor]:
    attribute = clerk.settings.attributes.phone_number
    if not (attribute.enabled and attribute.used_for_first_factor):
        return []
    strategies = list(attribute.first_factors) + ([PHONE_CODE] if resettable else [])
    shown = number if number == sign_in.identifier else masked(number)
    about = {"phone_number_id": id, "safe_identifier": shown, "primary": primary}
    return [{"strategy": strategy} | about for strategy in strategies]


def _by_provider(clerk: LocalClerk, user: User) -> list[Factor]:
    accounts = clerk.store.find(ExternalAccount, user_id=user.id, verified=True)
    enabled = [account for account in accounts if clerk.settings.has_social(account.provider)]
    return [{"strategy": f"oauth_{account.provider}", "primary": False} for account in enabled]


def _anonymous_factors(clerk: LocalClerk, sign_in: SignIn) -> list[Factor]:
    """What an account with this identifier could have. The id says nothing."""
    identifier = sign_in.identifier or ""
    id = "idn_" + hashlib.sha256(sign_in.id.encode()).hexdigest()[:27]
    with_password = clerk.settings.attributes.password.enabled
    factors: list[Factor] = [{"strategy": "password"}] if with_password else []
    if "@" in identifier:
        factors += _by_email(clerk, sign_in, id, identifier, True, with_password)
    elif identifier.startswith("+"):
        factors += _by_phone(clerk, sign_in, id, identifier, True, with_password)
    return factors
