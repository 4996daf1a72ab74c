"""Users and what identifies them."""

from __future__ import annotations

from ..clerk import LocalClerk
from ..organizations import user_memberships
from ..resources import EmailAddress, ExternalAccount, PhoneNumber, User
from ..sign_in_factors import user_passkeys
from .external_accounts import external_account_json
from .json import Json
from .memberships import memberships_json
from .passkeys import passkey_json
from .public_users import image_url
from .verifications import identification_verification_json


def email_address_json(clerk: LocalClerk, email: EmailAddress) -> Json:
    """An e-mail address."""
    return {
        "object": "email_address",
        "id": email.id,
        "email_address": email.email_address,
        "reserved": email.reserved,
        "verification": identification_verification_json(clerk, email),
        "linked_to": email.linked_to,
        "matches_sso_connection": False,
        "created_at": email.created_at,
        "updated_at": email.updated_at,
    }


def phone_number_json(
    clerk: LocalClerk, phone: PhoneNumber, backup_codes: list[str] | None = None
) -> Json:
    """A phone number.

    :param backup_codes: shown only when this number just made the account's first second factor.
    """
    return {
        "object": "phone_number",
        "id": phone.id,
        "phone_number": phone.phone_number,
        "reserved": phone.reserved,
        "reserved_for_second_factor": phone.reserved_for_second_factor,
        "default_second_factor": phone.default_second_factor,
        "verification": identification_verification_json(clerk, phone),
        "linked_to": [],
        "backup_codes": backup_codes,
        "created_at": phone.created_at,
        "updated_at": phone.updated_at,
    }


def user_json(clerk: LocalClerk, user: User, base_url: str) -> Json:
    """A user, as the Frontend API shows them to themselves.

    :param base_url: where the reader can load the profile image from.
    """
    memberships = memberships_json(clerk, user_memberships(clerk, user.id), base_url)
    return _account(clerk, user, base_url) | {"organization_memberships": memberships}


def _account(clerk: LocalClerk, user: User, base_url: str) -> Json:
    return (
        {
            "object": "user",
            "id": user.id,
            "username": user.username,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "external_id": user.external_id,
            "image_url": image_url(user, base_url),
            "has_image": user.picture_id is not None,
            "profile_image_id": user.picture_id,
        }
        | _identifications(clerk, user, base_url)
        | _second_factors(clerk, user)
        | _allowed_actions(clerk, user)
        | {
            "password_enabled": user.password_hash is not None,
            "public_metadata": user.public_metadata,
            "unsafe_metadata": user.unsafe_metadata,
            "legal_accepted_at": user.legal_accepted_at,
            "locale": user.locale,
            "timezone": None,
            "last_sign_in_at": user.last_sign_in_at,
            "created_at": user.created_at,
            "updated_at": user.updated_at,
        }
    )


def _identifications(clerk: LocalClerk, user: User, base_url: str) -> Json:
    emails = clerk.store.find(EmailAddress, user_id=user.id)
    phones = clerk.store.find(PhoneNumber, user_id=user.id)
    return {
        "primary_email_address_id": user.primary_email_address_id,
        "email_addresses": [email_address_json(clerk, email) for email in emails],
        "primary_phone_number_id": user.primary_phone_number_id,
        "phone_numbers": [phone_number_json(clerk, phone) for phone in phones],
        "primary_web3_wallet_id": None,
        "web3_wallets": [],
        "external_accounts": [
            external_account_json(clerk, account, base_url)
            for account in clerk.store.find(ExternalAccount, user_id=user.id)
        ],
        "enterprise_accounts": [],
        "saml_accounts": [],
        "passkeys": [passkey_json(clerk, passkey) for passkey in user_passkeys(clerk, user.id)],
        "organization_memberships": [],
    }


def _second_factors(clerk: LocalClerk, user: User) -> Json:
    by_phone = clerk.store.first(
        PhoneNumber, user_id=user.id, reserved_for_second_factor=True, verified=True
    )
    return {
        "two_factor_enabled": user.totp_verified or by_phone is not None,
        "totp_enabled": user.totp_verified,
        "backup_code_enabled": bool(user.backup_codes),
        "mfa_enabled_at": user.mfa_enabled_at,
        "mfa_disabled_at": user.mfa_disabled_at,
    }


def _allowed_actions(clerk: LocalClerk, user: User) -> Json:
    actions = clerk.settings.actions
    organizations = clerk.settings.organizations.enabled and actions.create_organization
    return {
        "delete_self_enabled": actions.delete_self and user.delete_self_enabled,
        "create_organization_enabled": organizations and user.create_organization_enabled,
        "create_organizations_limit": user.create_organizations_limit,
    }


def backend_user_json(clerk: LocalClerk, user: User) -> Json:
    """A user, as the Backend API and webhooks show them to the app's server."""
    shown = _account(clerk, user, clerk.config.own_url)
    return (
        shown
        | {
            "passkeys": [_passkey_of_sdks(passkey) for passkey in shown["passkeys"]],
            "private_metadata": user.private_metadata,
            "banned": user.banned,
            "last_active_at": user.last_active_at or user.last_sign_in_at,
        }
        | _lockout(clerk, user)
    )


def _passkey_of_sdks(shown: Json) -> Json:
    """Clerk's SDKs want a time of last use, even where there was none."""
    return shown | {"last_used_at": shown["last_used_at"] or shown["created_at"]}


def _lockout(clerk: LocalClerk, user: User) -> Json:
    rules, now = clerk.settings.attack_protection.user_lockout, clerk.now
    locked = user.is_locked(now)
    over = user.locked and not locked
    failed = 0 if over else user.failed_attempts
    expires_at = user.lockout_expires_at if locked else None
    return {
        "locked": locked,
        "lockout_expires_in_seconds": None if expires_at is None else (expires_at - now) // 1000,
        "verification_attempts_remaining": max(0, rules.max_attempts - failed)
        if rules.enabled
        else None,
    }
