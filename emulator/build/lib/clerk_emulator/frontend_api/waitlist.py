"""``/waitlist``: asking to be let in."""

from __future__ import annotations

from flask import Blueprint, request

from ..clerk import current_clerk
from ..serializers import Json
from ..waitlist import join_waitlist

blueprint = Blueprint("waitlist", __name__)


@blueprint.post("/waitlist")
def join() -> Json:
    """Put an address on the waitlist. Nobody is told how far others have got.

    Clerk.js reads this answer as it is: there is no ``response`` around it.
    """
    entry = join_waitlist(current_clerk(), request.form.get("email_address", ""))
    return {
        "object": "waitlist",
        "id": entry.id,
        "created_at": entry.created_at,
        "updated_at": entry.updated_at,
    }
