"""Accounts that the app's server makes and changes: it may do more than people themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .billing_events import tell_new_payer
from .clerk import LocalClerk
from .errors import ClerkError, missing
from .events import record_event
from .identification_kinds import Add
from .lockouts import lock
from .phone_numbers import add_phone_number
from .plans import Payer
from .resources import EmailAddress, PhoneNumber, User, new_id
from .serializers import backend_user_json
from .usernames import check_username_free
from .users import add_email_address

BY_ADMIN = "admin"
"""The strategy of an address or number that the app's server vouches for."""


@dataclass(frozen=True)
class NewAccount:
    """Addresses, numbers and the username must have been normalized.

    :param profile: fields of :class:`clerk_emulator.resources.User`.
    :param verified: whether the addresses and numbers count as verified.
    """

    email_addresses: list[str] = field(default_factory=list)
    phone_numbers: list[str] = field(default_factory=list)
    profile: dict[str, Any] = field(default_factory=dict)
    created_at: int | None = None
    emails_verified: bool = True
    phones_verified: bool = True
    skip_user_requirement: bool = False


def provision_user(clerk: LocalClerk, new: NewAccount) -> User:
    """Make an account. The first address and the first number become the primary ones.

    :raises ClerkError: ``form_identifier_exists`` if an address, number, username or external id
        is taken, ``form_param_nil`` if what everybody must have is missing.
    """
    _check_required(clerk, new)
    user = User(new_id("user"), new.created_at or clerk.now, clerk.now)
    check_external_id_free(clerk, new.profile.get("external_id"), user.id)
    if username := new.profile.get("username"):
        check_username_free(clerk, username)
    for name, value in new.profile.items():
        setattr(user, name, value)
    for address in new.email_addresses:
        email = vouch_for(clerk, add_email_address, user.id, address, verified=new.emails_verified)
        user.primary_email_address_id = user.primary_email_address_id or email.id
    for number in new.phone_numbers:
        phone = vouch_for(clerk, add_phone_number, user.id, number, verified=new.phones_verified)
        user.primary_phone_number_id = user.primary_phone_number_id or phone.id
    if user.locked:
        lock(clerk, user)
    if user.totp_verified:
        user.mfa_enabled_at = clerk.now
    clerk.store.put(user)
    record_event(clerk, "user.created", backend_user_json(clerk, user))
    tell_new_payer(clerk, Payer(user.id, "user"))
    return user


def _check_required(clerk: LocalClerk, new: NewAccount) -> None:
    attributes = clerk.settings.attributes
    given = {
        "email_address": new.email_addresses,
        "phone_number": new.phone_numbers,
        "username": new.profile.get("username"),
    }
    if new.skip_user_requirement:
        return
    for name, value in given.items():
        if getattr(attributes, name).required and not value:
            raise missing(name)
    if not any(given.values()):
        raise missing("email_address")


def vouch_for(
    clerk: LocalClerk, add: Add, user_id: str, value: str, *, verified: bool
) -> EmailAddress | PhoneNumber:
    """Give an account an address or number on the word of the app's server.

    :param add: of its kind.
    :raises ClerkError: ``form_identifier_exists``.
    """
    found = add(clerk, user_id, value, verified=verified)
    found.verified_by = BY_ADMIN if verified else found.verified_by
    clerk.store.put(found)
    return found


def check_external_id_free(clerk: LocalClerk, external_id: str | None, owner_id: str) -> None:
    """Refuse an id of the app's own that another account has.

    :raises ClerkError: ``form_identifier_exists``.
    """
    other = clerk.store.first(User, external_id=external_id) if external_id else None
    if other is not None and other.id != owner_id:
        message = "That external ID is taken. Please try another."
        raise ClerkError("form_identifier_exists", message, param="external_id")
