"""``/dev_browser`` and ``/client``: how a browser introduces itself, and what it has."""

from __future__ import annotations

from flask import Blueprint

from ..clerk import current_clerk
from ..serializers import Json
from ..sessions import end_client_sessions, new_client
from .browser import answer, client_answer, current_client

blueprint = Blueprint("client", __name__)


@blueprint.post("/dev_browser")
def create_dev_browser() -> Json:
    """Give a browser the token that it is known by from now on."""
    client = new_client(current_clerk())
    return {"object": "dev_browser", "id": client.dev_browser, "token": client.dev_browser}


@blueprint.get("/client")
def get_client() -> Json:
    """Everything the browser has; Clerk.js asks on every load."""
    return {"response": client_answer(current_client()), "client": None}


@blueprint.put("/client")
def put_client() -> Json:
    """The same, for ``Clerk.client.create()``."""
    return answer(client_answer(current_client()))


@blueprint.delete("/client")
def delete_client() -> Json:
    """Sign out of everything, for ``Clerk.client.destroy()``."""
    client = current_client()
    end_client_sessions(current_clerk(), client, "ended")
    return answer({"object": "client", "id": client.id, "deleted": True})


@blueprint.delete("/client/sessions")
def delete_sessions() -> Json:
    """Sign out, as ``Clerk.signOut()`` does in single-session mode."""
    end_client_sessions(current_clerk(), current_client(), "removed")
    return answer(client_answer(current_client()))
