"""``/tasks``: what a session still has to do before it counts as active."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug import Response

from ..clerk import current_clerk
from ..errors import ClerkError
from ..session_tasks import RESET_PASSWORD, session_tasks
from .csrf import check_form
from .frontend import response_of
from .pages import leave, link, render, signed_in

blueprint = Blueprint("tasks", __name__, url_prefix="/tasks")


def go_home() -> Response:
    """Back to the app, or first to what there is to do."""
    task = current_task()
    return redirect(link(f"/tasks/{task}"), 303) if task else leave()


def current_task() -> str | None:
    """The key of the task that is to be done now."""
    current = signed_in()
    tasks = session_tasks(current_clerk(), *current) if current else []
    return tasks[0] if tasks else None


@blueprint.get("/reset-password")
def show_reset() -> Response:
    """The form for a new password."""
    if current_task() != RESET_PASSWORD:
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
