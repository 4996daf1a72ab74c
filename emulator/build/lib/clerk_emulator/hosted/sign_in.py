"""``/sign-in``, and the steps that follow."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request
from werkzeug import Response

from ..clerk import current_clerk
from ..errors import ClerkError
from .csrf import check_form
from .factors import factors_page, send_factor
from .fields import identifier_field, social_providers
from .frontend import current_step, response_of
from .pages import link, may_sign_in, render
from .tasks import go_home

blueprint = Blueprint("sign_in", __name__, url_prefix="/sign-in")

STEPS = {
    "needs_first_factor": "/sign-in/factor-one",
    "needs_second_factor": "/sign-in/factor-two",
    "needs_client_trust": "/sign-in/client-trust",
    "needs_new_password": "/sign-in/reset-password",
}
FACTORS = {"factor-one": "first", "factor-two": "second", "client-trust": "second"}


@blueprint.get("")
def show() -> Response:
    """The form; straight on for a browser that is signed in."""
    if not may_sign_in():
        return go_home()
    if "__clerk_ticket" in request.args:
        return render("ticket.html", ticket=request.args["__clerk_ticket"], error=None)
    return sign_in_page(None)


@blueprint.post("")
def submit() -> Response:
    """Sign in with an identifier, and perhaps the password at once."""
    check_form()
    if not may_sign_in():
        return go_home()
    form = request.form
    details = {"identifier": form.get("identifier", "")}
    if form.get("password"):
        details |= {"strategy": "password", "password": form["password"]}
    try:
        return go_on(response_of("/client/sign_ins", **details))
    except ClerkError as error:
        return sign_in_page(error)


@blueprint.post("/ticket")
def submit_ticket() -> Response:
    """Sign in with a ticket, which the person had in a link."""
    check_form()
    ticket = request.form.get("ticket", "")
    try:
        return go_on(response_of("/client/sign_ins", strategy="ticket", ticket=ticket))
    except ClerkError as error:
        return render("ticket.html", ticket=ticket, error=error)


@blueprint.get("/<any('factor-one', 'factor-two', 'client-trust'):step>")
def show_factors(step: str) -> Response:
    """The ways to prove who one is."""
    sign_in = current_step("sign_in")
    if sign_in is None or STEPS.get(sign_in["status"]) != f"/sign-in/{step}":
        return go_on(sign_in)
    return factors_page(sign_in, FACTORS[step], f"/sign-in/{step}")


@blueprint.post("/<any('factor-one', 'factor-two', 'client-trust'):step>")
def submit_factor(step: str) -> Response:
    """Ask for a code, or hand in what was asked for."""
    check_form()
    sign_in = current_step("sign_in")
    if sign_in is None:
        return go_on(sign_in)
    try:
        path = f"/sign-in/{step}"
        sign_in = send_factor(f"/client/sign_ins/{sign_in['id']}", FACTORS[step], path)
        return go_on(sign_in)
    except ClerkError as error:
        return factors_page(current_step("sign_in") or {}, FACTORS[step], f"/sign-in/{step}", error)


@blueprint.get("/reset-password")
def show_reset() -> Response:
    """The form for a new password."""
    sign_in = current_step("sign_in")
    if sign_in is None or sign_in["status"] != "needs_new_password":
        return go_on(sign_in)
    return render("reset_password.html", action="/sign-in/reset-password", error=None)


@blueprint.post("/reset-password")
def submit_reset() -> Response:
    """Choose a new password after a reset code."""
    check_form()
    sign_in = current_step("sign_in")
    if sign_in is None:
        return go_on(sign_in)
    form = {"password": request.form.get("password", "")}
    if "sign_out_of_other_sessions" in request.form:
        form["sign_out_of_other_sessions"] = "true"
    try:
        return go_on(response_of(f"/client/sign_ins/{sign_in['id']}/reset_password", **form))
    except ClerkError as error:
        return render("reset_password.html", action="/sign-in/reset-password", error=error)


def go_on(sign_in: dict[str, Any] | None) -> Response:
    """To the page for the next step."""
    if sign_in is None:
        return redirect(link("/sign-in"), 303) if may_sign_in() else go_home()
    if sign_in["status"] == "complete":
        return go_home()
    return redirect(link(STEPS.get(sign_in["status"], "/sign-in")), 303)


def sign_in_page(error: ClerkError | None) -> Response:
    """The first page, perhaps with what went wrong."""
    settings = current_clerk().settings
    return render(
        "sign_in.html",
        identifier=identifier_field(),
        value=request.form.get("identifier", ""),
        with_password=settings.attributes.password.enabled,
        providers=social_providers(),
        mode=settings.sign_up.mode,
        error=error,
    )
