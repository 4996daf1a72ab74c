"""``/sign-in``."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug import Response

from ..clerk import current_clerk
from ..dev_browser import current_visitor
from ..errors import ClerkError
from ..sign_ins import attempt_first_factor, begin_sign_in, finish_sign_in
from .csrf import check_form
from .pages import browser, leave, render, signed_in

blueprint = Blueprint("sign_in", __name__)


@blueprint.get("/sign-in")
def show() -> Response:
    """The form; straight on for a browser that is signed in."""
    return leave() if signed_in() else render("sign_in.html", identifier="", error=None)


@blueprint.post("/sign-in")
def submit() -> Response:
    """Sign in with e-mail address and password."""
    check_form()
    if signed_in():
        return leave()
    identifier = request.form.get("identifier", "")
    try:
        with current_clerk().store.transaction():
            _sign_in(identifier, request.form.get("password", ""))
    except ClerkError as error:
        return render("sign_in.html", identifier=identifier, error=error)
    return leave()


def _sign_in(identifier: str, password: str) -> None:
    clerk = current_clerk()
    sign_in = begin_sign_in(clerk, browser(), identifier)
    attempt_first_factor(clerk, sign_in, "password", password, "")
    finish_sign_in(clerk, browser(), sign_in, current_visitor())
