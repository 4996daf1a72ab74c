"""``/sign-up`` and ``/sign-up/verify``."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug import Response

from ..clerk import current_clerk
from ..dev_browser import current_visitor
from ..errors import ClerkError
from ..resources import SignUp
from ..sign_ups import SignUpDetails, begin_sign_up, check_code, finish_sign_up, send_code
from .csrf import check_form
from .pages import browser, leave, link, render, signed_in

blueprint = Blueprint("sign_up", __name__)

FIELDS = ("first_name", "last_name", "email_address", "password")


@blueprint.get("/sign-up")
def show() -> Response:
    """The form; straight on for a browser that is signed in."""
    return leave() if signed_in() else render("sign_up.html", values={}, error=None)


@blueprint.post("/sign-up")
def submit() -> Response:
    """Begin, and go on to the code."""
    check_form()
    if signed_in():
        return leave()
    values = {name: request.form.get(name, "") for name in FIELDS}
    clerk = current_clerk()
    try:
        with clerk.store.transaction():
            sign_up = begin_sign_up(clerk, browser(), _details(values))
            send_code(clerk, sign_up, "email_code")
    except ClerkError as error:
        return render("sign_up.html", values=values, error=error)
    return redirect(link("/sign-up/verify"), 303)


@blueprint.get("/sign-up/verify")
def show_code() -> Response:
    """The form for the code; back to the start for a browser without a sign-up."""
    if signed_in():
        return leave()
    sign_up = _sign_up()
    if sign_up is None:
        return redirect(link("/sign-up"), 303)
    return render("verify.html", email=sign_up.email_address, error=None)


@blueprint.post("/sign-up/verify")
def submit_code() -> Response:
    """Check the code, make the account, sign in."""
    check_form()
    sign_up = _sign_up()
    if sign_up is None:
        return redirect(link("/sign-up"), 303)
    clerk = current_clerk()
    try:
        with clerk.store.transaction():
            check_code(clerk, sign_up, request.form.get("code", "").strip())
            finish_sign_up(clerk, browser(), sign_up, current_visitor())
    except ClerkError as error:
        return render("verify.html", email=sign_up.email_address, error=error)
    return leave()


def _details(values: dict[str, str]) -> SignUpDetails:
    return SignUpDetails(
        email_address=values["email_address"],
        password=values["password"],
        first_name=values["first_name"],
        last_name=values["last_name"],
    )


def _sign_up() -> SignUp | None:
    """The browser's sign-up, if it has got as far as the code."""
    sign_up = current_clerk().store.get(SignUp, browser().sign_up_id)
    return sign_up if sign_up and sign_up.code_sent and not sign_up.created_user_id else None
