"""``/me/email_addresses`` and ``/me/phone_numbers``: what the user is known by."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, request

from ..access import check_new_identifier
from ..clerk import base_url, current_clerk
from ..errors import not_found
from ..identification_kinds import IN_PATH, KINDS
from ..identifications import (
    Identification,
    attempt_verification,
    check_changeable,
    check_room,
    prepare_code,
    prepare_link,
    remove_identification,
    settle_link,
)
from ..multi_factor import make_default_second_factor, reserve_for_second_factor
from ..resources import EmailAddress, PhoneNumber
from ..serializers import Json, phone_number_json
from ..users import save_user
from .browser import answer, current_client, current_session, current_user
from .reverification import require_reverification

blueprint = Blueprint("identifications", __name__)

ALL = f"/{IN_PATH}"
ONE = f"/{IN_PATH}/<id>"


@blueprint.get(ALL, strict_slashes=False)
def list_mine(kind: str) -> Json:
    """All of the user's."""
    clerk = current_clerk()
    found = clerk.store.find(KINDS[kind].resource, user_id=current_user().id)
    return answer([KINDS[kind].as_json(clerk, one) for one in found])


@blueprint.post(f"{ALL}/", strict_slashes=False)
def create(kind: str) -> Json:
    """Add one, which is not verified yet."""
    clerk, user, details = current_clerk(), current_user(), KINDS[kind]
    _check_changeable(kind)
    require_reverification()
    value = details.normalize(request.form.get(details.name, ""))
    check_new_identifier(clerk, value)
    check_room(clerk, details.resource, user)
    found = details.add(clerk, user.id, value, verified=False)
    save_user(clerk, user)
    return _answer(kind, found)


@blueprint.get(ONE)
def get(kind: str, id: str) -> Json:
    """One. Clerk.js asks again and again while a link is waiting to be opened."""
    found = _mine(kind, id)
    settle_link(current_clerk(), current_user(), found)
    return _answer(kind, found)


@blueprint.patch("/phone_numbers/<id>")
def patch_phone_number(id: str) -> Json:
    """Make a number a second factor, or no longer; or the one that is asked for first."""
    clerk, user = current_clerk(), current_user()
    phone = cast(PhoneNumber, _mine("phone_numbers", id))
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


@blueprint.post(f"{ONE}/prepare_verification")
def prepare(kind: str, id: str) -> Json:
    """Send the code or the link."""
    clerk, found = current_clerk(), _mine(kind, id)
    strategy = request.form.get("strategy", KINDS[kind].strategy)
    if strategy == "email_link" and isinstance(found, EmailAddress):
        wanted = request.form.get("redirect_url", "")
        prepare_link(clerk, found, current_client(), wanted, f"{base_url()}/v1/verify?token=")
    else:
        prepare_code(clerk, found, strategy)
    return _answer(kind, found)


@blueprint.post(f"{ONE}/attempt_verification")
def attempt(kind: str, id: str) -> Json:
    """Hand in the code."""
    found = _mine(kind, id)
    attempt_verification(current_clerk(), current_user(), found, request.form.get("code", ""))
    return _answer(kind, found)


@blueprint.delete(ONE)
def delete(kind: str, id: str) -> Json:
    """Remove one."""
    found = _mine(kind, id)
    _check_changeable(kind)
    require_reverification()
    remove_identification(current_clerk(), current_user(), found)
    return answer({"object": KINDS[kind].name, "id": found.id, "deleted": True})


def _check_changeable(kind: str) -> None:
    name = KINDS[kind].name
    check_changeable(getattr(current_clerk().settings.attributes, name), name)


def _mine(kind: str, id: str) -> Identification:
    found = current_clerk().store.get(KINDS[kind].resource, id)
    if found is None or found.user_id != current_user().id:
        raise not_found(KINDS[kind].label)
    return found


def _answer(kind: str, found: Identification) -> Json:
    return answer(KINDS[kind].as_json(current_clerk(), found))
