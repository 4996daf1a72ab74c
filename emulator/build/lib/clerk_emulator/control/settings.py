"""``/emulator/settings``: what the instance allows, read and switched."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from ..backend_api.parameters import json_body
from ..clerk import current_clerk
from ..errors import ClerkError
from ..settings import InstanceSettings, SettingsError, settings_as_tables

blueprint = Blueprint("settings", __name__, url_prefix="/settings")


@blueprint.get("")
def get_settings() -> dict[str, Any]:
    """All settings that hold now."""
    return settings_as_tables(current_clerk().settings)


@blueprint.patch("")
def patch_settings() -> dict[str, Any]:
    """Switch what is named, over the settings file; a null takes a switch back."""
    source = current_clerk().source
    try:
        return settings_as_tables(source.switch(json_body()))
    except SettingsError as error:
        raise settings_problem(error) from None


@blueprint.put("")
def put_settings() -> dict[str, Any]:
    """Let exactly these switches lie over the settings file."""
    return _replace(json_body())


@blueprint.delete("")
def delete_settings() -> dict[str, Any]:
    """Take all switches back: only the settings file counts."""
    return _replace({})


def _replace(tables: dict[str, Any]) -> dict[str, Any]:
    try:
        settings: InstanceSettings = current_clerk().source.replace(tables)
    except SettingsError as error:
        raise settings_problem(error) from None
    return settings_as_tables(settings)


def settings_problem(error: SettingsError) -> ClerkError:
    """422 for a setting that makes no sense."""
    return ClerkError("form_param_value_invalid", str(error), 422, param="settings")
