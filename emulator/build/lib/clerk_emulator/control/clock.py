"""``/emulator/clock``: time travel. The clock goes on ticking from wherever it was put."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from ..backend_api.parameters import json_body
from ..clerk import current_clerk
from ..errors import invalid

blueprint = Blueprint("clock", __name__, url_prefix="/clock")

FURTHEST_MS = 100 * 365 * 24 * 3_600_000


@blueprint.get("")
def get_clock() -> dict[str, Any]:
    """The instance's time, and how far it is ahead of the real one."""
    clerk = current_clerk()
    return {"object": "clock", "now": clerk.now, "offset_seconds": clerk.offset / 1000}


@blueprint.post("")
def post_clock() -> dict[str, Any]:
    """``advance_seconds`` moves on from now (or back, below 0); ``at`` is unix milliseconds."""
    clerk = current_clerk()
    body = json_body()
    if set(body) == {"advance_seconds"}:
        offset = clerk.offset + 1000 * _number(body["advance_seconds"], "advance_seconds")
    elif set(body) == {"at"}:
        offset = _number(body["at"], "at") - clerk.clock()
    else:
        raise invalid("body", "an object with either advance_seconds or at")
    if abs(offset) > FURTHEST_MS:
        raise invalid("clock", "within a hundred years of the real time")
    clerk.travel(round(offset))
    return get_clock()


@blueprint.delete("")
def delete_clock() -> dict[str, Any]:
    """Back to the real time."""
    current_clerk().travel(0)
    return get_clock()


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
        raise invalid(name, "a number")
    return value
