"""``/emulator/state`` and ``/emulator/seeds``: forgetting everybody, and the cast of test users."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from ..backend_api.parameters import json_body
from ..clerk import current_clerk
from ..errors import ClerkError
from ..seeds import SeedsError, load_seeds, read_seeds

blueprint = Blueprint("state", __name__)


@blueprint.delete("/state")
def delete_state() -> dict[str, Any]:
    """Forget all users, sessions, organizations, messages and webhooks; the clock is real again.

    Keys and switched settings stay.
    """
    current_clerk().reset()
    return {"object": "state", "deleted": True}


@blueprint.post("/seeds")
def post_seeds() -> dict[str, Any]:
    """Load the tables in the body, else the seeds file that the emulator was started with."""
    clerk = current_clerk()
    tables = json_body()
    try:
        if not tables:
            tables = read_seeds(clerk.config.seeds)
        return {"object": "seeds"} | load_seeds(clerk, tables)
    except SeedsError as error:
        raise ClerkError("seeds_invalid", str(error), 422) from None
