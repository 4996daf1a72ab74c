"""``/user``: the account of the signed-in user."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug import Response

from ..clerk import current_clerk
from ..errors import ClerkError
from ..frontend_api.uploads import MAX_REQUEST_BYTES
from ..pictures import MAX_BYTES
from ..sessions import end_session
from .csrf import check_form
from .frontend import call, response_of, upload
from .pages import leave, link, render, signed_in
from .profile import back_to_profile, change, profile_page, refused, to_sign_in

blueprint = Blueprint("user", __name__, url_prefix="/user")

AFTER_DELETION = "/login"


@blueprint.get("")
def show() -> Response:
    """Everything about the account; to the sign-in page when nobody is signed in."""
    return profile_page()


@blueprint.post("")
def change_names() -> Response:
    """Change the names, and the username if the instance has those."""
    names = ("first_name", "last_name", "username")
    form = {name: request.form[name] for name in names if name in request.form}
    return change("/me", "PATCH", "names", **form)


@blueprint.post("/picture")
def change_picture() -> Response:
    """Upload a picture."""
    request.max_content_length = MAX_REQUEST_BYTES
    check_form()
    if signed_in() is None:
        return to_sign_in()
    file = request.files.get("file")
    content = file.read(MAX_BYTES + 1) if file else b""
    try:
        upload("/me/profile_image", content)
    except ClerkError as error:
        return refused(error)
    return back_to_profile("picture")


@blueprint.post("/picture/remove")
def remove_picture() -> Response:
    """Go back to the picture that is drawn for everybody."""
    return change("/me/profile_image", "DELETE", "picture")


@blueprint.post("/password")
def change_password() -> Response:
    """Set another password, and perhaps sign out all other browsers."""
    names = ("current_password", "new_password", "sign_out_of_other_sessions")
    form = {name: request.form[name] for name in names if request.form.get(name)}
    return change("/me/change_password", "POST", "password", **form)


@blueprint.post("/external_accounts")
def connect_account() -> Response:
    """Go to a social provider, to connect an account there."""
    check_form()
    if signed_in() is None:
        return to_sign_in()
    strategy = request.form.get("strategy", "")
    try:
        found = response_of("/me/external_accounts", strategy=strategy, redirect_url=link("/user"))
    except ClerkError as error:
        return refused(error)
    return redirect(found["verification"]["external_verification_redirect_url"], 303)


@blueprint.post("/external_accounts/<id>/remove")
def disconnect_account(id: str) -> Response:
    """Disconnect one."""
    return change(f"/me/external_accounts/{id}", "DELETE", "removed")


@blueprint.post("/sessions/<id>/revoke")
def revoke_session(id: str) -> Response:
    """Sign another browser out."""
    return change(f"/me/sessions/{id}/revoke", "POST", "signed-out")


@blueprint.post("/accounts/<id>/switch")
def switch_account(id: str) -> Response:
    """Go on as somebody else who is signed in in this browser, too."""
    return change(f"/client/sessions/{id}/touch", "POST", "switched")


@blueprint.post("/sign-out")
def sign_out() -> Response:
    """End the session, and back to the app."""
    check_form()
    current = signed_in()
    if current is not None:
        end_session(current_clerk(), current[0], "ended")
    return leave()


@blueprint.post("/sign-out/all")
def sign_out_of_all() -> Response:
    """End the sessions of all accounts in this browser, and back to the app."""
    check_form()
    if signed_in() is not None:
        call("/client/sessions", "DELETE")
    return leave()


@blueprint.get("/back")
def go_back() -> Response:
    """Back to the app."""
    return leave()


@blueprint.get("/delete")
def confirm_deletion() -> Response:
    """Ask once more."""
    current = signed_in()
    if current is None:
        return to_sign_in()
    return render("delete.html", user=current[1])


@blueprint.post("/delete")
def delete() -> Response:
    """Delete the account, and back to the app's login page."""
    check_form()
    if signed_in() is not None:
        try:
            response_of("/me", "DELETE")
        except ClerkError as error:
            return refused(error)
    return leave(AFTER_DELETION)
