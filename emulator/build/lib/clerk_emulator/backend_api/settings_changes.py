"""Changing the instance's settings on the word of the app's server."""

from __future__ import annotations

from typing import Any

from ..clerk import current_clerk
from ..errors import ClerkError
from ..settings import SettingsError


def switch(tables: dict[str, Any]) -> None:
    """Change settings from now on.

    :raises ClerkError: 422 for a value that makes no sense.
    """
    try:
        current_clerk().source.switch(tables)
    except SettingsError as error:
        raise ClerkError("form_param_value_invalid", str(error)) from None


def chosen(body: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """What the request changes, under the settings' own names.

    :param names: name in the request → name in the settings.
    """
    return {ours: body[name] for name, ours in names.items() if body.get(name) is not None}
