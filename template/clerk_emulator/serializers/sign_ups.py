"""A registration under way."""

from __future__ import annotations

from ..clerk import LocalClerk
from ..resources import SignUp, Verification
from .json import Json
from .verifications import verification_json, visit_json


def sign_up_json(clerk: LocalClerk, sign_up: SignUp, base_url: str) -> Json:
    """A sign-up: what is there, what is missing, what waits for a code."""
    verified = "verified" if sign_up.email_verified else "unverified"
    email = verification_json(verified, "email_code") if sign_up.code_sent else None
    visit = clerk.store.get(Verification, sign_up.external_verification_id)
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
            "external_account": visit_json(clerk, visit, base_url) if visit else None,
        },
        "username": None,
        "email_address": sign_up.email_address,
        "phone_number": None,
        "web3_wallet": None,
        "has_password": "password" not in sign_up.missing_fields,
        "first_name": sign_up.first_name,
        "last_name": sign_up.last_name,
        "unsafe_metadata": sign_up.unsafe_metadata,
        "external_account": sign_up.external_account,
        "created_session_id": sign_up.created_session_id,
        "created_user_id": sign_up.created_user_id,
        "abandon_at": sign_up.created_at + 24 * 3_600_000,
        "legal_accepted_at": None,
        "locale": None,
        "timezone": None,
    }
