"""Accounts: making, changing and deleting them, by Clerk's rules."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from werkzeug.security import generate_password_hash

from .belongings import drop_user_belongings
from .billing_events import tell_new_payer
from .claims import is_taken, taken
from .clerk import LocalClerk
from .errors import ClerkError, incorrect_password, missing
from .events import record_event
from .external_accounts import Identity, connect
from .password_digests import is_password
from .passwords import check_password_rules
from .phone_numbers import add_phone_number
from .pictures import forget_picture
from .plans import Payer
from .resources import EmailAddress, ExternalAccount, Passkey, PhoneNumber, User, new_id
from .serializers import backend_user_json
from .settings.model import PasswordRules
from .usernames import check_username_free

CODE = "424242"
HASH_METHOD = "scrypt:1024:8:1"
"""Cheap on purpose: 2 ms instead of 60. These passwords are of test users, on one computer."""
NAME_MAX_LENGTH = 256
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")


@dataclass(frozen=True)
class NewUser:
    """What an account is made of. Address, number and username must have been normalized."""

    email_address: str | None = None
    password_hash: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    external_id: str | None = None
    public_metadata: dict[str, Any] = field(default_factory=dict)
    private_metadata: dict[str, Any] = field(default_factory=dict)
    unsafe_metadata: dict[str, Any] = field(default_factory=dict)
    identity: Identity | None = None
    """Whom a social provider named."""
    identity_verification_id: str = ""
    email_verified: bool = True
    email_verified_by: str = "email_code"
    phone_number: str | None = None
    phone_verified: bool = True
    username: str | None = None
    legal_accepted_at: int | None = None
    locale: str | None = None


def create_user(clerk: LocalClerk, new: NewUser) -> User:
    """Make an account.

    :raises ClerkError: ``form_identifier_exists`` if address, number or username is taken.
    """
    now = clerk.now
    user = User(
        new_id("user"),
        now,
        now,
        first_name=new.first_name,
        last_name=new.last_name,
        username=new.username,
        external_id=new.external_id,
        password_hash=new.password_hash,
        public_metadata=new.public_metadata,
        private_metadata=new.private_metadata,
        unsafe_metadata=new.unsafe_metadata,
        legal_accepted_at=new.legal_accepted_at,
        locale=new.locale,
    )
    _give_identifiers(clerk, user, new)
    clerk.store.put(user)
    if new.identity is not None:
        connect(clerk, user, new.identity, new.identity_verification_id)
    record_event(clerk, "user.created", backend_user_json(clerk, user))
    tell_new_payer(clerk, Payer(user.id, "user"))
    return user


def _give_identifiers(clerk: LocalClerk, user: User, new: NewUser) -> None:
    if new.username is not None:
        check_username_free(clerk, new.username)
    if new.email_address is not None:
        email = add_email_address(clerk, user.id, new.email_address, verified=new.email_verified)
        email.verified_by = new.email_verified_by
        clerk.store.put(email)
        user.primary_email_address_id = email.id
    if new.phone_number is not None:
        phone = add_phone_number(clerk, user.id, new.phone_number, verified=new.phone_verified)
        user.primary_phone_number_id = phone.id


def save_user(clerk: LocalClerk, user: User) -> None:
    """Store a changed account, and tell the app."""
    user.updated_at = clerk.now
    clerk.store.put(user)
    record_event(clerk, "user.updated", backend_user_json(clerk, user))


def delete_user(clerk: LocalClerk, user: User) -> dict[str, Any]:
    """Delete an account whose sessions have ended already.

    :returns: the deleted object, as the APIs answer it.
    """
    for kind in (EmailAddress, PhoneNumber, ExternalAccount, Passkey):
        for found in clerk.store.find(kind, user_id=user.id):
            clerk.store.delete(found)
    drop_user_belongings(clerk, user.id)
    forget_picture(clerk, user.picture_id)
    clerk.store.delete(user)
    gone = {"object": "user", "id": user.id, "deleted": True}
    known = {"external_id": user.external_id} if user.external_id else {}
    record_event(clerk, "user.deleted", gone | known)
    return gone


def add_email_address(
    clerk: LocalClerk, user_id: str, address: str, *, verified: bool
) -> EmailAddress:
    """Give an account another e-mail address.

    :raises ClerkError: ``form_identifier_exists`` if it is taken.
    """
    check_email_free(clerk, address, user_id)
    now = clerk.now
    email = EmailAddress(new_id("idn"), now, now, user_id, address, verified)
    clerk.store.put(email)
    return email


def normalize_email(address: str, param: str = "email_address") -> str:
    """Lower case and no blanks around.

    :raises ClerkError: if it is empty or not an e-mail address.
    """
    address = address.strip().lower()
    if not address:
        raise missing(param)
    if not EMAIL.fullmatch(address):
        raise ClerkError("form_param_format_invalid", "Enter a valid email address.", param=param)
    return address


def check_email_free(clerk: LocalClerk, address: str, user_id: str = "") -> None:
    """Refuse an address that somebody has proved to be theirs.

    :param user_id: who would like to have it, and does not have it yet.
    :raises ClerkError: ``form_identifier_exists``.
    """
    if is_taken(clerk, clerk.store.find(EmailAddress, email_address=address), user_id):
        raise taken("email_address")


def check_required_name(name: str) -> str:
    """The name of an organization or a machine, without blanks around it.

    :raises ClerkError: ``form_param_nil`` or ``form_param_max_length_exceeded``.
    """
    checked = check_name(name, "name")
    if checked is None:
        raise missing("name")
    return checked


def check_name(name: str, param: str) -> str | None:
    """A first or last name without blanks around it; None for an empty one.

    :raises ClerkError: ``form_param_max_length_exceeded``.
    """
    name = name.strip()
    if len(name) > NAME_MAX_LENGTH:
        message = f"{param} should not exceed {NAME_MAX_LENGTH} characters."
        raise ClerkError("form_param_max_length_exceeded", message, param=param)
    return name or None


def hash_password(password: str, rules: PasswordRules, param: str = "password") -> str:
    """Hash a new password that meets the rules.

    :raises ClerkError: as :func:`clerk_emulator.passwords.check_password_rules`.
    """
    check_password_rules(rules, password, param)
    return generate_password_hash(password, HASH_METHOD)


def hash_any_password(password: str, param: str = "password") -> str:
    """Hash a password that the app's server vouches for, whatever the instance's rules.

    :raises ClerkError: ``form_param_nil``.
    """
    if not password:
        raise missing(param)
    return generate_password_hash(password, HASH_METHOD)


def check_password(user: User, password: str, param: str = "password") -> None:
    """Compare with the account's password.

    :raises ClerkError: ``form_password_incorrect``.
    """
    if user.password_hash is None or not is_password(user.password_hash, password):
        raise incorrect_password(param)
