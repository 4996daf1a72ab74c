"""``/user``: the account of the signed-in user."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request
from werkzeug import Response

from ..clerk import current_clerk
from ..errors import ClerkError
from ..identification_kinds import IN_PATH, KINDS
from ..sessions import end_session
from .confirmation import NEEDED, confirm_first
from .csrf import check_form
from .fields import social_providers
from .frontend import response_of, rows_of
from .pages import leave, link, render, signed_in

blueprint = Blueprint("user", __name__, url_prefix="/user")

AFTER_DELETION = "/login"


@blueprint.get("")
def show() -> Response:
    """Everything about the account; to the sign-in page when nobody is signed in."""
    return _profile(None) if signed_in() else _to_sign_in()


@blueprint.post("")
def change_names() -> Response:
    """Change the names, and the username if the instance has those."""
    names = ("first_name", "last_name", "username")
    return _change("/me", "PATCH", **{n: request.form[n] for n in names if n in request.form})


@blueprint.post("/password")
def change_password() -> Response:
    """Set another password, and perhaps sign out all other browsers."""
    names = ("current_password", "new_password", "sign_out_of_other_sessions")
    form = {name: request.form[name] for name in names if request.form.get(name)}
    return _change("/me/change_password", "POST", **form)


@blueprint.post(f"/{IN_PATH}")
def add_address(kind: str) -> Response:
    """Add an e-mail address or phone number, and go on to its code."""
    check_form()
    if signed_in() is None:
        return _to_sign_in()
    value = request.form.get(KINDS[kind].name, "")
    try:
        added = response_of(f"/me/{kind}/", **{KINDS[kind].name: value})
        return _send_code(kind, added["id"])
    except ClerkError as error:
        return _refused(error)


@blueprint.post(f"/{IN_PATH}/<id>/<any(verify, primary, remove):action>")
def change_address(kind: str, id: str, action: str) -> Response:
    """Verify one, make it the primary one, or remove it."""
    if action == "primary":
        return _change("/me", "PATCH", **{f"primary_{KINDS[kind].name}_id": id})
    if action == "remove":
        return _change(f"/me/{kind}/{id}", "DELETE")
    check_form()
    if signed_in() is None:
        return _to_sign_in()
    try:
        return _send_code(kind, id)
    except ClerkError as error:
        return _refused(error)


@blueprint.get(f"/{IN_PATH}/<id>/code")
def show_code(kind: str, id: str) -> Response:
    """The form for the code."""
    return _code_page(kind, id, None) if signed_in() else _to_sign_in()


@blueprint.post(f"/{IN_PATH}/<id>/code")
def submit_code(kind: str, id: str) -> Response:
    """Hand in the code."""
    check_form()
    if signed_in() is None:
        return _to_sign_in()
    code = request.form.get("code", "").strip()
    try:
        response_of(
            f"/me/{kind}/{id}/attempt_verification", strategy=KINDS[kind].strategy, code=code
        )
    except ClerkError as error:
        return _code_page(kind, id, error)
    return redirect(link("/user"), 303)


@blueprint.post("/external_accounts")
def connect_account() -> Response:
    """Go to a social provider, to connect an account there."""
    check_form()
    if signed_in() is None:
        return _to_sign_in()
    strategy = request.form.get("strategy", "")
    try:
        found = response_of("/me/external_accounts", strategy=strategy, redirect_url=link("/user"))
    except ClerkError as error:
        return _refused(error)
    return redirect(found["verification"]["external_verification_redirect_url"], 303)


@blueprint.post("/external_accounts/<id>/remove")
def disconnect_account(id: str) -> Response:
    """Disconnect one."""
    return _change(f"/me/external_accounts/{id}", "DELETE")


@blueprint.post("/sessions/<id>/revoke")
def revoke_session(id: str) -> Response:
    """Sign another browser out."""
    return _change(f"/me/sessions/{id}/revoke", "POST")


@blueprint.post("/accounts/<id>/switch")
def switch_account(id: str) -> Response:
    """Go on as somebody else who is signed in in this browser, too."""
    return _change(f"/client/sessions/{id}/touch", "POST")


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
        return _to_sign_in()
    return render("delete.html", user=current[1])


@blueprint.post("/delete")
def delete() -> Response:
    """Delete the account, and back to the app's login page."""
    check_form()
    if signed_in() is not None:
        try:
            response_of("/me", "DELETE")
        except ClerkError as error:
            return _refused(error)
    return leave(AFTER_DELETION)


def _change(path: str, method: str, **form: str) -> Response:
    """Do it in the Frontend API, and show the profile again."""
    check_form()
    if signed_in() is None:
        return _to_sign_in()
    try:
        response_of(path, method, **form)
    except ClerkError as error:
        return _refused(error)
    return redirect(link("/user"), 303)


def _send_code(kind: str, id: str) -> Response:
    response_of(f"/me/{kind}/{id}/prepare_verification", strategy=KINDS[kind].strategy)
    return redirect(link(f"/user/{kind}/{id}/code"), 303)


def _to_sign_in() -> Response:
    return redirect(link("/sign-in"), 303)


def _refused(error: ClerkError) -> Response:
    return confirm_first() if error.code == NEEDED else _profile(error)


def _profile(error: ClerkError | None) -> Response:
    current = signed_in()
    settings = current_clerk().settings
    return render(
        "user.html",
        user=response_of("/me", "GET"),
        sessions=rows_of("/me/sessions/active"),
        current_id=current[0].id if current else "",
        multi_session=settings.sessions.multi_session,
        accounts=response_of("/client", "GET")["sessions"],
        attributes=settings.attributes,
        providers=social_providers(),
        organizations=settings.organizations.enabled,
        ask_current=not settings.sessions.reverification,
        error=error,
    )


def _code_page(kind: str, id: str, error: ClerkError | None) -> Response:
    try:
        found: dict[str, Any] = response_of(f"/me/{kind}/{id}", "GET")
    except ClerkError as missing:
        return _refused(missing)
    return render(
        "verify.html",
        what="email" if kind == "email_addresses" else "phone number",
        to=found[KINDS[kind].name],
        by_link=False,
        action=f"/user/{kind}/{id}/code",
        back="/user",
        error=error,
    )
