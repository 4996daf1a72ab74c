"""Settings from tables, such as those of a TOML file, and back."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from .model import (
    Feature,
    InstanceSettings,
    JwtTemplate,
    Permission,
    Plan,
    Role,
    SocialProvider,
)

T = TypeVar("T")

ENTRIES: dict[str, Any] = {
    "social": SocialProvider(),
    "jwt_templates": JwtTemplate(),
    "organizations.roles": Role(),
    "organizations.permissions": Permission(),
    "billing.plans": Plan(),
    "billing.features": Feature(),
}
"""What a single entry of each collection starts from."""

CHOICES = {
    "sign_up.mode": ("public", "restricted", "waitlist"),
    "billing.plans.payer": ("user", "org"),
}

KINDS = {bool: "true or false", int: "a whole number, 0 or more", str: "a text"}


class SettingsError(ValueError):
    """A setting that makes no sense. The message names it, what was seen, and what was expected."""


def read_settings_file(path: Path) -> InstanceSettings:
    """Read a TOML file.

    :raises SettingsError: if it cannot be read, or a setting in it makes no sense.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"The settings file {path} can't be read: {error}.") from None
    return change_settings(InstanceSettings(), tables)


def change_settings(settings: InstanceSettings, tables: dict[str, Any]) -> InstanceSettings:
    """Settings that differ by ``tables``; a list replaces the list there was.

    :raises SettingsError: if a setting is unknown or has a wrong value.
    """
    return _change(settings, tables, "")


def settings_as_tables(settings: InstanceSettings) -> dict[str, Any]:
    """All settings as plain tables and lists, for JSON."""
    return dataclasses.asdict(settings)


def _change(current: T, tables: Any, path: str) -> T:
    if not isinstance(tables, dict):
        raise SettingsError(f"{path or 'settings'} is {tables!r}; expected a table.")
    known = {field.name for field in dataclasses.fields(current)}  # type: ignore[arg-type]
    for name in tables:
        if name not in known:
            raise SettingsError(
                f"{_join(path, name)} is not a setting; expected one of {', '.join(sorted(known))}."
            )
    changes = {
        name: _value(getattr(current, name), value, _join(path, name))
        for name, value in tables.items()
    }
    return dataclasses.replace(current, **changes)  # type: ignore[type-var]


def _value(current: Any, value: Any, path: str) -> Any:
    if dataclasses.is_dataclass(current):
        return _change(current, value, path)
    if isinstance(current, dict):
        return _mapping(current, value, path)
    if isinstance(current, tuple):
        return _sequence(value, path)
    right = isinstance(value, type(current)) and isinstance(value, bool) is isinstance(
        current, bool
    )
    if not right or (isinstance(value, int) and value < 0):
        raise SettingsError(f"{path} is {value!r}; expected {KINDS[type(current)]}.")
    if path in CHOICES and value not in CHOICES[path]:
        raise SettingsError(f"{path} is {value!r}; expected one of {', '.join(CHOICES[path])}.")
    return value


def _mapping(current: dict[str, Any], value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SettingsError(f"{path} is {value!r}; expected a table.")
    start = ENTRIES.get(path)
    if start is None:  # free-form, such as the claims of a token
        return value
    changed = {
        name: _change(current.get(name, start), entry, _join(path, name))
        for name, entry in value.items()
    }
    return current | changed


def _sequence(value: Any, path: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise SettingsError(f"{path} is {value!r}; expected a list.")
    start = ENTRIES.get(path)
    if start is not None:
        return tuple(_change(start, entry, path) for entry in value)
    if not all(isinstance(entry, str) for entry in value):
        raise SettingsError(f"{path} is {value!r}; expected a list of strings.")
    return tuple(value)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
