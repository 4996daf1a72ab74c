"""Several instances in one emulator, each with keys, state and settings of its own."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .config import EmulatorConfig, RefusalError

NEEDED = ("publishable_key", "secret_key", "app_url")
FILES = ("settings", "seeds", "state")
ALLOWED = (*NEEDED, *FILES, "name", "webhook_signing_secret", "webhook_url")


def read_instances(path: Path, common: Mapping[str, Any]) -> list[EmulatorConfig]:
    """Return the instances that a TOML file describes. Paths in it are relative to its folder.

    :param common: fields of the configuration that all instances share, such as ``port``.
    :raises RefusalError: if the file can't be read, or an entry is invalid.
    """
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("instances")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RefusalError(f"--instances: {path} can't be read: {error}.") from None
    if not isinstance(entries, list) or not entries:
        raise RefusalError(f"--instances: {path} has no [[instances]]. Expected one or more.")
    configs = [
        _config(entry, f"{path}, instances[{number}]", path.parent, common)
        for number, entry in enumerate(entries, 1)
    ]
    check_distinct(configs)
    return configs


def _config(entry: Any, where: str, folder: Path, common: Mapping[str, Any]) -> EmulatorConfig:
    if not isinstance(entry, dict):
        raise RefusalError(f"{where} is not a table.")
    for name, value in entry.items():
        if name not in ALLOWED or not isinstance(value, str):
            known = ", ".join(ALLOWED)
            raise RefusalError(
                f"{where}: {name} is unknown or not a string. Expected strings named {known}."
            )
    for name in NEEDED:
        if name not in entry:
            raise RefusalError(f"{where}: {name} is missing.")
    values = dict(common) | {name: folder / v if name in FILES else v for name, v in entry.items()}
    values.setdefault("state", folder / ".clerk-emulator" / f"{entry['publishable_key']}.sqlite3")
    try:
        return EmulatorConfig(**values)
    except RefusalError as error:
        raise RefusalError(f"{where}: {error}") from None


def check_distinct(configs: Sequence[EmulatorConfig]) -> None:
    """Refuse instances that can't be told apart.

    :raises RefusalError: if two share a key or a state file.
    """
    for name in ("publishable_key", "secret_key", "state"):
        values = [getattr(config, name) for config in configs]
        if len(set(values)) < len(values):
            raise RefusalError(
                f"Two instances have the same {name}. Expected a different one for each."
            )
