"""``/user/email_addresses`` and ``/user/phone_numbers``: what the signed-in user is known by."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request
from werkzeug import Response

from ..clerk import current_clerk
from ..errors import ClerkError
from ..identification_kinds import IN_PATH, KINDS
from .csrf import check_form
from .frontend import response_of
from .pages import link, render, signed_in
from .profile import back_to_profile, change, refused, to_sign_in

blueprint = Blueprint("addresses", __name__, url_prefix=f"/user/{IN_PATH}")

LINK = "email_link"


@blueprint.post("")
def add(kind: str) -> Response:
    """Add an e-mail address or phone number, and go on to its verification."""
    check_form()
    if signed_in() is None:
        return to_sign_in()
    name = KINDS[kind].name
    try:
        added = response_of(f"/me/{kind}/", **{name: request.form.get(name, "")})
        return _begin(kind, added["id"])
    except ClerkError as error:
        return refused(error)


@blueprint.post("/<id>/verify")
def verify(kind: str, id: str) -> Response:
    """Send the code or the link."""
    check_form()
    if signed_in() is None:
        return to_sign_in()
    try:
        return _begin(kind, id)
    except ClerkError as error:
        return refused(error)


@blueprint.post("/<id>/primary")
def make_primary(kind: str, id: str) -> Response:
    """Make it the one that the account is first known by."""
    return change("/me", "PATCH", "primary", **{f"primary_{KINDS[kind].name}_id": id})


@blueprint.post("/<id>/remove")
def remove(kind: str, id: str) -> Response:
    """Take it away."""
    return change(f"/me/{kind}/{id}", "DELETE", "removed")


@blueprint.get("/<id>/code")
def show_code(kind: str, id: str) -> Response:
    """The form for the code; or the wait for somebody to open the link."""
    return _code_page(kind, id, None) if signed_in() else to_sign_in()


@blueprint.post("/<id>/code")
def submit_code(kind: str, id: str) -> Response:
    """Hand in the code."""
    check_form()
    if signed_in() is None:
        return to_sign_in()
    form = {"strategy": KINDS[kind].strategy, "code": request.form.get("code", "").strip()}
    try:
        response_of(f"/me/{kind}/{id}/attempt_verification", **form)
    except ClerkError as error:
        return _code_page(kind, id, error)
    return back_to_profile("verified")


def _begin(kind: str, id: str) -> Response:
    """Send a link where the instance has them, else a code."""
    form = {"strategy": KINDS[kind].strategy}
    page = link(f"/user/{kind}/{id}/code")
    if LINK in getattr(current_clerk().settings.attributes, KINDS[kind].name).verifications:
        form = {"strategy": LINK, "redirect_url": page}
    response_of(f"/me/{kind}/{id}/prepare_verification", **form)
    return redirect(page, 303)


def _code_page(kind: str, id: str, error: ClerkError | None) -> Response:
    try:
        found: dict[str, Any] = response_of(f"/me/{kind}/{id}", "GET")
    except ClerkError as missing:
        return refused(missing)
    verification = found["verification"] or {}
    if verification.get("status") == "verified":
        return back_to_profile("verified")
    return render(
        "verify.html",
        what=KINDS[kind].label.lower(),
        to=found[KINDS[kind].name],
        by_link=verification.get("strategy") == LINK,
        action=f"/user/{kind}/{id}/code",
        back="/user",
        error=error,
    )
