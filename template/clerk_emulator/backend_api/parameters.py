"""Reading and checking what the app's server sends."""

from __future__ import annotations

from typing import Any

from flask import request

from ..errors import invalid

DEFAULT_LIMIT = 10
MAX_LIMIT = 500


def page() -> tuple[int, int]:
    """``limit`` (1 to 500, default 10) and ``offset`` of a list.

    :raises ClerkError: 422 for anything else.
    """
    limit = _number("limit", DEFAULT_LIMIT)
    offset = _number("offset", 0)
    if not 1 <= limit <= MAX_LIMIT:
        raise invalid("limit", f"between 1 and {MAX_LIMIT}")
    return limit, offset


def _number(name: str, default: int) -> int:
    text = request.args.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise invalid(name, "a whole number, not negative")
    return int(text)


def json_body() -> dict[str, Any]:
    """The request's JSON object; empty if there is no body.

    :raises ClerkError: 422 if the body is anything else.
    """
    if not request.get_data():
        return {}
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise invalid("body", "a JSON object")
    return body


def optional_text(body: dict[str, Any], name: str) -> str | None:
    """A string, or None for null or an absent field.

    :raises ClerkError: 422 for another type.
    """
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid(name, "a string")
    return value


def metadata(body: dict[str, Any], name: str) -> dict[str, Any]:
    """A JSON object; empty for null or an absent field.

    :raises ClerkError: 422 for another type.
    """
    value = body.get(name) or {}
    if not isinstance(value, dict):
        raise invalid(name, "a JSON object")
    return value
