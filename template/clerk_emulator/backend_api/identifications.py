"""``/email_addresses`` and ``/phone_numbers``: what accounts are known by."""

from __future__ import annotations

from typing import Any, TypeVar

from flask import Blueprint

from ..clerk import current_clerk
from ..errors import ClerkError, not_found
from ..identifications import remove_identification
from ..multi_factor import settle_multi_factor
from ..phone_numbers import normalize_phone_number
from ..provisioning import BY_ADMIN, vouch_for_email, vouch_for_phone
from ..resources import EmailAddress, PhoneNumber, User
from ..serializers import Json, email_address_json, phone_number_json
from ..users import normalize_email, save_user
from .parameters import flag, json_body, required_text
from .users import known_user

blueprint = Blueprint("identifications", __name__)

I = TypeVar("I", EmailAddress, PhoneNumber)  # noqa: E741
WHAT = {EmailAddress: "Email address", PhoneNumber: "Phone number"}


@blueprint.post("/email_addresses")
def create_email_address() -> Json:
    """Give an account another address; verified only if the app's server says so."""
    clerk, body = current_clerk(), json_body()
    user = known_user(required_text(body, "user_id"))
    address = normalize_email(required_text(body, "email_address"))
    email = vouch_for_email(clerk, user.id, address, verified=flag(body, "verified"))
    _settle(user, email, body)
    return email_address_json(clerk, email)


@blueprint.get("/email_addresses/<id>")
def get_email_address(id: str) -> Json:
    """One address."""
    return email_address_json(current_clerk(), _known(EmailAddress, id))


@blueprint.patch("/email_addresses/<id>")
def patch_email_address(id: str) -> Json:
    """Change whether an address is verified, or make it the primary one."""
    email = _known(EmailAddress, id)
    _change(email)
    return email_address_json(current_clerk(), email)


@blueprint.delete("/email_addresses/<id>")
def delete_email_address(id: str) -> Json:
    """Take an address away."""
    _remove(_known(EmailAddress, id))
    return {"object": "email_address", "id": id, "deleted": True}


@blueprint.post("/phone_numbers")
def create_phone_number() -> Json:
    """Give an account another number; verified only if the app's server says so."""
    clerk, body = current_clerk(), json_body()
    user = known_user(required_text(body, "user_id"))
    number = normalize_phone_number(required_text(body, "phone_number"))
    phone = vouch_for_phone(clerk, user.id, number, verified=flag(body, "verified"))
    _settle(user, phone, body)
    return phone_number_json(clerk, phone)


@blueprint.get("/phone_numbers/<id>")
def get_phone_number(id: str) -> Json:
    """One number."""
    return phone_number_json(current_clerk(), _known(PhoneNumber, id))


@blueprint.patch("/phone_numbers/<id>")
def patch_phone_number(id: str) -> Json:
    """Change whether a number is verified, the primary one, or a second factor."""
    phone = _known(PhoneNumber, id)
    _change(phone)
    return phone_number_json(current_clerk(), phone)


@blueprint.delete("/phone_numbers/<id>")
def delete_phone_number(id: str) -> Json:
    """Take a number away."""
    _remove(_known(PhoneNumber, id))
    return {"object": "phone_number", "id": id, "deleted": True}


def _known(kind: type[I], id: str) -> I:
    found = current_clerk().store.get(kind, id)
    if found is None:
        raise not_found(WHAT[kind])
    return found


def _change(found: EmailAddress | PhoneNumber) -> None:
    body = json_body()
    if body.get("verified") is not None:
        found.verified = flag(body, "verified")
        found.verified_by = BY_ADMIN if found.verified else found.verified_by
    _settle(known_user(found.user_id), found, body)


def _settle(user: User, found: EmailAddress | PhoneNumber, body: dict[str, Any]) -> None:
    """Do what the request asks for beyond the address or number itself."""
    clerk = current_clerk()
    if flag(body, "primary"):
        if not found.verified:
            message = "Only a verified one can be the primary one."
            raise ClerkError("form_param_value_invalid", message, param="primary")
        _make_primary(user, found)
    if isinstance(found, PhoneNumber) and body.get("reserved_for_second_factor") is not None:
        found.reserved_for_second_factor = flag(body, "reserved_for_second_factor")
        found.default_second_factor &= found.reserved_for_second_factor
        if found.reserved_for_second_factor and found.verified:
            user.mfa_enabled_at = user.mfa_enabled_at or clerk.now
    found.updated_at = clerk.now
    clerk.store.put(found)
    settle_multi_factor(clerk, user)
    save_user(clerk, user)


def _make_primary(user: User, found: EmailAddress | PhoneNumber) -> None:
    if isinstance(found, EmailAddress):
        user.primary_email_address_id = found.id
    else:
        user.primary_phone_number_id = found.id


def _remove(found: EmailAddress | PhoneNumber) -> None:
    remove_identification(current_clerk(), known_user(found.user_id), found)
