"""``/sign_ups``: registrations under way."""

from __future__ import annotations

from flask import Blueprint

from ..clerk import current_clerk
from ..errors import ClerkError, not_found
from ..provisioning import check_external_id_free
from ..resources import SignUp
from ..serializers import Json, sign_up_json
from .parameters import flag, json_body, optional_text

blueprint = Blueprint("backend_sign_ups", __name__, url_prefix="/sign_ups")


@blueprint.get("/<id>")
def get_sign_up(id: str) -> Json:
    """One registration."""
    return _json(_sign_up(id))


@blueprint.patch("/<id>")
def patch_sign_up(id: str) -> Json:
    """Give the account that will be made an external id, or mark the registration.

    :raises ClerkError: 403 ``sign_up_cannot_be_updated`` once it is complete.
    """
    clerk, sign_up, body = current_clerk(), _sign_up(id), json_body()
    if sign_up.created_user_id is not None:
        message = "This sign up has reached a terminal state and cannot be updated"
        raise ClerkError("sign_up_cannot_be_updated", message, 403)
    if "external_id" in body:
        sign_up.external_id = optional_text(body, "external_id")
        check_external_id_free(clerk, sign_up.external_id, "")
    if body.get("custom_action") is not None:
        sign_up.custom_action = flag(body, "custom_action")
    sign_up.updated_at = clerk.now
    clerk.store.put(sign_up)
    return _json(sign_up)


def _sign_up(id: str) -> SignUp:
    sign_up = current_clerk().store.get(SignUp, id)
    if sign_up is None:
        raise not_found("Sign up")
    return sign_up


def _json(sign_up: SignUp) -> Json:
    shown = sign_up_json(current_clerk(), sign_up, current_clerk().config.own_url)
    return shown | {
        "object": "sign_up_attempt",
        "password_enabled": shown["has_password"],
        "custom_action": sign_up.custom_action,
        "external_id": sign_up.external_id,
    }
