"""Reading Clerk.js's form bodies."""

from __future__ import annotations

import json
from typing import Any

from flask import request

from ..errors import invalid


def metadata_field(name: str) -> dict[str, Any] | None:
    """A form field that holds a JSON object; None if it was not sent.

    :raises ClerkError: if it holds anything else.
    """
    text = request.form.get(name)
    if text is None:
        return None
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise invalid(name, "a JSON object")
    return value
