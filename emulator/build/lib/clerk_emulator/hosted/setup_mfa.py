"""``/tasks/setup-mfa``: a second factor, where the instance requires one of everybody."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request
from werkzeug import Response

from ..clerk import current_clerk
from ..errors import ClerkError
from ..session_tasks import SETUP_MFA
from .confirmation import NEEDED, confirm_first
from .csrf import check_form
from .frontend import response_of, rows_of
from .pages import render
from .tasks import current_task, go_home

blueprint = Blueprint("setup_mfa", __name__, url_prefix="/tasks/setup-mfa")


@blueprint.get("")
def show() -> Response:
    """The secret for an authenticator app and the form for its first code; numbers for SMS."""
    return _page(None) if current_task() == SETUP_MFA else go_home()


@blueprint.post("")
def submit_app() -> Response:
    """Turn the authenticator app on."""
    check_form()
    form = request.form
    try:
        code = form.get("code", "").strip()
        totp = response_of("/me/totp/attempt_verification", code=code)
    except ClerkError as error:
        return _page(error, {name: form.get(name, "") for name in ("secret", "uri")})
    return _done(totp)


@blueprint.post("/phone_numbers")
def submit_number() -> Response:
    """Send a code to another number, or use one that is verified already."""
    check_form()
    form = request.form
    try:
        if "phone_number_id" in form:
            return _reserve(form["phone_number_id"])
        phone = response_of("/me/phone_numbers", phone_number=form.get("phone_number", ""))
        path = f"/me/phone_numbers/{phone['id']}/prepare_verification"
        response_of(path, strategy="phone_code")
    except ClerkError as error:
        return _page(error)
    return render("setup_mfa_code.html", phone=phone, error=None)


@blueprint.post("/phone_numbers/<id>")
def submit_code(id: str) -> Response:
    """Hand in the code: the number is a second factor from now on."""
    check_form()
    if current_task() != SETUP_MFA:
        return go_home()
    phone = response_of(f"/me/phone_numbers/{id}", "GET")
    try:
        code = request.form.get("code", "").strip()
        response_of(f"/me/phone_numbers/{id}/attempt_verification", code=code)
        return _reserve(id)
    except ClerkError as error:
        return render("setup_mfa_code.html", phone=phone, error=error)


def _reserve(id: str) -> Response:
    path = f"/me/phone_numbers/{id or 'none'}"
    return _done(response_of(path, "PATCH", reserved_for_second_factor="true"))


def _done(factor: dict[str, Any]) -> Response:
    """Back to the app; first the backup codes, which are shown but once."""
    codes = factor.get("backup_codes")
    return render("backup_codes.html", codes=codes) if codes else go_home()


def _page(error: ClerkError | None, totp: dict[str, Any] | None = None) -> Response:
    attributes = current_clerk().settings.attributes
    by_sms = attributes.phone_number.used_for_second_factor
    try:
        if totp is None and attributes.authenticator_app.used_for_second_factor:
            totp = response_of("/me/totp")
    except ClerkError as refusal:
        if refusal.code == NEEDED:
            return confirm_first()
        raise
    return render(
        "setup_mfa.html",
        totp=totp,
        by_sms=by_sms,
        phones=[p for p in rows_of("/me/phone_numbers") if _is_verified(p)] if by_sms else [],
        values=request.form,
        error=error,
    )


def _is_verified(phone: dict[str, Any]) -> bool:
    return (phone["verification"] or {}).get("status") == "verified"
