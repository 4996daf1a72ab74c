"""Forms for the ways to prove who one is, wherever they are asked for."""

from __future__ import annotations

from typing import Any

from flask import request
from werkzeug import Response

from ..errors import ClerkError
from .frontend import response_of
from .pages import link, render

CODES = {
    "email_code": "Email a code to {}",
    "phone_code": "Text a code to {}",
    "reset_password_email_code": "Forgot the password? Email a code to {}",
    "reset_password_phone_code": "Forgot the password? Text a code to {}",
    "email_link": "Email a link to {}",
}
TYPED = {"totp": "Code from your authenticator app", "backup_code": "Backup code"}
OFFERED = {"password", *CODES, *TYPED}
"""Passkeys take JavaScript, and other services have their buttons where signing in starts."""


def factors_page(
    state: dict[str, Any], step: str, action: str, error: ClerkError | None = None
) -> Response:
    """All ways that plain forms can offer.

    :param state: a sign-in, or a verification of a session, as the Frontend API shows it.
    :param step: ``first`` or ``second``.
    :param action: path that the forms are sent to.
    """
    verification = state.get(f"{step}_factor_verification") or {}
    prepared = verification.get("strategy") if verification.get("status") == "unverified" else None
    supported = state.get(f"supported_{step}_factors") or []
    factors = [_with_label(factor) for factor in supported if factor["strategy"] in OFFERED]
    if error is None and verification.get("error"):
        found = verification["error"]
        error = ClerkError(found["code"], found["long_message"])
    return render(
        "factors.html",
        action=action,
        factors=sorted(factors, key=lambda factor: _rank(factor, prepared)),
        prepared=prepared,
        new_device=state.get("status") == "needs_client_trust",
        confirms=state.get("object") == "session_verification",
        tried=request.form.get("strategy"),
        error=error,
    )


def _rank(factor: dict[str, Any], prepared: str | None) -> tuple[bool, bool]:
    """What was begun comes first; of several addresses, the one that was chosen."""
    chosen = {request.form.get("email_address_id"), request.form.get("phone_number_id")} - {None}
    ids = {factor.get("email_address_id"), factor.get("phone_number_id")}
    return factor["strategy"] != prepared, not chosen & ids


def _with_label(factor: dict[str, Any]) -> dict[str, Any]:
    strategy = factor["strategy"]
    text = CODES.get(strategy, TYPED.get(strategy, ""))
    return factor | {"label": text.format(factor.get("safe_identifier", ""))}


def send_factor(base: str, step: str, back: str) -> dict[str, Any]:
    """Hand on what one of the forms sent: ask for a code, or hand in what was asked for.

    :param base: path of the sign-in or verification in the Frontend API.
    :param back: path of the page that a link in a message leads to.
    """
    form = {name: value for name, value in request.form.items() if name not in UNSENT}
    if "prepare" not in request.form:
        form["code"] = form.get("code", "").strip()
        return response_of(f"{base}/attempt_{step}_factor", **form)
    if form.get("strategy") == "email_link":
        form["redirect_url"] = link(back)
    return response_of(f"{base}/prepare_{step}_factor", **form)


UNSENT = ("csrf_token", "prepare")
