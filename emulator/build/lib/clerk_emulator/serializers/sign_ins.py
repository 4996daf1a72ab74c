"""A sign-in under way."""

from __future__ import annotations

from ..clerk import LocalClerk
from ..resources import SignIn, User, Verification
from ..second_steps import client_trust_state, second_factors
from ..sign_in_factors import first_factors, is_anonymous, supported_identifiers
from .json import Json
from .public_users import public_user_json
from .verifications import stored_verification_json, verification_json, visit_json


def sign_in_json(clerk: LocalClerk, sign_in: SignIn, base_url: str) -> Json:
    """A sign-in: how far it is, and how it could go on."""
    user = clerk.store.get(User, sign_in.user_id)
    hidden = is_anonymous(clerk, sign_in) and sign_in.verified_by is None
    asked = sign_in.identifier is not None or user is not None
    return {
        "object": "sign_in",
        "id": sign_in.id,
        "status": sign_in.status,
        "identifier": sign_in.identifier,
        "supported_identifiers": supported_identifiers(clerk),
        "supported_first_factors": first_factors(clerk, sign_in, user) if asked else None,
        "supported_second_factors": second_factors(clerk, sign_in, user)
        if user and not hidden
        else [],
        "first_factor_verification": _first(clerk, sign_in, base_url),
        "second_factor_verification": _second(clerk, sign_in),
        "user_data": public_user_json(clerk, user, base_url) if user and not hidden else None,
        "created_session_id": sign_in.created_session_id,
        "abandon_at": sign_in.created_at + 24 * 3_600_000,
        "client_trust_state": client_trust_state(clerk, sign_in),
        "locale": None,
        "timezone": None,
    }


def _first(clerk: LocalClerk, sign_in: SignIn, base_url: str) -> Json | None:
    found = clerk.store.get(Verification, sign_in.first_verification_id)
    if found is not None and found.strategy.startswith("oauth_"):
        return visit_json(clerk, found, base_url)
    if sign_in.verified_by and (found is None or found.strategy != sign_in.verified_by):
        return verification_json("verified", sign_in.verified_by)
    return stored_verification_json(clerk, found) if found else None


def _second(clerk: LocalClerk, sign_in: SignIn) -> Json | None:
    found = clerk.store.get(Verification, sign_in.second_verification_id)
    if sign_in.second_verified_by and (
        found is None or found.strategy != sign_in.second_verified_by
    ):
        return verification_json("verified", sign_in.second_verified_by)
    return stored_verification_json(clerk, found) if found else None
