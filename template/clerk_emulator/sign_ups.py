"""Registration, step by step: details, then the code, then an account and a session."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .clerk import LocalClerk
from .errors import incorrect_code, unsupported_strategy
from .external_accounts import PREFIX, Identity
from .resources import Client, Session, SignUp, new_id
from .sessions import Visitor, start_session
from .users import (
    CODE,
    NewUser,
    check_email_free,
    check_name,
    create_user,
    hash_password,
    normalize_email,
)


@dataclass(frozen=True)
class SignUpDetails:
    """What a form sent: None means that the field was not in it."""

    email_address: str | None = None
    password: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    unsafe_metadata: dict[str, Any] | None = field(default=None)


def begin_sign_up(clerk: LocalClerk, client: Client, details: SignUpDetails) -> SignUp:
    """Start over with a new sign-up.

    :raises ClerkError: for a taken or malformed address, or a weak password.
    """
    now = clerk.now
    sign_up = SignUp(new_id("sua"), now, now, client_id=client.id)
    client.sign_up_id = sign_up.id
    clerk.store.put(client)
    update_sign_up(clerk, sign_up, details)
    return sign_up


def update_sign_up(clerk: LocalClerk, sign_up: SignUp, details: SignUpDetails) -> None:
    """Fill in fields. Another e-mail address has to be verified again.

    :raises ClerkError: for a taken or malformed address, or a weak password.
    """
    if details.email_address is not None:
        address = normalize_email(details.email_address)
        check_email_free(clerk, address)
        if address != sign_up.email_address:
            sign_up.email_address = address
            sign_up.email_verified = sign_up.code_sent = False
    if details.password is not None:
        sign_up.password_hash = hash_password(details.password)
    if details.first_name is not None:
        sign_up.first_name = check_name(details.first_name, "first_name")
    if details.last_name is not None:
        sign_up.last_name = check_name(details.last_name, "last_name")
    if details.unsafe_metadata is not None:
        sign_up.unsafe_metadata = details.unsafe_metadata
    sign_up.updated_at = clerk.now
    clerk.store.put(sign_up)


def send_code(clerk: LocalClerk, sign_up: SignUp, strategy: str) -> None:
    """Pretend to send the code, which is always 424242.

    :raises ClerkError: for another strategy than ``email_code``, or without an address.
    """
    if strategy != "email_code" or sign_up.email_address is None:
        raise unsupported_strategy()
    sign_up.code_sent = True
    sign_up.updated_at = clerk.now
    clerk.store.put(sign_up)


def check_code(clerk: LocalClerk, sign_up: SignUp, code: str) -> None:
    """Verify the e-mail address.

    :raises ClerkError: ``form_code_incorrect``.
    """
    if not sign_up.code_sent or code != CODE:
        raise incorrect_code()
    sign_up.email_verified = True
    sign_up.updated_at = clerk.now
    clerk.store.put(sign_up)


def finish_sign_up(
    clerk: LocalClerk, client: Client, sign_up: SignUp, visitor: Visitor
) -> Session | None:
    """Make the account and sign it in, once nothing is missing; None while something is.

    :raises ClerkError: ``form_identifier_exists`` if somebody else was faster.
    """
    waiting = sign_up.missing_fields or sign_up.unverified_fields
    if sign_up.created_user_id or waiting or sign_up.email_address is None:
        return None
    user = create_user(clerk, _new_user(sign_up, sign_up.email_address))
    provider = (sign_up.external_account or {}).get("provider")
    strategy = f"{PREFIX}{provider}" if provider else "email_code"
    session = start_session(clerk, client, user, strategy, visitor)
    sign_up.created_user_id = user.id
    sign_up.created_session_id = session.id
    sign_up.password_hash = None
    clerk.store.put(sign_up)
    return session


def _new_user(sign_up: SignUp, email_address: str) -> NewUser:
    return NewUser(
        email_address,
        password_hash=sign_up.password_hash,
        first_name=sign_up.first_name,
        last_name=sign_up.last_name,
        unsafe_metadata=sign_up.unsafe_metadata,
        identity=Identity(**sign_up.external_account) if sign_up.external_account else None,
        identity_verification_id=sign_up.external_verification_id or "",
    )
