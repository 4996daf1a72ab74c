"""``/email_addresses`` and ``/phone_numbers``: what accounts are known by."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from ..clerk import current_clerk
from ..errors import ClerkError
from ..identification_kinds import IN_PATH, KINDS
from ..identifications import Identification, remove_identification
from ..multi_factor import settle_multi_factor
from ..provisioning import BY_ADMIN, vouch_for
from ..resources import EmailAddress, PhoneNumber, User
from ..serializers import Json
from ..users import save_user
from .parameters import flag, json_body, known, required_text
from .users import known_user

blueprint = Blueprint("identifications", __name__)

ONE = f"/{IN_PATH}/<id>"


@blueprint.post(f"/{IN_PATH}")
def create(kind: str) -> Json:
    """Give an account another one; verified only if the app's server says so."""
    clerk, body, details = current_clerk(), json_body(), KINDS[kind]
    user = known_user(required_text(body, "user_id"))
    value = details.normalize(required_text(body, details.name))
    found = vouch_for(clerk, details.add, user.id, value, verified=flag(body, "verified"))
    _settle(user, found, body)
    return details.as_json(clerk, found)


@blueprint.get(ONE)
def get(kind: str, id: str) -> Json:
    """One address or number."""
    return KINDS[kind].as_json(current_clerk(), _known(kind, id))


@blueprint.patch(ONE)
def patch(kind: str, id: str) -> Json:
    """Change whether it is verified, the primary one, or a second factor."""
    found, body = _known(kind, id), json_body()
    if body.get("verified") is not None:
        found.verified = flag(body, "verified")
        found.verified_by = BY_ADMIN if found.verified else found.verified_by
    _settle(known_user(found.user_id), found, body)
    return KINDS[kind].as_json(current_clerk(), found)


@blueprint.delete(ONE)
def delete(kind: str, id: str) -> Json:
    """Take it away."""
    found = _known(kind, id)
    remove_identification(current_clerk(), known_user(found.user_id), found)
    return {"object": KINDS[kind].name, "id": id, "deleted": True}


def _known(kind: str, id: str) -> Identification:
    return known(KINDS[kind].resource, id, KINDS[kind].label)


def _settle(user: User, found: Identification, body: dict[str, Any]) -> None:
    """Do what the request asks for beyond the address or number itself."""
    clerk = current_clerk()
    if flag(body, "primary"):
        if not found.verified:
            message = "Only a verified identifier can be the primary one."
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


def _make_primary(user: User, found: Identification) -> None:
    if isinstance(found, EmailAddress):
        user.primary_email_address_id = found.id
    else:
        user.primary_phone_number_id = found.id
