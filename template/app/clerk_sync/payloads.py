"""Turns Clerk's JSON into column values that the database is sure to accept."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]
Row = dict[str, Any]

_ID = re.compile(r"[!-~]{1,64}\Z")
_LAST_MOMENT = 253_402_300_799_999
"""Unix milliseconds: the end of the year 9999, the last that databases can store."""


class InvalidRecord(ValueError):
    """An object has no usable ID, so there is no row for it."""


def user_row(data: Json) -> Row:
    """The columns of ``users``.

    :param data: a user from the Backend API or a webhook
        (https://clerk.com/docs/reference/backend-api).
    :raises InvalidRecord: it has no usable ID.
    """
    # Left out if Clerk doesn't say, so that such an event never lifts a ban.
    flags = {name: data[name] for name in ("banned", "locked") if type(data.get(name)) is bool}
    return _common_columns(data) | {
        "email": _primary(data, "email_address", 320),
        "phone_number": _primary(data, "phone_number", 32),
        "username": _text(data.get("username"), 255),
        "first_name": _text(data.get("first_name"), 255),
        "last_name": _text(data.get("last_name"), 255),
        "image_url": _text(data.get("image_url"), 2048),
        **flags,
    }


def organization_row(data: Json) -> Row:
    """The columns of ``organizations``; parameters and errors as for :func:`user_row`."""
    slug = _text(data.get("slug"), 255)
    return _common_columns(data) | {
        "name": _text(data.get("name"), 255) or slug or "",
        "slug": slug,
        "image_url": _text(data.get("image_url"), 2048),
    }


def membership_row(data: Json) -> Row:
    """The columns of ``memberships``.

    :param data: a membership from the Backend API or a webhook.
    :raises InvalidRecord: the membership, its organization or its user has no usable ID.
    """
    return _common_columns(data) | {
        "organization_id": read_id(_object(data.get("organization")).get("id")),
        "user_id": read_id(_object(data.get("public_user_data")).get("user_id")),
        "role": _text(data.get("role"), 255) or "",
    }


def partial_organization_row(membership: Json) -> Row:
    """The organization as its membership describes it: version 0, so any event completes it."""
    return organization_row(_object(membership.get("organization"))) | {"clerk_updated_at": 0}


def partial_user_row(membership: Json) -> Row:
    """The user as a membership describes them: version 0, so any event completes it."""
    data = _object(membership.get("public_user_data"))
    identifier = _text(data.get("identifier"), 320) or ""
    email = identifier if "@" in identifier else None
    row = user_row({**data, "id": data.get("user_id")})
    return row | {"email": email, "clerk_updated_at": 0}


def read_id(value: object) -> str:
    """Check an ID of Clerk's.

    :raises InvalidRecord: it isn't 1 to 64 printable ASCII characters.
    """
    if not isinstance(value, str) or not _ID.match(value):
        raise InvalidRecord(f"expected an ID such as user_2b…, got {value!r:.80}")
    return value


def _common_columns(data: Json) -> Row:
    row = {"id": read_id(data.get("id")), "clerk_updated_at": _milliseconds(data, "updated_at")}
    created = _milliseconds(data, "created_at")
    if created:  # otherwise the column's default applies
        row["created_at"] = datetime.fromtimestamp(created / 1000, UTC)
    return row


def _milliseconds(data: Json, name: str) -> int:
    value = data.get(name)
    return value if type(value) is int and 0 < value <= _LAST_MOMENT else 0


def _primary(data: Json, name: str, longest: int) -> str | None:
    """The user's primary email address or phone number."""
    listed = data.get("email_addresses" if name == "email_address" else "phone_numbers")
    for item in listed if isinstance(listed, list) else []:
        if isinstance(item, dict) and item.get("id") == data.get(f"primary_{name}_id"):
            return _text(item.get(name), longest)
    return None


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _text(value: object, longest: int) -> str | None:
    if not isinstance(value, str):
        return None
    # JSON can hold what databases reject: lone surrogates and null characters.
    clean = value.encode("utf-8", "replace").decode().replace("\0", "")
    return clean[:longest] or None
