"""``/tasks``: what a session still has to do before it counts as active."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug import Response

from ..clerk import current_clerk
from ..errors import ClerkError
from ..session_tasks import CHOOSE_ORGANIZATION, RESET_PASSWORD, SETUP_MFA, session_tasks
from .csrf import check_form
from .frontend import response_of
from .pages import leave, link, render, signed_in

blueprint = Blueprint("tasks", __name__, url_prefix="/tasks")

PAGES = {
    RESET_PASSWORD: "/tasks/reset-password",
    SETUP_MFA: "/tasks/setup-mfa",
    CHOOSE_ORGANIZATION: "/organization",
}


def go_home() -> Response:
    """Back to the app, or first to what there is to do."""
    task = _task()
    return redirect(link(PAGES[task]), 303) if task else leave()


def _task() -> str | None:
    current = signed_in()
    tasks = session_tasks(current_clerk(), *current) if current else []
    return tasks[0] if tasks else None


@blueprint.get("/reset-password")
def show_reset() -> Response:
    """The form for a new password."""
    if _task() != RESET_PASSWORD:
        return go_home()
    return render("reset_password.html", action="/tasks/reset-password", error=None)


@blueprint.post("/reset-password")
def submit_reset() -> Response:
    """Replace a password that others may know."""
    check_form()
    form = {"new_password": request.form.get("password", "")}
    if "sign_out_of_other_sessions" in request.form:
        form["sign_out_of_other_sessions"] = "true"
    try:
        response_of("/me/change_password", **form)
    except ClerkError as error:
        error.param = "password"
        return render("reset_password.html", action="/tasks/reset-password", error=error)
    return go_home()


@blueprint.get("/setup-mfa")
def show_setup() -> Response:
    """The secret for an authenticator app, and the form for its first code."""
    if _task() != SETUP_MFA:
        return go_home()
    return _setup_page(response_of("/me/totp"), None)


@blueprint.post("/setup-mfa")
def submit_setup() -> Response:
    """Turn the authenticator app on."""
    check_form()
    totp = {name: request.form.get(name, "") for name in ("secret", "uri")}
    try:
        response_of("/me/totp/attempt_verification", code=request.form.get("code", "").strip())
    except ClerkError as error:
        return _setup_page(totp, error)
    return go_home()


def _setup_page(totp: dict[str, str], error: ClerkError | None) -> Response:
    return render(
        "setup_mfa.html", secret=totp.get("secret", ""), uri=totp.get("uri", ""), error=error
    )
