"""``/sign-up``, and the steps that follow."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request
from werkzeug import Response

from ..clerk import current_clerk
from ..errors import ClerkError
from .csrf import check_form
from .fields import FIELDS, Field, field_named, sign_up_fields, social_providers
from .frontend import current_step, response_of
from .pages import link, may_sign_in, render
from .tasks import go_home

blueprint = Blueprint("sign_up", __name__, url_prefix="/sign-up")

STRATEGIES = {"email_address": "email_code", "phone_number": "phone_code"}


@blueprint.get("")
def show() -> Response:
    """The form; straight on for a browser that is signed in, or comes from a provider.

    Clerk.js leads here with the next step in the fragment, which no server sees.
    """
    if not may_sign_in():
        return go_home()
    sign_up = None if "again" in request.args else current_step("sign_up")
    visit = sign_up and sign_up["verifications"].get("external_account")
    waits = sign_up and sign_up["unverified_fields"] and not sign_up["missing_fields"]
    return go_on(sign_up) if waits and visit and not visit["error"] else sign_up_page(None)


@blueprint.post("")
def submit() -> Response:
    """Begin, and go on to what is missing."""
    check_form()
    if not may_sign_in():
        return go_home()
    try:
        return _begin(_details())
    except ClerkError as error:
        return sign_up_page(error)


def _begin(details: dict[str, str]) -> Response:
    ticket = request.form.get("ticket")
    if ticket:
        details |= {"strategy": "ticket", "ticket": ticket}
    with current_clerk().store.transaction():
        return go_on(response_of("/client/sign_ups", **details))


@blueprint.get("/continue")
def show_missing() -> Response:
    """The form for what is missing."""
    sign_up = current_step("sign_up")
    if sign_up is None or not sign_up["missing_fields"]:
        return go_on(sign_up)
    return _missing_page(sign_up, None)


@blueprint.post("/continue")
def submit_missing() -> Response:
    """Fill in what was missing."""
    check_form()
    sign_up = current_step("sign_up")
    if sign_up is None:
        return go_on(sign_up)
    try:
        with current_clerk().store.transaction():
            return go_on(response_of(f"/client/sign_ups/{sign_up['id']}", "PATCH", **_details()))
    except ClerkError as error:
        return _missing_page(sign_up, error)


@blueprint.get("/verify")
def show_code() -> Response:
    """The form for the code; back to the start for a browser without a sign-up."""
    sign_up = current_step("sign_up")
    if sign_up is None or not sign_up["unverified_fields"]:
        return go_on(sign_up)
    return _code_page(sign_up, None)


@blueprint.post("/verify")
def submit_code() -> Response:
    """Check the code; the last missing piece makes the account and signs in."""
    check_form()
    sign_up = current_step("sign_up")
    if sign_up is None or not sign_up["unverified_fields"]:
        return go_on(sign_up)
    strategy = _strategy(sign_up, sign_up["unverified_fields"][0])
    form = {"strategy": strategy, "code": request.form.get("code", "").strip()}
    try:
        return go_on(response_of(f"{_path(sign_up)}/attempt_verification", **form))
    except ClerkError as error:
        return _code_page(sign_up, error)


def go_on(sign_up: dict[str, Any] | None) -> Response:
    """To the page for the next step; a code is sent on the way."""
    if sign_up is None:
        return redirect(link("/sign-up"), 303) if may_sign_in() else go_home()
    if sign_up["status"] == "complete":
        return go_home()
    if sign_up["missing_fields"]:
        return redirect(link("/sign-up/continue"), 303)
    if not sign_up["unverified_fields"]:
        return redirect(link("/sign-up"), 303)
    form = {"strategy": _strategy(sign_up, sign_up["unverified_fields"][0])}
    if form["strategy"] == "email_link":
        form["redirect_url"] = link("/sign-up/verify")
    response_of(f"{_path(sign_up)}/prepare_verification", **form)
    return redirect(link("/sign-up/verify"), 303)


def _strategy(sign_up: dict[str, Any], field: str) -> str:
    verification = sign_up["verifications"].get(field) or {}
    strategies: list[str] = verification.get("supported_strategies") or []
    usual = STRATEGIES.get(field, "")
    return usual if usual in strategies or not strategies else strategies[0]


def _path(sign_up: dict[str, Any]) -> str:
    return f"/client/sign_ups/{sign_up['id']}"


def _details() -> dict[str, str]:
    """What was filled in: an empty field counts as not sent, except where it is required."""
    form = request.form
    required = {field.name for field in sign_up_fields() if field.required}
    named = {name: form[name] for name in FIELDS if name in form}
    found = {name: value for name, value in named.items() if value or name in required}
    return found | legal_consent()


def legal_consent() -> dict[str, str]:
    """Whether the box was ticked, as the Frontend API wants to hear it."""
    return {"legal_accepted": "true"} if "legal_accepted" in request.form else {}


def sign_up_page(error: ClerkError | None) -> Response:
    """The first page, perhaps with what went wrong."""
    rules = current_clerk().settings.sign_up
    ticket = request.values.get("ticket") or request.args.get("__clerk_ticket", "")
    return render(
        "sign_up.html",
        fields=_first_fields(bool(ticket)),
        values=request.form,
        providers=social_providers(),
        ticket=ticket,
        mode=rules.mode,
        legal=_legal() if rules.legal_consent_enabled else None,
        error=error,
    )


def _first_fields(invited: bool) -> list[Field]:
    """None where nobody may sign up. An invitation knows the address already."""
    if not invited and current_clerk().settings.sign_up.mode != "public":
        return []
    return [field for field in sign_up_fields() if not invited or field.name != "email_address"]


def _legal() -> dict[str, str]:
    application = current_clerk().settings.application
    return {"terms": application.terms_url, "privacy": application.privacy_policy_url}


def _missing_page(sign_up: dict[str, Any], error: ClerkError | None) -> Response:
    missing = sign_up["missing_fields"]
    fields = [field_named(name, required=True) for name in FIELDS if name in missing]
    legal = _legal() if "legal_accepted" in missing else None
    return render("continue.html", fields=fields, values=request.form, legal=legal, error=error)


def _code_page(sign_up: dict[str, Any], error: ClerkError | None) -> Response:
    field = sign_up["unverified_fields"][0]
    return render(
        "verify.html",
        what="email" if field == "email_address" else "phone number",
        to=sign_up[field],
        by_link=_strategy(sign_up, field) == "email_link",
        action="/sign-up/verify",
        back="/sign-up?again=1",
        error=error,
    )
