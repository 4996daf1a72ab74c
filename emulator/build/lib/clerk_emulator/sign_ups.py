"""Registration, step by step: details, then codes and links, then an account and a session."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .access import check_sign_up_access
from .clerk import LocalClerk
from .errors import ClerkError
from .external_accounts import PREFIX, Identity
from .identifications import check_enabled
from .phone_numbers import check_phone_number_free, normalize_phone_number
from .provisioning import check_external_id_free
from .resources import Client, Session, SignUp, User, Verification, new_id
from .sessions import Visitor, start_session, touch_session
from .sign_up_fields import missing_fields, unverified_fields
from .tickets import accept_invitations, attach_ticket, check_invited
from .usernames import check_username_free, normalize_username
from .users import (
    NewUser,
    check_email_free,
    check_name,
    create_user,
    hash_password,
    normalize_email,
)
from .waitlist import leave_waitlist

CLOSED = {
    "restricted": ("sign_up_mode_restricted", "Sign ups are closed. You need an invitation."),
    "waitlist": ("sign_up_restricted_waitlist", "Sign ups are closed. Join the waitlist first."),
}
LOCALE_MAX_LENGTH = 35


@dataclass(frozen=True)
class SignUpDetails:
    """What a form sent: None means that the field was not in it."""

    email_address: str | None = None
    password: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    unsafe_metadata: dict[str, Any] | None = field(default=None)
    phone_number: str | None = None
    username: str | None = None
    legal_accepted: bool | None = None
    locale: str | None = None
    ticket: str | None = None


def begin_sign_up(clerk: LocalClerk, client: Client, details: SignUpDetails) -> SignUp:
    """Start over with a new sign-up.

    :raises ClerkError: for what makes no sense or is taken, or if the instance lets in only who
        has a ticket.
    """
    now = clerk.now
    sign_up = SignUp(new_id("sua"), now, now, client_id=client.id)
    client.sign_up_id = sign_up.id
    clerk.store.put(client)
    update_sign_up(clerk, sign_up, details)
    _check_open(clerk, sign_up)
    return sign_up


def update_sign_up(clerk: LocalClerk, sign_up: SignUp, details: SignUpDetails) -> None:
    """Fill in fields. Another address or number has to be verified again.

    :raises ClerkError: for what is taken, malformed, or nothing that this instance asks for.
    """
    if sign_up.created_user_id is not None:
        message = "This sign up is complete, and cannot be updated."
        raise ClerkError("sign_up_cannot_be_updated", message, 400)
    if details.ticket is not None:
        attach_ticket(clerk, sign_up, details.ticket)
    _fill_in_identifiers(clerk, sign_up, details)
    _fill_in_profile(clerk, sign_up, details)
    if sign_up.email_address or sign_up.phone_number:
        check_sign_up_access(clerk, sign_up.email_address, sign_up.phone_number)
    sign_up.updated_at = clerk.now
    clerk.store.put(sign_up)


def _fill_in_identifiers(clerk: LocalClerk, sign_up: SignUp, details: SignUpDetails) -> None:
    attributes = clerk.settings.attributes
    if details.email_address is not None:
        check_enabled(attributes.email_address, "email_address")
        _set_email(clerk, sign_up, normalize_email(details.email_address))
    if details.phone_number is not None:
        check_enabled(attributes.phone_number, "phone_number")
        number = normalize_phone_number(details.phone_number)
        check_phone_number_free(clerk, number)
        if number != sign_up.phone_number:
            sign_up.phone_number, sign_up.phone_verified = number, False
            sign_up.phone_verification_id = None
    if details.username is not None:
        check_enabled(attributes.username, "username")
        sign_up.username = normalize_username(clerk, details.username)
        check_username_free(clerk, sign_up.username)


def _set_email(clerk: LocalClerk, sign_up: SignUp, address: str) -> None:
    if address == sign_up.email_address:
        return
    if sign_up.invitation_id or sign_up.organization_invitation_id:
        message = "This invitation is for another email address."
        raise ClerkError("form_param_value_invalid", message, param="email_address")
    check_email_free(clerk, address)
    sign_up.email_address, sign_up.email_verified = address, False
    sign_up.email_verification_id = None


def _fill_in_profile(clerk: LocalClerk, sign_up: SignUp, details: SignUpDetails) -> None:
    attributes = clerk.settings.attributes
    if details.password is not None:
        check_enabled(attributes.password, "password")
        rules = clerk.settings.password
        sign_up.password_hash = hash_password(details.password, rules)
    if details.first_name is not None:
        check_enabled(attributes.first_name, "first_name")
        sign_up.first_name = check_name(details.first_name, "first_name")
    if details.last_name is not None:
        check_enabled(attributes.last_name, "last_name")
        sign_up.last_name = check_name(details.last_name, "last_name")
    if details.unsafe_metadata is not None:
        sign_up.unsafe_metadata = details.unsafe_metadata
    if details.legal_accepted is not None:
        sign_up.legal_accepted_at = clerk.now if details.legal_accepted else None
    if details.locale is not None:
        sign_up.locale = details.locale[:LOCALE_MAX_LENGTH] or None


def _check_open(clerk: LocalClerk, sign_up: SignUp) -> None:
    """Refuse whoever has no invitation, where one is needed."""
    invited = sign_up.invitation_id or sign_up.organization_invitation_id
    if clerk.settings.sign_up.mode in CLOSED and not invited:
        code, message = CLOSED[clerk.settings.sign_up.mode]
        raise ClerkError(code, message, 403)


def finish_sign_up(
    clerk: LocalClerk, client: Client, sign_up: SignUp, visitor: Visitor
) -> Session | None:
    """Make the account and sign it in, once nothing is missing; None while something is.

    :raises ClerkError: ``form_identifier_exists`` if somebody else was faster.
    """
    waiting = missing_fields(clerk, sign_up) or unverified_fields(clerk, sign_up)
    if sign_up.created_user_id or waiting:
        return None
    _check_open(clerk, sign_up)
    check_invited(clerk, sign_up)
    check_sign_up_access(clerk, sign_up.email_address, sign_up.phone_number)
    check_external_id_free(clerk, sign_up.external_id, "")
    user = create_user(clerk, _new_user(clerk, sign_up))
    organization_id = accept_invitations(clerk, sign_up, user)
    leave_waitlist(clerk, sign_up.email_address)
    session = start_session(clerk, client, user, _strategy(clerk, sign_up), visitor)
    if organization_id is not None:
        touch_session(clerk, client, session, organization_id)
    return _complete(clerk, sign_up, user, session)


def _complete(clerk: LocalClerk, sign_up: SignUp, user: User, session: Session) -> Session:
    sign_up.created_user_id = user.id
    sign_up.created_session_id = session.id
    sign_up.password_hash = None
    clerk.store.put(sign_up)
    return session


def _strategy(clerk: LocalClerk, sign_up: SignUp) -> str:
    """What the browser will be told that it was used for last."""
    if sign_up.external_account:
        return PREFIX + str(sign_up.external_account["provider"])
    if sign_up.email_address is None and sign_up.phone_number is not None:
        return "phone_code"
    if sign_up.email_address is None and sign_up.username is not None:
        return "password"
    by_link = clerk.settings.attributes.email_address.verifications == ("email_link",)
    return "email_link" if by_link else "email_code"


def _new_user(clerk: LocalClerk, sign_up: SignUp) -> NewUser:
    verification = clerk.store.get(Verification, sign_up.email_verification_id)
    invited = sign_up.invitation_id or sign_up.organization_invitation_id
    usual = "ticket" if invited else "email_code"
    return NewUser(
        sign_up.email_address,
        email_verified=sign_up.email_verified,
        email_verified_by=verification.strategy if verification else usual,
        phone_number=sign_up.phone_number,
        phone_verified=sign_up.phone_verified,
        username=sign_up.username,
        password_hash=sign_up.password_hash,
        first_name=sign_up.first_name,
        last_name=sign_up.last_name,
        external_id=sign_up.external_id,
        public_metadata=sign_up.public_metadata,
        unsafe_metadata=sign_up.unsafe_metadata,
        legal_accepted_at=sign_up.legal_accepted_at,
        locale=sign_up.locale,
        identity=Identity(**sign_up.external_account) if sign_up.external_account else None,
        identity_verification_id=sign_up.external_verification_id or "",
    )
