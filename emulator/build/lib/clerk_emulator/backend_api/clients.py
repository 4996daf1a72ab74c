"""``/clients``: browsers, and fetching the payload of a handshake."""

from __future__ import annotations

from flask import Blueprint, request

from ..clerk import current_clerk
from ..errors import not_found
from ..handshakes import redeem_nonce
from ..resources import Client
from ..serializers import Json
from ..serializers.backend_clients import backend_client_json
from ..sessions import client_of
from .parameters import json_body, one_page, query_flag, required_text

blueprint = Blueprint("clients", __name__, url_prefix="/clients")


@blueprint.get("/handshake_payload")
def get_handshake_payload() -> Json:
    """The Set-Cookie strings behind a nonce: once, and within a minute."""
    directives = redeem_nonce(current_clerk(), request.args.get("nonce", ""))
    if directives is None:
        raise not_found("Handshake payload")
    return {"directives": directives}


@blueprint.get("")
def list_clients() -> list[Json] | Json:
    """All browsers, newest first."""
    clerk = current_clerk()
    found = clerk.store.find(Client, newest_first=True)
    answer = [backend_client_json(clerk, client) for client in one_page(found)]
    return {"data": answer, "total_count": len(found)} if query_flag("paginated") else answer


@blueprint.post("/verify")
def verify_client() -> Json:
    """The browser that has this token; in development that is the dev browser's."""
    clerk = current_clerk()
    client = client_of(clerk, required_text(json_body(), "token"))
    if client is None:
        raise not_found("Client")
    return backend_client_json(clerk, client)


@blueprint.get("/<id>")
def get_client(id: str) -> Json:
    """One browser."""
    client = current_clerk().store.get(Client, id)
    if client is None:
        raise not_found("Client")
    return backend_client_json(current_clerk(), client)
