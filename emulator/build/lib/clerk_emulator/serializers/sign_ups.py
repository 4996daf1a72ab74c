"""A registration under way."""

from __future__ import annotations

from ..clerk import LocalClerk
from ..resources import SignUp, Verification
from ..settings.model import Attribute
from ..sign_up_fields import missing_fields, optional_fields, required_fields, unverified_fields
from .json import Json
from .verifications import stored_verification_json, verification_json, visit_json

STEP_MS = 24 * 3_600_000


def sign_up_json(clerk: LocalClerk, sign_up: SignUp, base_url: str) -> Json:
    """A sign-up: what is there, what is missing, what waits for a code."""
    return {
        "object": "sign_up",
        "id": sign_up.id,
        "status": "complete" if sign_up.created_user_id else "missing_requirements",
        "required_fields": required_fields(clerk.settings),
        "optional_fields": optional_fields(clerk.settings),
        "missing_fields": missing_fields(clerk, sign_up),
        "unverified_fields": unverified_fields(clerk, sign_up),
        "verifications": _verifications(clerk, sign_up, base_url),
        "username": sign_up.username,
        "email_address": sign_up.email_address,
        "phone_number": sign_up.phone_number,
        "web3_wallet": None,
        "has_password": sign_up.password_hash is not None,
        "first_name": sign_up.first_name,
        "last_name": sign_up.last_name,
        "unsafe_metadata": sign_up.unsafe_metadata,
        "public_metadata": sign_up.public_metadata,
        "external_account": sign_up.external_account,
        "created_session_id": sign_up.created_session_id,
        "created_user_id": sign_up.created_user_id,
        "abandon_at": sign_up.created_at + STEP_MS,
        "legal_accepted_at": sign_up.legal_accepted_at,
        "locale": sign_up.locale,
        "timezone": None,
    }


def _verifications(clerk: LocalClerk, sign_up: SignUp, base_url: str) -> Json:
    attributes = clerk.settings.attributes
    visit = clerk.store.get(Verification, sign_up.external_verification_id)
    email, phone = sign_up.email_verification_id, sign_up.phone_verification_id
    by_email, by_phone = attributes.email_address, attributes.phone_number
    return {
        "email_address": _step(clerk, by_email, "email_code", email, sign_up.email_verified),
        "phone_number": _step(clerk, by_phone, "phone_code", phone, sign_up.phone_verified)
        if by_phone.enabled
        else None,
        "web3_wallet": None,
        "external_account": visit_json(clerk, visit, base_url) if visit else None,
    }


def _step(
    clerk: LocalClerk, attribute: Attribute, default: str, id: str | None, verified: bool
) -> Json:
    """How far the verification of an address or number is, and what comes next.

    :param default: the strategy where the settings name none.
    """
    sent = clerk.store.get(Verification, id)
    next_action = "needs_attempt" if sent else "needs_prepare"
    shown = stored_verification_json(clerk, sent) if sent else verification_json("unverified", "")
    if verified and sent is None:
        shown = verification_json("verified", "ticket")
    return shown | {
        "next_action": "" if verified else next_action,
        "supported_strategies": list(attribute.verifications or (default,)),
    }
