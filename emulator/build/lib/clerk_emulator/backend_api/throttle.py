"""``/emulator/throttle``: on request, the next calls are one too many, as at Clerk's limits."""

from __future__ import annotations

import json

from flask import Blueprint, Response, jsonify

from ..clerk import current_clerk
from ..errors import ClerkError
from ..serializers import Json
from .parameters import json_body, whole_number

blueprint = Blueprint("throttle", __name__, url_prefix="/emulator/throttle")

SETTING = "throttle"
ENDPOINT = "backend_api.throttle."


@blueprint.put("")
def put_throttle() -> Json:
    """Let the next ``requests`` calls fail with 429 and ``Retry-After: retry_after`` (seconds)."""
    body = json_body()
    wanted = {
        "requests": whole_number(body, "requests") or 0,
        "retry_after": whole_number(body, "retry_after") or 0,
    }
    current_clerk().store.set_setting(SETTING, json.dumps(wanted))
    return wanted


def refuse_when_throttled(endpoint: str | None) -> Response | None:
    """The 429 answer, if this call is one of those that were asked to fail."""
    if (endpoint or "").startswith(ENDPOINT):
        return None
    store = current_clerk().store
    with store.transaction():
        state = json.loads(store.setting(SETTING) or "{}")
        if not state.get("requests"):
            return None
        state["requests"] -= 1
        store.set_setting(SETTING, json.dumps(state))
    message = "Too many requests. Please try again in a bit."
    answer = jsonify(ClerkError("too_many_requests", message, 429).as_json())
    answer.status_code = 429
    answer.headers["Retry-After"] = str(state["retry_after"])
    return answer
