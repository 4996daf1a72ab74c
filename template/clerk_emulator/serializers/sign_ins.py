"""A sign-in under way."""

from __future__ import annotations

from ..clerk import LocalClerk
from ..resources import EmailAddress, ExternalAccount, SignIn, User, Verification
from .json import Json
from .public_users import public_user_json
from .verifications import verification_json, visit_json


def sign_in_json(clerk: LocalClerk, sign_in: SignIn, base_url: str) -> Json:
    """A sign-in: how far it is, and how it could go on."""
    user = clerk.store.get(User, sign_in.user_id)
    strategy = sign_in.verified_by or sign_in.prepared
    status = "verified" if sign_in.verified_by else "unverified"
    first = verification_json(status, strategy) if strategy else None
    visit = clerk.store.get(Verification, sign_in.first_verification_id)
    if visit is not None and visit.strategy.startswith("oauth_"):
        first = visit_json(clerk, visit, base_url)
    return {
        "object": "sign_in",
        "id": sign_in.id,
        "status": sign_in.status,
        "identifier": sign_in.identifier,
        "supported_identifiers": ["email_address"],
        "supported_first_factors": first_factors(clerk, sign_in, user) if user else None,
        "supported_second_factors": [],
        "first_factor_verification": first,
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
    for account in clerk.store.find(ExternalAccount, user_id=user.id, verified=True):
        if clerk.settings.has_social(account.provider):
            factors.append({"strategy": f"oauth_{account.provider}"})
    primary = email is not None and email.id == user.primary_email_address_id
    return [factor | {"primary": primary} for factor in factors]
