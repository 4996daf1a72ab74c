"""``/me/email_addresses``: more addresses, their verification and removal."""

from __future__ import annotations

from flask import Blueprint, request

from ..access import check_new_identifier
from ..clerk import base_url, current_clerk
from ..errors import not_found
from ..identifications import (
    attempt_verification,
    check_changeable,
    check_room,
    prepare_code,
    prepare_link,
    remove_identification,
    settle_link,
)
from ..resources import EmailAddress
from ..serializers import Json, email_address_json
from ..users import add_email_address, normalize_email, save_user
from .browser import answer, current_client, current_user
from .reverification import require_reverification

blueprint = Blueprint("email_addresses", __name__, url_prefix="/email_addresses")


@blueprint.get("", strict_slashes=False)
def list_email_addresses() -> Json:
    """All addresses of the user."""
    clerk = current_clerk()
    emails = clerk.store.find(EmailAddress, user_id=current_user().id)
    return answer([email_address_json(clerk, email) for email in emails])


@blueprint.post("/", strict_slashes=False)
def create() -> Json:
    """Add an address, which is not verified yet."""
    clerk = current_clerk()
    user = current_user()
    check_changeable(clerk.settings.attributes.email_address, "email_address")
    require_reverification()
    address = normalize_email(request.form.get("email_address", ""))
    check_new_identifier(clerk, address)
    check_room(clerk, EmailAddress, user)
    email = add_email_address(clerk, user.id, address, verified=False)
    save_user(clerk, user)
    return _answer(email)


@blueprint.get("/<id>")
def get(id: str) -> Json:
    """One address. Clerk.js asks again and again while a link is waiting to be opened."""
    email = _email(id)
    settle_link(current_clerk(), current_user(), email)
    return _answer(email)


@blueprint.post("/<id>/prepare_verification")
def prepare(id: str) -> Json:
    """Send the code or the link."""
    clerk = current_clerk()
    email = _email(id)
    strategy = request.form.get("strategy", "")
    if strategy == "email_link":
        wanted = request.form.get("redirect_url", "")
        prepare_link(clerk, email, current_client(), wanted, f"{base_url()}/v1/verify?token=")
    else:
        prepare_code(clerk, email, strategy)
    return _answer(email)


@blueprint.post("/<id>/attempt_verification")
def attempt(id: str) -> Json:
    """Hand in the code."""
    email = _email(id)
    attempt_verification(current_clerk(), current_user(), email, request.form.get("code", ""))
    return _answer(email)


@blueprint.delete("/<id>")
def delete(id: str) -> Json:
    """Remove an address."""
    clerk = current_clerk()
    email = _email(id)
    check_changeable(clerk.settings.attributes.email_address, "email_address")
    require_reverification()
    remove_identification(clerk, current_user(), email)
    return answer({"object": "email_address", "id": email.id, "deleted": True})


def _email(id: str) -> EmailAddress:
    email = current_clerk().store.get(EmailAddress, id)
    if email is None or email.user_id != current_user().id:
        raise not_found("Email address")
    return email


def _answer(email: EmailAddress) -> Json:
    return answer(email_address_json(current_clerk(), email))
