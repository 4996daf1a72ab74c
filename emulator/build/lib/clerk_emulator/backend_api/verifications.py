"""Codes that the app's server sends and checks itself; and addresses that it replaces."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from ..clerk import current_clerk
from ..errors import ClerkError, invalid, not_found
from ..identifications import address_of, mark_verified
from ..multi_factor import settle_multi_factor
from ..phone_numbers import add_phone_number, normalize_phone_number
from ..provisioning import BY_ADMIN
from ..resources import EmailAddress, PhoneNumber, Verification
from ..serializers import Json, email_address_json, phone_number_json
from ..serializers.verifications import stored_verification_json
from ..users import add_email_address, normalize_email, save_user
from ..verifications import MAX_ATTEMPTS, check_code, send_code
from .parameters import json_body, optional_text, required_text
from .users import known_user

blueprint = Blueprint("backend_verifications", __name__)

KIND = "/<any(email_addresses, phone_numbers):kind>"
KINDS: dict[str, tuple[type[EmailAddress] | type[PhoneNumber], str]] = {
    "email_addresses": (EmailAddress, "email_code"),
    "phone_numbers": (PhoneNumber, "phone_code"),
}
STATUSES = ("verified", "reserved", "unverified")
OUTCOMES = {"verification_expired": "expired", "verification_failed": "failed"}


@blueprint.post(f"{KIND}/<id>/prepare_verification")
def prepare(kind: str, id: str) -> Json:
    """Send a code."""
    found = _found(kind, id)
    sent = send_code(current_clerk(), KINDS[kind][1], found.id, address_of(found))
    return _verification_json(sent)


@blueprint.post(f"{KIND}/<id>/attempt_verification")
def attempt(kind: str, id: str) -> Json:
    """Hand in a code. A wrong one is told by the status, which is no error.

    :raises ClerkError: 400 ``verification_already_verified``, 404 for another's verification.
    """
    clerk, body = current_clerk(), json_body()
    found = _found(kind, id)
    verification_id, code = required_text(body, "verification_id"), required_text(body, "code")
    verification = clerk.store.get(Verification, verification_id)
    if verification is None or verification.target != found.id:
        raise not_found("Verification")
    outcome = "verified"
    try:
        check_code(clerk, verification.id, code)
    except ClerkError as error:
        if error.code == "verification_already_verified":
            raise
        outcome = OUTCOMES.get(error.code, "unverified")
    verification = clerk.store.get(Verification, verification_id) or verification
    if outcome == "verified" and not found.verified:
        mark_verified(clerk, known_user(found.user_id), found, verification)
    if outcome == "unverified" and verification.attempts >= MAX_ATTEMPTS:
        outcome = "failed"
    return _verification_json(verification) | {"status": outcome}


def _found(kind: str, id: str) -> EmailAddress | PhoneNumber:
    found: EmailAddress | PhoneNumber | None = current_clerk().store.get(KINDS[kind][0], id)
    if found is None:
        raise not_found("Email address" if kind == "email_addresses" else "Phone number")
    return found


def _verification_json(verification: Verification) -> Json:
    return stored_verification_json(current_clerk(), verification) | {"id": verification.id}


@blueprint.put("/users/<id>/email_address")
def replace_email_address(id: str) -> Json:
    """Give an account this one address instead of all it has.

    :raises ClerkError: 400 if one of them belongs to a connected account.
    """
    clerk, body, user = current_clerk(), json_body(), known_user(id)
    address, status = normalize_email(required_text(body, "email_address")), _status(body)
    old = clerk.store.find(EmailAddress, user_id=user.id)
    if any(email.linked_to for email in old):
        message = "An address is linked to a connected account: remove that first."
        raise ClerkError("linked_identifications", message, 400)
    for email in old:
        clerk.store.delete(email)
    new = add_email_address(clerk, user.id, address, verified=status == "verified")
    new.verified_by = BY_ADMIN if new.verified else new.verified_by
    new.reserved = status == "reserved"
    clerk.store.put(new)
    user.primary_email_address_id = new.id
    save_user(clerk, user)
    return email_address_json(clerk, new)


@blueprint.put("/users/<id>/phone_number")
def replace_phone_number(id: str) -> Json:
    """Give an account this one number instead of all it has. It is no second factor."""
    clerk, body, user = current_clerk(), json_body(), known_user(id)
    number, status = normalize_phone_number(required_text(body, "phone_number")), _status(body)
    for phone in clerk.store.find(PhoneNumber, user_id=user.id):
        clerk.store.delete(phone)
    new = add_phone_number(clerk, user.id, number, verified=status == "verified")
    new.verified_by = BY_ADMIN if new.verified else new.verified_by
    new.reserved = status == "reserved"
    clerk.store.put(new)
    user.primary_phone_number_id = new.id
    settle_multi_factor(clerk, user)
    save_user(clerk, user)
    return phone_number_json(clerk, new)


def _status(body: dict[str, Any]) -> str:
    status = optional_text(body, "identification_status") or "verified"
    if status not in STATUSES:
        raise invalid("identification_status", f"one of {', '.join(STATUSES)}")
    return status
