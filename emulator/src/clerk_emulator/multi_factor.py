"""Second factors of an account, while its owner sets them up and gives them up."""

from __future__ import annotations

from .clerk import LocalClerk
from .errors import ClerkError
from .resources import EmailAddress, PhoneNumber, Session, User
from .second_factors import (
    check_totp,
    has_second_factor,
    new_backup_codes,
    new_totp_secret,
    totp_uri,
)
from .users import save_user


def check_second_factor_allowed(clerk: LocalClerk, attribute: str) -> None:
    """Refuse a second factor that the instance does not have.

    :param attribute: ``phone_number``, ``authenticator_app`` or ``backup_code``.
    :raises ClerkError: ``feature_not_enabled``.
    """
    if not getattr(clerk.settings.attributes, attribute).used_for_second_factor:
        message = f"{attribute} is not a second factor in this instance."
        raise ClerkError("feature_not_enabled", message, 403)


def reserve_for_second_factor(
    clerk: LocalClerk, session: Session, user: User, phone: PhoneNumber, *, reserved: bool
) -> list[str] | None:
    """Make a number a second factor, or no longer.

    :returns: fresh backup codes, if this is the account's first second factor.
    :raises ClerkError: if the number is not verified, or the instance has no such factor.
    """
    before = has_second_factor(clerk, user)
    if reserved:
        check_second_factor_allowed(clerk, "phone_number")
        if not phone.verified:
            message = "Verify the phone number first."
            raise ClerkError("verification_missing", message, 400)
    phone.reserved_for_second_factor = reserved
    phone.default_second_factor = reserved and not before
    phone.updated_at = clerk.now
    clerk.store.put(phone)
    codes = None
    if reserved and not before:
        codes = begin_multi_factor(clerk, session, user)
    settle_multi_factor(clerk, user)
    save_user(clerk, user)
    return codes


def make_default_second_factor(clerk: LocalClerk, user: User, phone: PhoneNumber) -> None:
    """Let a number be the one that is asked for first.

    :raises ClerkError: if it is no second factor.
    """
    if not phone.reserved_for_second_factor:
        message = "Only a phone number that is a second factor can be the default one."
        raise ClerkError("form_param_value_invalid", message, param="default_second_factor")
    for other in clerk.store.find(PhoneNumber, user_id=user.id, default_second_factor=True):
        other.default_second_factor = False
        clerk.store.put(other)
    phone.default_second_factor = True
    clerk.store.put(phone)
    save_user(clerk, user)


def begin_multi_factor(clerk: LocalClerk, session: Session, user: User) -> list[str] | None:
    """An account has its first second factor, which was given just now.

    :returns: backup codes, where the instance has them.
    """
    user.mfa_enabled_at, user.mfa_disabled_at = clerk.now, None
    session.second_factor_verified_at = clerk.now
    clerk.store.put(session)
    if not clerk.settings.attributes.backup_code.used_for_second_factor:
        return None
    user.backup_codes = new_backup_codes()
    return user.backup_codes


def settle_multi_factor(clerk: LocalClerk, user: User) -> None:
    """Forget backup codes and the like once an account's last second factor is gone."""
    if user.mfa_enabled_at is None or has_second_factor(clerk, user):
        return
    user.mfa_enabled_at, user.mfa_disabled_at = None, clerk.now
    user.backup_codes = []


def begin_totp(clerk: LocalClerk, user: User) -> str:
    """Make a secret for an authenticator app, in place of one that was never confirmed.

    :returns: the URI for the QR code.
    :raises ClerkError: ``totp_already_enabled``.
    """
    if user.totp_verified:
        message = "An authenticator app is already set up. Remove it first."
        raise ClerkError("totp_already_enabled", message, 400)
    user.totp_secret = new_totp_secret()
    user.totp_last_step = 0
    clerk.store.put(user)
    email = clerk.store.get(EmailAddress, user.primary_email_address_id)
    account = email.email_address if email else user.username or user.id
    name = clerk.settings.application.name or clerk.config.name
    return totp_uri(user.totp_secret, name, account)


def confirm_totp(clerk: LocalClerk, session: Session, user: User, code: str) -> list[str] | None:
    """Let an authenticator app count, once it has shown a right code.

    :returns: fresh backup codes, if this is the account's first second factor.
    :raises ClerkError: ``form_code_incorrect``.
    """
    first = not has_second_factor(clerk, user)
    check_totp(clerk, user, code)
    if user.totp_verified:
        return None
    user.totp_verified = True
    codes = begin_multi_factor(clerk, session, user) if first else None
    save_user(clerk, user)
    return codes


def disable_totp(clerk: LocalClerk, user: User) -> None:
    """Do without an authenticator app."""
    user.totp_secret, user.totp_verified = None, False
    settle_multi_factor(clerk, user)
    save_user(clerk, user)


def renew_backup_codes(clerk: LocalClerk, user: User) -> list[str]:
    """Generate backup codes; those there were are of no use any more.

    :raises ClerkError: ``backup_codes_not_available`` while there is no other second factor.
    """
    if not has_second_factor(clerk, user):
        message = "Set up another second factor first."
        raise ClerkError("backup_codes_not_available", message, 400)
    user.backup_codes = new_backup_codes()
    save_user(clerk, user)
    return user.backup_codes
