"""Users and what identifies them."""

from __future__ import annotations

from ..clerk import LocalClerk
from ..resources import EmailAddress, ExternalAccount, User
from .external_accounts import external_account_json
from .json import Json
from .verifications import verification_json


def email_address_json(email: EmailAddress) -> Json:
    """An e-mail address."""
    return {
        "object": "email_address",
        "id": email.id,
        "email_address": email.email_address,
        "reserved": False,
        "verification": verification_json(
            "verified" if email.verified else "unverified", email.verified_by
        ),
        "linked_to": email.linked_to,
        "matches_sso_connection": False,
        "created_at": email.created_at,
        "updated_at": email.updated_at,
    }


def user_json(clerk: LocalClerk, user: User, base_url: str) -> Json:
    """A user, as the Frontend API shows them to themselves.

    :param base_url: where the reader can load the profile image from.
    """
    emails = clerk.store.find(EmailAddress, user_id=user.id)
    return {
        "object": "user",
        "id": user.id,
        "username": None,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "external_id": user.external_id,
        "image_url": f"{base_url}/avatars/{user.id}",
        "has_image": False,
        "profile_image_id": None,
        "primary_email_address_id": user.primary_email_address_id,
        "email_addresses": [email_address_json(email) for email in emails],
        "primary_phone_number_id": None,
        "phone_numbers": [],
        "primary_web3_wallet_id": None,
        "web3_wallets": [],
        "external_accounts": [
            external_account_json(clerk, account, base_url)
            for account in clerk.store.find(ExternalAccount, user_id=user.id)
        ],
        "enterprise_accounts": [],
        "saml_accounts": [],
        "passkeys": [],
        "organization_memberships": [],
        "password_enabled": user.password_hash is not None,
        "two_factor_enabled": False,
        "totp_enabled": False,
        "backup_code_enabled": False,
        "mfa_enabled_at": None,
        "mfa_disabled_at": None,
        "public_metadata": user.public_metadata,
        "unsafe_metadata": user.unsafe_metadata,
        "delete_self_enabled": True,
        "create_organization_enabled": False,
        "create_organizations_limit": None,
        "legal_accepted_at": None,
        "timezone": None,
        "last_sign_in_at": user.last_sign_in_at,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
    }


def backend_user_json(clerk: LocalClerk, user: User) -> Json:
    """A user, as the Backend API and webhooks show them to the app's server."""
    return user_json(clerk, user, clerk.config.own_url) | {
        "private_metadata": user.private_metadata,
        "banned": False,
        "locked": False,
        "lockout_expires_in_seconds": None,
        "verification_attempts_remaining": 100,
        "last_active_at": user.last_sign_in_at,
    }


def public_user_json(clerk: LocalClerk, user: User, base_url: str) -> Json:
    """What Clerk's components show of a user in a session."""
    primary = clerk.store.get(EmailAddress, user.primary_email_address_id)
    return {
        "user_id": user.id,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "image_url": f"{base_url}/avatars/{user.id}",
        "has_image": False,
        "identifier": primary.email_address if primary else "",
    }
