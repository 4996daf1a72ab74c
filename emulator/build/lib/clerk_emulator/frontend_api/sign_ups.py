"""``/client/sign_ups``: registration by Clerk's form."""

from __future__ import annotations

from flask import Blueprint, request

from ..clerk import base_url, current_clerk
from ..dev_browser import current_visitor
from ..errors import not_found, unsupported_strategy
from ..oauth import begin_oauth_sign_up, is_oauth, transfer_to_sign_up
from ..resources import Client, SignUp
from ..serializers import Json, sign_up_json
from ..sign_up_fields import required_fields
from ..sign_up_if_missing import proved_identifier, sign_up_with_proof
from ..sign_up_verifications import attempt_verification, prepare_verification
from ..sign_ups import (
    SignUpDetails,
    begin_sign_up,
    finish_sign_up,
    update_sign_up,
)
from .browser import answer, current_client, refuse_when_signed_in
from .forms import metadata_field

blueprint = Blueprint("sign_ups", __name__, url_prefix="/client/sign_ups")

STRATEGIES = ("", "email_code", "email_link", "phone_code", "password", "ticket")


@blueprint.post("")
def create_sign_up() -> Json:
    """Start registration with whatever the form has."""
    client = current_client()
    refuse_when_signed_in(client)
    clerk = current_clerk()
    if request.form.get("transfer") == "true":
        return _answer(client, _transfer(client))
    sign_up = begin_sign_up(clerk, client, _details())
    _visit_provider(client, sign_up)
    if request.form.get("strategy") == "phone_code" and sign_up.phone_number is not None:
        channel = request.form.get("channel", "")
        prepare_verification(clerk, sign_up, "phone_code", channel=channel)
    return _answer(client, sign_up)


def _transfer(client: Client) -> SignUp:
    """Go on with what a sign-in has proved: an identifier, or an identity elsewhere."""
    clerk = current_clerk()
    proved = proved_identifier(clerk, client)
    if proved is not None:
        return sign_up_with_proof(clerk, client, proved, _details())
    return transfer_to_sign_up(clerk, client, _details())


@blueprint.get("/<id>")
def get_sign_up(id: str) -> Json:
    """The sign-up as it stands."""
    sign_up = _sign_up(current_client(), id)
    return answer(sign_up_json(current_clerk(), sign_up, base_url()))


@blueprint.patch("/<id>")
def patch_sign_up(id: str) -> Json:
    """Fill in more fields."""
    client = current_client()
    sign_up = _sign_up(client, id)
    update_sign_up(current_clerk(), sign_up, _details())
    _visit_provider(client, sign_up)
    return _answer(client, sign_up)


@blueprint.post("/<id>/prepare_verification")
def prepare(id: str) -> Json:
    """Ask for a code or link."""
    client = current_client()
    sign_up = _sign_up(client, id)
    prepare_verification(
        current_clerk(),
        sign_up,
        request.form.get("strategy", ""),
        redirect_url=request.form.get("redirect_url", ""),
        link_base=f"{base_url()}/v1/verify?token=",
        channel=request.form.get("channel", ""),
    )
    return _answer(client, sign_up)


@blueprint.post("/<id>/attempt_verification")
def attempt(id: str) -> Json:
    """Hand in the code; the last missing piece makes the account."""
    client = current_client()
    sign_up = _sign_up(client, id)
    form = request.form
    strategy, code = form.get("strategy", ""), form.get("code", "")
    attempt_verification(current_clerk(), sign_up, strategy, code)
    return _answer(client, sign_up)


def _visit_provider(client: Client, sign_up: SignUp) -> None:
    """Go on at a social provider, if the form says so."""
    strategy = request.form.get("strategy", "")
    if is_oauth(strategy):
        redirect_url = request.form.get("redirect_url", "")
        begin_oauth_sign_up(current_clerk(), client, sign_up, strategy, redirect_url)


def _sign_up(client: Client, id: str) -> SignUp:
    sign_up = current_clerk().store.get(SignUp, id)
    if sign_up is None or sign_up.client_id != client.id:
        raise not_found("Sign-up")
    return sign_up


def _answer(client: Client, sign_up: SignUp) -> Json:
    """Finish if nothing is missing any more, and answer."""
    clerk = current_clerk()
    finish_sign_up(clerk, client, sign_up, current_visitor())
    return answer(sign_up_json(clerk, sign_up, base_url()))


def _details() -> SignUpDetails:
    form = request.form
    strategy = form.get("strategy", "")
    if strategy not in STRATEGIES and not is_oauth(strategy):
        raise unsupported_strategy()
    accepted = form.get("legal_accepted")
    return SignUpDetails(
        email_address=_identifier("email_address"),
        phone_number=_identifier("phone_number"),
        username=_identifier("username"),
        password=form.get("password"),
        first_name=form.get("first_name"),
        last_name=form.get("last_name"),
        unsafe_metadata=metadata_field("unsafe_metadata"),
        legal_accepted=None if accepted is None else accepted == "true",
        locale=form.get("locale"),
        ticket=form.get("ticket", "") if strategy == "ticket" else form.get("ticket"),
    )


def _identifier(name: str) -> str | None:
    """What was typed. Clerk.js also sends fields that may be left empty, and were."""
    value = request.form.get(name)
    left_empty = value == "" and name not in required_fields(current_clerk().settings)
    return None if left_empty else value
