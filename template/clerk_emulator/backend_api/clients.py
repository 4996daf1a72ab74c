"""``/clients``: fetching the payload of a handshake."""

from __future__ import annotations

from flask import Blueprint, request

from ..clerk import current_clerk
from ..errors import not_found
from ..handshakes import redeem_nonce
from ..serializers import Json

blueprint = Blueprint("clients", __name__, url_prefix="/clients")


@blueprint.get("/handshake_payload")
def get_handshake_payload() -> Json:
    """The Set-Cookie strings behind a nonce: once, and within a minute."""
    directives = redeem_nonce(current_clerk(), request.args.get("nonce", ""))
    if directives is None:
        raise not_found("Handshake payload")
    return {"directives": directives}
