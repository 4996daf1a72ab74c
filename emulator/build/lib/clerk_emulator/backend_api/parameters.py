"""Reading and checking what the app's server sends."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from flask import request

from ..clerk import current_clerk
from ..errors import ClerkError, invalid, missing, not_found
from ..resources import Resource

K = TypeVar("K", bound=Resource)
T = TypeVar("T")
R = TypeVar("R")

DEFAULT_LIMIT = 10
MAX_LIMIT = 500
METADATA_BYTES = 8192


def known(kind: type[K], id: str | None, label: str) -> K:
    """What an id in a path names.

    :param label: what it is, for people.
    :raises ClerkError: 404.
    """
    found = current_clerk().store.get(kind, id)
    if found is None:
        raise not_found(label)
    return found


def page() -> tuple[int, int]:
    """``limit`` (1 to 500, default 10) and ``offset`` of a list.

    :raises ClerkError: 422 for anything else.
    """
    limit = _number("limit", DEFAULT_LIMIT)
    offset = _number("offset", 0)
    if not 1 <= limit <= MAX_LIMIT:
        raise invalid("limit", f"between 1 and {MAX_LIMIT}")
    return limit, offset


def one_page(found: Sequence[T]) -> Sequence[T]:
    """The part of a list that the request asks for."""
    limit, offset = page()
    return found[offset : offset + limit]


def listed(found: Sequence[T], serialize: Callable[[T], R]) -> dict[str, Any]:
    """A page of a list, with the number of all."""
    return {"data": [serialize(item) for item in one_page(found)], "total_count": len(found)}


def _number(name: str, default: int) -> int:
    text = request.args.get(name, str(default)).removesuffix(".0")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise invalid(name, "a whole number, not negative")
    return int(text)


def query_time(name: str) -> int | None:
    """A time in the query, unix milliseconds; None if it is not there.

    :raises ClerkError: 422 for anything else.
    """
    text = request.args.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise invalid(name, "a time in unix milliseconds")
    return int(text)


def query_flag(name: str) -> bool | None:
    """``true`` or ``false`` in the query; None if it is not there.

    :raises ClerkError: 422 for anything else.
    """
    text = request.args.get(name)
    if text is None:
        return None
    if text not in ("true", "false"):
        raise invalid(name, "true or false")
    return text == "true"


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


def required_text(body: dict[str, Any], name: str) -> str:
    """A string that is not empty.

    :raises ClerkError: 422 ``form_param_nil`` or ``form_param_value_invalid``.
    """
    value = optional_text(body, name)
    if not value:
        raise missing(name)
    return value


def text_list(body: dict[str, Any], name: str) -> list[str]:
    """A list of strings; empty for null or an absent field.

    :raises ClerkError: 422 for another type.
    """
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise invalid(name, "a list of strings")
    return value


def flag(body: dict[str, Any], name: str, default: bool = False) -> bool:
    """True or false; ``default`` for null or an absent field.

    :raises ClerkError: 422 for another type.
    """
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise invalid(name, "true or false")
    return value


def whole_number(body: dict[str, Any], name: str, *, least: int = 0) -> int | None:
    """A whole number of at least ``least``; None for null or an absent field.

    :raises ClerkError: 422 for anything else.
    """
    value = body.get(name)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise invalid(name, f"a whole number, {least} or more")
    return value


def time_of(body: dict[str, Any], name: str) -> int | None:
    """A time as RFC 3339 text or unix milliseconds; None for null or an absent field.

    :returns: unix milliseconds.
    :raises ClerkError: 422 for anything else.
    """
    value = body.get(name)
    if not isinstance(value, str):
        return whole_number(body, name)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise invalid(name, "a time such as 2026-01-31T12:00:00Z") from None
    return round(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)


def metadata(body: dict[str, Any], name: str) -> dict[str, Any]:
    """A JSON object; empty for null or an absent field.

    :raises ClerkError: 422 for another type, or more metadata than Clerk takes.
    """
    value = body.get(name) or {}
    if not isinstance(value, dict):
        raise invalid(name, "a JSON object")
    if name.endswith("_metadata") and len(json.dumps(value).encode()) > METADATA_BYTES:
        message = f"{name} exceeds the maximum size of 8KB."
        raise ClerkError("form_param_exceeds_allowed_size", message, 422, name)
    return value
