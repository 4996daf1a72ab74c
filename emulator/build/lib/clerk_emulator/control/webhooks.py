"""``/emulator/webhooks``: what was sent to the app, and what it answered."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from flask import Blueprint

from ..backend_api.parameters import page
from ..clerk import current_clerk
from ..resources import Event

blueprint = Blueprint("webhooks", __name__, url_prefix="/webhooks")


@blueprint.get("")
def get_webhooks() -> dict[str, Any]:
    """Webhooks, newest first, each with its attempts."""
    store = current_clerk().store
    limit, offset = page()
    found = store.find(Event, newest_first=True, limit=limit, offset=offset)
    return {"data": [_event_json(event) for event in found], "total_count": store.count(Event)}


def _event_json(event: Event) -> dict[str, Any]:
    shown = asdict(event)
    shown["body"] = json.loads(event.body)
    return shown
