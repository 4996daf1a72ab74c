"""Accounts: making, changing and deleting them, by Clerk's rules."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from werkzeug.security import check_password_hash, generate_password_hash

from .clerk import LocalClerk
from .errors import ClerkError, incorrect_password, missing
from .events import record_event
from .external_accounts import Identity, connect
from .pictures import forget_picture
from .resources import ApiKey, EmailAddress, ExternalAccount, PhoneNumber, User, new_id
from .serializers import backend_user_json

CODE = "424242"
PASSWORD_MIN_LENGTH = 8
PASSWORD_MAX_BYTES = 72
HASH_METHOD = "scrypt:1024:8:1"
"""Cheap on purpose: 2 ms instead of 60. These passwords are of test users, on one computer."""
NAME_MAX_LENGTH = 256
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")


@dataclass(frozen=True)
class NewUser:
    """What an account is made of. The e-mail address must have been normalized."""

    email_address: str
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


def create_user(clerk: LocalClerk, new: NewUser) -> User:
    """Make an account with one verified e-mail address.

    :raises ClerkError: ``form_identifier_exists`` if the address is taken.
    """
    email = add_email_address(clerk, new_id("user"), new.email_address, verified=True)
    user = User(
        email.user_id,
        email.created_at,
        email.created_at,
        first_name=new.first_name,
        last_name=new.last_name,
        external_id=new.external_id,
        password_hash=new.password_hash,
        primary_email_address_id=email.id,
        public_metadata=new.public_metadata,
        private_metadata=new.private_metadata,
        unsafe_metadata=new.unsafe_metadata,
    )
    clerk.store.put(user)
    if new.identity is not None:
        connect(clerk, user, new.identity, new.identity_verification_id)
    record_event(clerk, "user.created", backend_user_json(clerk, user))
    return user


def save_user(clerk: LocalClerk, user: User) -> None:
    """Store a changed account, and tell the app."""
    user.updated_at = clerk.now
    clerk.store.put(user)
    record_event(clerk, "user.updated", backend_user_json(clerk, user))


def delete_user(clerk: LocalClerk, user: User) -> dict[str, Any]:
    """Delete an account whose sessions have ended already.

    :returns: the deleted object, as the APIs answer it.
    """
    for kind in (EmailAddress, PhoneNumber, ExternalAccount):
        for found in clerk.store.find(kind, user_id=user.id):
            clerk.store.delete(found)
    for key in clerk.store.find(ApiKey, subject=user.id):
        clerk.store.delete(key)
    forget_picture(clerk, user.picture_id)
    clerk.store.delete(user)
    gone = {"object": "user", "id": user.id, "deleted": True}
    record_event(clerk, "user.deleted", gone)
    return gone


def add_email_address(
    clerk: LocalClerk, user_id: str, address: str, *, verified: bool
) -> EmailAddress:
    """Give an account another e-mail address.

    :raises ClerkError: ``form_identifier_exists`` if anybody has it already.
    """
    check_email_free(clerk, address)
    now = clerk.now
    email = EmailAddress(new_id("idn"), now, now, user_id, address, verified)
    clerk.store.put(email)
    return email


def user_with_email(clerk: LocalClerk, address: str) -> User:
    """The account with this normalized address.

    :raises ClerkError: ``form_identifier_not_found`` if there is none.
    """
    email = clerk.store.first(EmailAddress, email_address=address, verified=True)
    user = clerk.store.get(User, email.user_id) if email else None
    if user is None:
        raise ClerkError(
            "form_identifier_not_found", "Couldn't find your account.", param="identifier"
        )
    return user


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


def check_email_free(clerk: LocalClerk, address: str) -> None:
    """Refuse an address that somebody has.

    :raises ClerkError: ``form_identifier_exists``.
    """
    if clerk.store.first(EmailAddress, email_address=address):
        raise ClerkError(
            "form_identifier_exists",
            "That email address is taken. Please try another.",
            param="email_address",
        )


def check_name(name: str, param: str) -> str | None:
    """A first or last name without blanks around it; None for an empty one.

    :raises ClerkError: ``form_param_max_length_exceeded``.
    """
    name = name.strip()
    if len(name) > NAME_MAX_LENGTH:
        message = f"{param} should not exceed {NAME_MAX_LENGTH} characters."
        raise ClerkError("form_param_max_length_exceeded", message, param=param)
    return name or None


def hash_password(password: str, param: str = "password") -> str:
    """Hash a new password that meets the instance's rules.

    :raises ClerkError: ``form_param_nil``, ``form_password_length_too_short`` or
        ``form_password_size_in_bytes_exceeded``.
    """
    if not password:
        raise missing(param)
    if len(password) < PASSWORD_MIN_LENGTH:
        message = f"Passwords must be {PASSWORD_MIN_LENGTH} characters or more."
        raise ClerkError("form_password_length_too_short", message, param=param)
    if len(password.encode()) > PASSWORD_MAX_BYTES:
        message = f"Passwords must not exceed {PASSWORD_MAX_BYTES} bytes."
        raise ClerkError("form_password_size_in_bytes_exceeded", message, param=param)
    return generate_password_hash(password, HASH_METHOD)


def check_password(user: User, password: str, param: str = "password") -> None:
    """Compare with the account's password.

    :raises ClerkError: ``form_password_incorrect``.
    """
    if user.password_hash is None or not check_password_hash(user.password_hash, password):
        raise incorrect_password(param)
