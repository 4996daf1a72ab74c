"""``/me/email_addresses``: more addresses, their verification and removal."""

from __future__ import annotations

from flask import Blueprint, request

from ..clerk import current_clerk
from ..errors import ClerkError, incorrect_code, not_found, unsupported_strategy
from ..resources import EmailAddress
from ..serializers import Json, email_address_json
from ..users import CODE, add_email_address, normalize_email, save_user
from .browser import answer, current_user

blueprint = Blueprint("email_addresses", __name__, url_prefix="/email_addresses")


@blueprint.get("", strict_slashes=False)
def list_email_addresses() -> Json:
    """All addresses of the user."""
    emails = current_clerk().store.find(EmailAddress, user_id=current_user().id)
    return answer([email_address_json(email) for email in emails])


@blueprint.post("/", strict_slashes=False)
def create_email_address() -> Json:
    """Add an address, which is not verified yet."""
    address = normalize_email(request.form.get("email_address", ""))
    user = current_user()
    email = add_email_address(current_clerk(), user.id, address, verified=False)
    save_user(current_clerk(), user)
    return answer(email_address_json(email))


@blueprint.get("/<id>")
def get_email_address(id: str) -> Json:
    """One address."""
    return answer(email_address_json(_email(id)))


@blueprint.post("/<id>/prepare_verification")
def prepare_verification(id: str) -> Json:
    """Pretend to send the code, which is always 424242."""
    email = _email(id)
    if request.form.get("strategy") != "email_code":
        raise unsupported_strategy()
    return answer(email_address_json(email))


@blueprint.post("/<id>/attempt_verification")
def attempt_verification(id: str) -> Json:
    """Hand in the code."""
    email = _email(id)
    if request.form.get("code") != CODE:
        raise incorrect_code()
    email.verified = True
    email.updated_at = current_clerk().now
    current_clerk().store.put(email)
    save_user(current_clerk(), current_user())
    return answer(email_address_json(email))


@blueprint.delete("/<id>")
def delete_email_address(id: str) -> Json:
    """Remove an address; the primary one has to stay."""
    email = _email(id)
    user = current_user()
    if email.id == user.primary_email_address_id:
        message = "You cannot delete your primary email address."
        raise ClerkError("last_identification_deletion_failed", message, 403)
    current_clerk().store.delete(email)
    save_user(current_clerk(), user)
    return answer({"object": "email_address", "id": email.id, "deleted": True})


def _email(id: str) -> EmailAddress:
    email = current_clerk().store.get(EmailAddress, id)
    if email is None or email.user_id != current_user().id:
        raise not_found("Email address")
    return email
