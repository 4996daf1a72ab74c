"""How each resource looks on the wire: one function each. All times are unix milliseconds."""

from __future__ import annotations

from typing import Any

from .clerk import LocalClerk
from .resources import Client, EmailAddress, Session, SignIn, SignUp, User
from .tokens import NO_SECOND_FACTOR, first_factor_age_minutes

Json = dict[str, Any]


def verification_json(status: str, strategy: str) -> Json:
    """A verification in any of Clerk's states: ``unverified``, ``verified``…"""
    return {
        "object": "verification",
        "status": status,
        "strategy": strategy,
        "attempts": None,
        "expire_at": None,
        "verified_at_client": None,
        "error": None,
    }


def email_address_json(email: EmailAddress) -> Json:
    """An e-mail address."""
    return {
        "object": "email_address",
        "id": email.id,
        "email_address": email.email_address,
        "reserved": False,
        "verification": verification_json(
            "verified" if email.verified else "unverified", "email_code"
        ),
        "linked_to": [],
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
        "external_accounts": [],
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


def backend_session_json(session: Session) -> Json:
    """A session, as the Backend API and webhooks show it."""
    return {
        "object": "session",
        "id": session.id,
        "client_id": session.client_id,
        "user_id": session.user_id,
        "status": session.status,
        "last_active_at": session.last_active_at,
        "last_active_organization_id": None,
        "actor": None,
        "expire_at": session.expire_at,
        "abandon_at": session.abandon_at,
        "created_at": session.created_at,
        "updated_at": session.updated_at,
    }


def session_json(
    clerk: LocalClerk, session: Session, user: User, base_url: str, authorized_party: str
) -> Json:
    """A session of this browser, with its user and a fresh token."""
    now = clerk.now
    token = clerk.signer.session_token(session, authorized_party, now)
    return backend_session_json(session) | {
        "factor_verification_age": [first_factor_age_minutes(session, now), NO_SECOND_FACTOR],
        "last_active_token": token_json(token),
        "tasks": None,
        "user": user_json(clerk, user, base_url),
        "public_user_data": public_user_json(clerk, user, base_url),
    }


def device_session_json(session: Session) -> Json:
    """A session as a line of the profile's list of devices."""
    mobile = "Mobi" in session.user_agent
    return backend_session_json(session) | {
        "user": None,
        "latest_activity": {
            "object": "session_activity",
            "id": f"sess_activity_{session.id.removeprefix('sess_')}",
            "browser_name": browser_name(session.user_agent),
            "device_type": "Mobile" if mobile else "Desktop",
            "ip_address": session.ip_address,
            "city": "local",
            "country": None,
            "is_mobile": mobile,
        },
    }


def browser_name(user_agent: str) -> str:
    """The browser's name, as well as a User-Agent header tells. Order matters: most say Safari."""
    names = {"Edg/": "Edge", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
    return next((name for mark, name in names.items() if mark in user_agent), "Browser")


def token_json(token: str) -> Json:
    """A session token."""
    return {"object": "token", "jwt": token}


def client_json(
    clerk: LocalClerk, client: Client, sessions: list[Session], base_url: str, party: str
) -> Json:
    """A browser: its active sessions, and the sign-in or sign-up under way."""
    sign_in = clerk.store.get(SignIn, client.sign_in_id)
    sign_up = clerk.store.get(SignUp, client.sign_up_id)
    with_users = [(session, clerk.store.get(User, session.user_id)) for session in sessions]
    return {
        "object": "client",
        "id": client.id,
        "sessions": [
            session_json(clerk, session, user, base_url, party)
            for session, user in with_users
            if user is not None
        ],
        "sign_in": sign_in_json(clerk, sign_in, base_url) if sign_in else None,
        "sign_up": sign_up_json(sign_up) if sign_up else None,
        "last_active_session_id": client.last_active_session_id,
        "last_authentication_strategy": client.last_strategy,
        "captcha_bypass": True,
        "cookie_expires_at": None,
        "created_at": client.created_at,
        "updated_at": client.updated_at,
    }


def sign_up_json(sign_up: SignUp) -> Json:
    """A sign-up: what is there, what is missing, what waits for a code."""
    verified = "verified" if sign_up.email_verified else "unverified"
    email = verification_json(verified, "email_code") if sign_up.code_sent else None
    return {
        "object": "sign_up",
        "id": sign_up.id,
        "status": "complete" if sign_up.created_user_id else "missing_requirements",
        "required_fields": ["email_address", "password"],
        "optional_fields": ["first_name", "last_name"],
        "missing_fields": sign_up.missing_fields,
        "unverified_fields": sign_up.unverified_fields,
        "verifications": {
            "email_address": (email or verification_json("unverified", ""))
            | {
                "next_action": "" if sign_up.email_verified else "needs_prepare",
                "supported_strategies": ["email_code"],
            },
            "phone_number": None,
            "web3_wallet": None,
            "external_account": None,
        },
        "username": None,
        "email_address": sign_up.email_address,
        "phone_number": None,
        "web3_wallet": None,
        "has_password": "password" not in sign_up.missing_fields,
        "first_name": sign_up.first_name,
        "last_name": sign_up.last_name,
        "unsafe_metadata": sign_up.unsafe_metadata,
        "external_account": None,
        "created_session_id": sign_up.created_session_id,
        "created_user_id": sign_up.created_user_id,
        "abandon_at": sign_up.created_at + 24 * 3_600_000,
        "legal_accepted_at": None,
        "locale": None,
        "timezone": None,
    }


def sign_in_json(clerk: LocalClerk, sign_in: SignIn, base_url: str) -> Json:
    """A sign-in: how far it is, and how it could go on."""
    user = clerk.store.get(User, sign_in.user_id)
    strategy = sign_in.verified_by or sign_in.prepared
    status = "verified" if sign_in.verified_by else "unverified"
    return {
        "object": "sign_in",
        "id": sign_in.id,
        "status": sign_in.status,
        "identifier": sign_in.identifier,
        "supported_identifiers": ["email_address"],
        "supported_first_factors": first_factors(clerk, sign_in, user) if user else None,
        "supported_second_factors": [],
        "first_factor_verification": verification_json(status, strategy) if strategy else None,
        "second_factor_verification": None,
        "user_data": public_user_json(clerk, user, base_url) if user else None,
        "created_session_id": sign_in.created_session_id,
        "abandon_at": sign_in.created_at + 24 * 3_600_000,
        "client_trust_state": "known",
        "locale": None,
        "timezone": None,
    }


def first_factors(clerk: LocalClerk, sign_in: SignIn, user: User) -> list[Json]:
    """The ways in which this account can prove that it is its owner."""
    email = clerk.store.first(EmailAddress, email_address=sign_in.identifier, user_id=user.id)
    factors: list[Json] = []
    if user.password_hash is not None:
        factors.append({"strategy": "password"})
    if email is not None and email.verified:
        by_code = {"email_address_id": email.id, "safe_identifier": email.email_address}
        factors.append({"strategy": "email_code"} | by_code)
        if user.password_hash is not None:
            factors.append({"strategy": "reset_password_email_code"} | by_code)
    primary = email is not None and email.id == user.primary_email_address_id
    return [factor | {"primary": primary} for factor in factors]
