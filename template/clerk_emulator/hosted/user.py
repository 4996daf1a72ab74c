"""``/user``: the account of the signed-in user."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug import Response

from ..clerk import current_clerk
from ..errors import ClerkError
from ..resources import EmailAddress, User
from ..sessions import close_account, end_session
from ..users import check_name, save_user
from .csrf import check_form
from .pages import leave, link, render, signed_in

blueprint = Blueprint("user", __name__, url_prefix="/user")

AFTER_DELETION = "/login"


@blueprint.get("")
def show() -> Response:
    """Name and e-mail addresses; to the sign-in page when nobody is signed in."""
    current = signed_in()
    if current is None:
        return redirect(link("/sign-in"), 303)
    return _profile(current[1], None)


@blueprint.post("")
def rename() -> Response:
    """Change the name."""
    check_form()
    current = signed_in()
    if current is None:
        return redirect(link("/sign-in"), 303)
    _, user = current
    try:
        user.first_name = check_name(request.form.get("first_name", ""), "first_name")
        user.last_name = check_name(request.form.get("last_name", ""), "last_name")
    except ClerkError as error:
        return _profile(user, error)
    save_user(current_clerk(), user)
    return redirect(link("/user"), 303)


@blueprint.post("/sign-out")
def sign_out() -> Response:
    """End the session, and back to the app."""
    check_form()
    current = signed_in()
    if current is not None:
        end_session(current_clerk(), current[0], "ended")
    return leave()


@blueprint.get("/delete")
def confirm_deletion() -> Response:
    """Ask once more."""
    current = signed_in()
    if current is None:
        return redirect(link("/sign-in"), 303)
    return render("delete.html", user=current[1])


@blueprint.post("/delete")
def delete() -> Response:
    """Delete the account, and back to the app's login page."""
    check_form()
    current = signed_in()
    if current is not None:
        close_account(current_clerk(), current[1])
    return leave(AFTER_DELETION)


def _profile(user: User, error: ClerkError | None) -> Response:
    emails = current_clerk().store.find(EmailAddress, user_id=user.id)
    return render("user.html", user=user, emails=emails, error=error)
