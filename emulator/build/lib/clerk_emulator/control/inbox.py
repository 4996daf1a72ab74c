"""``/emulator/inbox``: every e-mail and SMS that would have been sent."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, request

from ..backend_api.parameters import page
from ..clerk import current_clerk
from ..resources import Message

blueprint = Blueprint("inbox", __name__, url_prefix="/inbox")


@blueprint.get("")
def get_inbox() -> dict[str, Any]:
    """Messages, newest first; ``to`` narrows them down to one address or phone number."""
    store, wanted = current_clerk().store, _wanted()
    limit, offset = page()
    found = store.find(Message, newest_first=True, limit=limit, offset=offset, **wanted)
    return {
        "data": [asdict(message) for message in found],
        "total_count": store.count(Message, **wanted),
    }


@blueprint.delete("")
def delete_inbox() -> dict[str, Any]:
    """Throw all messages away, or those to one address or phone number."""
    store = current_clerk().store
    found = store.find(Message, **_wanted())
    for message in found:
        store.delete(message)
    return {"object": "inbox", "deleted": len(found)}


def _wanted() -> dict[str, Any]:
    to = request.args.get("to")
    return {} if to is None else {"to": to.strip().lower()}
