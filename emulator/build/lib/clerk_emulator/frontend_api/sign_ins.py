"""``/client/sign_ins``: signing in by Clerk's form."""

from __future__ import annotations

from flask import Blueprint, request

from ..clerk import base_url, current_clerk
from ..dev_browser import current_visitor
from ..errors import ClerkError, not_found, unsupported_strategy
from ..oauth import begin_oauth_sign_in, is_oauth, prepare_oauth, transfer_to_sign_in
from ..passkeys import STRATEGY as PASSKEY
from ..resources import Client, SignIn
from ..serializers import Json, sign_in_json
from ..sign_in_factors import SENT_STRATEGIES
from ..sign_in_passkeys import attempt_passkey, begin_sign_in_with_passkey, prepare_passkey
from ..sign_in_second_factor import attempt_second_factor, prepare_second_factor
from ..sign_ins import (
    Wanted,
    abandon_sign_in,
    attempt_first_factor,
    begin_sign_in,
    begin_sign_in_with_ticket,
    finish_sign_in,
    prepare_first_factor,
    reset_password,
)
from ..sign_up_if_missing import TRANSFER
from .browser import answer, client_answer, current_client, refuse_when_signed_in

blueprint = Blueprint("sign_ins", __name__, url_prefix="/client/sign_ins")


@blueprint.post("")
def create_sign_in() -> Json:
    """Start signing in: with an address, perhaps with the password or a code strategy at once."""
    clerk = current_clerk()
    client = current_client()
    refuse_when_signed_in(client)
    strategy = request.form.get("strategy", "")
    if request.form.get("transfer") == "true":
        return _answer(client, transfer_to_sign_in(clerk, client))
    if is_oauth(strategy):
        redirect_url = request.form.get("redirect_url", "")
        return _answer(client, begin_oauth_sign_in(clerk, client, strategy, redirect_url))
    if strategy == "ticket" or request.form.get("ticket"):
        ticket = request.form.get("ticket", "")
        return _answer(client, begin_sign_in_with_ticket(clerk, client, ticket))
    if strategy == PASSKEY and not request.form.get("identifier"):
        return _answer(client, begin_sign_in_with_passkey(clerk, client))
    if strategy not in ("", "password", *SENT_STRATEGIES):
        raise unsupported_strategy()
    before = client.sign_in_id
    sign_in = begin_sign_in(
        clerk,
        client,
        request.form.get("identifier"),
        sign_up_if_missing=request.form.get("sign_up_if_missing") == "true",
    )
    if strategy == "password" or (not strategy and request.form.get("password")):
        try:
            attempt_first_factor(clerk, sign_in, "password", request.form.get("password", ""), "")
        except ClerkError:
            abandon_sign_in(clerk, client, sign_in, before)
            raise
    elif strategy:
        prepare_first_factor(clerk, sign_in, _wanted())
    return _answer(client, sign_in)


@blueprint.get("/<id>")
def get_sign_in(id: str) -> Json:
    """The sign-in as it stands."""
    sign_in = _sign_in(current_client(), id)
    return answer(sign_in_json(current_clerk(), sign_in, base_url()))


@blueprint.post("/<id>/prepare_first_factor")
def prepare(id: str) -> Json:
    """Ask for a code."""
    client = current_client()
    sign_in = _sign_in(client, id)
    strategy = request.form.get("strategy", "")
    if is_oauth(strategy):
        redirect_url = request.form.get("redirect_url", "")
        prepare_oauth(current_clerk(), client, sign_in, strategy, redirect_url)
    elif strategy == PASSKEY:
        prepare_passkey(current_clerk(), sign_in)
    else:
        prepare_first_factor(current_clerk(), sign_in, _wanted())
    return _answer(client, sign_in)


@blueprint.post("/<id>/attempt_first_factor")
def attempt(id: str) -> Json:
    """Hand in the password or the code."""
    client = current_client()
    sign_in = _sign_in(client, id)
    form = request.form
    if form.get("strategy") == PASSKEY:
        credential = form.get("public_key_credential", "")
        attempt_passkey(current_clerk(), client, sign_in, credential)
        return _answer(client, sign_in)
    password, code = form.get("password", ""), form.get("code", "")
    try:
        attempt_first_factor(current_clerk(), sign_in, form.get("strategy", ""), password, code)
    except ClerkError as error:
        if error.code == TRANSFER:
            error.client = client_answer(client)
        raise
    return _answer(client, sign_in)


@blueprint.post("/<id>/prepare_second_factor")
def prepare_second(id: str) -> Json:
    """Ask for a code or link in the second step."""
    client = current_client()
    sign_in = _sign_in(client, id)
    prepare_second_factor(current_clerk(), sign_in, _wanted())
    return _answer(client, sign_in)


@blueprint.post("/<id>/attempt_second_factor")
def attempt_second(id: str) -> Json:
    """Hand in the second factor."""
    client = current_client()
    sign_in = _sign_in(client, id)
    strategy, code = request.form.get("strategy", ""), request.form.get("code", "")
    attempt_second_factor(current_clerk(), sign_in, strategy, code)
    return _answer(client, sign_in)


@blueprint.post("/<id>/reset_password")
def reset(id: str) -> Json:
    """Choose a new password, after a reset code."""
    client = current_client()
    sign_in = _sign_in(client, id)
    others = request.form.get("sign_out_of_other_sessions") == "true"
    password = request.form.get("password", "")
    reset_password(current_clerk(), sign_in, password, sign_out_others=others)
    return _answer(client, sign_in)


def _wanted() -> Wanted:
    form = request.form
    return Wanted(
        form.get("strategy", ""),
        form.get("email_address_id") or form.get("phone_number_id") or "",
        form.get("redirect_url", ""),
        f"{base_url()}/v1/verify?token=",
        form.get("channel", ""),
    )


def _sign_in(client: Client, id: str) -> SignIn:
    sign_in = current_clerk().store.get(SignIn, id)
    if sign_in is None or sign_in.client_id != client.id:
        raise not_found("Sign-in")
    return sign_in


def _answer(client: Client, sign_in: SignIn) -> Json:
    """Start the session if the sign-in is complete, and answer."""
    clerk = current_clerk()
    finish_sign_in(clerk, client, sign_in, current_visitor())
    return answer(sign_in_json(clerk, sign_in, base_url()))
