"""``/me/phone_numbers``: numbers, their verification, and what they are used for."""

from __future__ import annotations

from flask import Blueprint, request

from ..access import check_new_identifier
from ..clerk import current_clerk
from ..errors import not_found
from ..identifications import (
    attempt_verification,
    check_changeable,
    check_room,
    prepare_code,
    remove_identification,
)
from ..multi_factor import make_default_second_factor, reserve_for_second_factor
from ..phone_numbers import add_phone_number, normalize_phone_number
from ..resources import PhoneNumber
from ..serializers import Json, phone_number_json
from ..users import save_user
from .browser import answer, current_session, current_user
from .reverification import require_reverification

blueprint = Blueprint("phone_numbers", __name__, url_prefix="/phone_numbers")


@blueprint.get("", strict_slashes=False)
def list_phone_numbers() -> Json:
    """All numbers of the user."""
    clerk = current_clerk()
    phones = clerk.store.find(PhoneNumber, user_id=current_user().id)
    return answer([phone_number_json(clerk, phone) for phone in phones])


@blueprint.post("/", strict_slashes=False)
def create() -> Json:
    """Add a number, which is not verified yet."""
    clerk = current_clerk()
    user = current_user()
    check_changeable(clerk.settings.attributes.phone_number, "phone_number")
    require_reverification()
    number = normalize_phone_number(request.form.get("phone_number", ""))
    check_new_identifier(clerk, number)
    check_room(clerk, PhoneNumber, user)
    phone = add_phone_number(clerk, user.id, number, verified=False)
    save_user(clerk, user)
    return _answer(phone)


@blueprint.get("/<id>")
def get(id: str) -> Json:
    """One number."""
    return _answer(_phone(id))


@blueprint.patch("/<id>")
def patch(id: str) -> Json:
    """Make it a second factor, or no longer; or the one that is asked for first."""
    clerk = current_clerk()
    user = current_user()
    phone = _phone(id)
    require_reverification()
    codes: list[str] | None = None
    reserved = request.form.get("reserved_for_second_factor")
    if reserved is not None:
        codes = reserve_for_second_factor(
            clerk, current_session(), user, phone, reserved=reserved == "true"
        )
    if request.form.get("default_second_factor") == "true":
        make_default_second_factor(clerk, user, phone)
    return answer(phone_number_json(clerk, phone, codes))


@blueprint.post("/<id>/prepare_verification")
def prepare(id: str) -> Json:
    """Send the code."""
    phone = _phone(id)
    prepare_code(current_clerk(), phone, request.form.get("strategy", "phone_code"))
    return _answer(phone)


@blueprint.post("/<id>/attempt_verification")
def attempt(id: str) -> Json:
    """Hand in the code."""
    phone = _phone(id)
    attempt_verification(current_clerk(), current_user(), phone, request.form.get("code", ""))
    return _answer(phone)


@blueprint.delete("/<id>")
def delete(id: str) -> Json:
    """Remove a number."""
    clerk = current_clerk()
    phone = _phone(id)
    check_changeable(clerk.settings.attributes.phone_number, "phone_number")
    require_reverification()
    remove_identification(clerk, current_user(), phone)
    return answer({"object": "phone_number", "id": phone.id, "deleted": True})


def _phone(id: str) -> PhoneNumber:
    phone = current_clerk().store.get(PhoneNumber, id)
    if phone is None or phone.user_id != current_user().id:
        raise not_found("Phone number")
    return phone


def _answer(phone: PhoneNumber) -> Json:
    return answer(phone_number_json(current_clerk(), phone))
