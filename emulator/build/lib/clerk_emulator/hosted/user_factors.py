"""``/user/totp`` and the like: second factors of the signed-in user."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request
from werkzeug import Response

from ..errors import ClerkError
from .csrf import check_form
from .frontend import response_of
from .pages import render, signed_in
from .profile import back_to_profile, change, refused, to_sign_in

blueprint = Blueprint("user_factors", __name__, url_prefix="/user")

PHONE_ACTIONS = {
    "use": {"reserved_for_second_factor": "true"},
    "prefer": {"default_second_factor": "true"},
    "stop": {"reserved_for_second_factor": "false"},
}
"""What each form about a number says to the Frontend API."""


@blueprint.post("/totp")
def begin_totp() -> Response:
    """The secret for an authenticator app, and the form for its first code."""
    check_form()
    if signed_in() is None:
        return to_sign_in()
    try:
        return _totp_page(response_of("/me/totp"), None)
    except ClerkError as error:
        return refused(error)


@blueprint.post("/totp/verify")
def verify_totp() -> Response:
    """Turn the authenticator app on."""
    check_form()
    if signed_in() is None:
        return to_sign_in()
    shown = {name: request.form.get(name, "") for name in ("secret", "uri")}
    code = request.form.get("code", "").strip()
    try:
        turned_on = response_of("/me/totp/attempt_verification", code=code)
    except ClerkError as error:
        return _totp_page(shown, error)
    return _codes_page(turned_on["backup_codes"])


@blueprint.post("/totp/remove")
def remove_totp() -> Response:
    """Do without an authenticator app."""
    return change("/me/totp", "DELETE", "second-factor")


@blueprint.post("/second-factors/<id>/<any(use, prefer, stop):action>")
def change_phone(id: str, action: str) -> Response:
    """Let codes be sent to a number or no longer, or before all other second factors."""
    check_form()
    if signed_in() is None:
        return to_sign_in()
    try:
        phone = response_of(f"/me/phone_numbers/{id}", "PATCH", **PHONE_ACTIONS[action])
    except ClerkError as error:
        return refused(error)
    return _codes_page(phone["backup_codes"])


@blueprint.post("/backup-codes")
def renew_backup_codes() -> Response:
    """New backup codes, in place of those there were."""
    check_form()
    if signed_in() is None:
        return to_sign_in()
    try:
        return _codes_page(response_of("/me/backup_codes/")["codes"])
    except ClerkError as error:
        return refused(error)


def _totp_page(totp: dict[str, Any], error: ClerkError | None) -> Response:
    return render("authenticator.html", secret=totp["secret"], uri=totp["uri"], error=error)


def _codes_page(codes: list[str] | None) -> Response:
    """The backup codes, this once; without any, the account again."""
    if not codes:
        return back_to_profile("second-factor")
    return render("backup_codes.html", codes=codes, next="/user")
