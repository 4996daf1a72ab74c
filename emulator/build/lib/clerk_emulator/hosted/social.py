"""Social login on the hosted pages: off to the provider, and back."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request
from werkzeug import Response

from ..errors import ClerkError, unsupported_strategy
from . import sign_in, sign_up
from .csrf import check_form
from .frontend import current_step, response_of
from .pages import link

blueprint = Blueprint("social", __name__)


@blueprint.post("/sign-in/social")
def start_sign_in() -> Response:
    """Go to the provider, to sign in."""
    check_form()
    strategy = request.form.get("strategy", "")
    try:
        found = response_of(
            "/client/sign_ins", strategy=strategy, redirect_url=link("/sign-in/callback")
        )
        return _leave_for(found["first_factor_verification"])
    except ClerkError as error:
        return sign_in.sign_in_page(error)


@blueprint.post("/sign-up/social")
def start_sign_up() -> Response:
    """Go to the provider, to register."""
    check_form()
    form = {"strategy": request.form.get("strategy", "")} | sign_up.legal_consent()
    try:
        found = response_of("/client/sign_ups", redirect_url=link("/sign-up/callback"), **form)
        return _leave_for(found["verifications"]["external_account"])
    except ClerkError as error:
        return sign_up.sign_up_page(error)


@blueprint.get("/sign-in/callback")
def finish_sign_in() -> Response:
    """Back with an account, without one (which becomes a registration), or refused."""
    found = current_step("sign_in")
    if found is None:
        return sign_in.go_on(None)
    visit = found["first_factor_verification"] or {}
    try:
        if visit.get("status") == "transferable":
            return sign_up.go_on(response_of("/client/sign_ups", transfer="true"))
        _refuse(visit)
        return sign_in.go_on(found)
    except ClerkError as error:
        return sign_in.sign_in_page(error)


@blueprint.get("/sign-up/callback")
def finish_sign_up() -> Response:
    """Back as somebody new, as somebody known (which becomes a sign-in), or refused."""
    found = current_step("sign_up")
    if found is None:
        return sign_up.go_on(None)
    visit = found["verifications"]["external_account"] or {}
    try:
        if visit.get("status") == "transferable":
            return sign_in.go_on(response_of("/client/sign_ins", transfer="true"))
        _refuse(visit)
        return sign_up.go_on(found)
    except ClerkError as error:
        return sign_up.sign_up_page(error)


def _leave_for(visit: dict[str, Any] | None) -> Response:
    if not visit:
        raise unsupported_strategy()
    return redirect(visit["external_verification_redirect_url"], 303)


def _refuse(visit: dict[str, Any]) -> None:
    error = visit.get("error")
    if error:
        raise ClerkError(error["code"], error["long_message"])
