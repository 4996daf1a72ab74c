"""Where an instance's settings come from: the file, and what was switched since."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from ..metadata import merge
from ..store import Store
from .model import InstanceSettings
from .reading import SettingsError, change_settings, read_settings_file

log = logging.getLogger(__name__)

SWITCHED = "switched_settings"


class SettingsSource:
    """The settings that hold now. Both the file and the switches may change while we run.

    :param store: remembers what was switched, as tables that lie over the file's.
    :param path: the TOML file; None for the defaults.
    :raises SettingsError: if the file cannot be read or makes no sense.
    """

    def __init__(self, store: Store, path: Path | None) -> None:
        self._store = store
        self._path = path
        self._seen: tuple[object, str | None] = ()  # type: ignore[assignment]
        self._base = read_settings_file(path) if path else InstanceSettings()
        self._current = self._base
        self._stamp = _stamp(path)
        self.problem = ""
        """Why the file that is there now does not count; empty: it does."""

    def current(self) -> InstanceSettings:
        """The settings now. A file that has become unreadable leaves the last good ones."""
        stamp, switched = _stamp(self._path), self._store.setting(SWITCHED)
        if (stamp, switched) != self._seen:
            self._read(stamp)
            self._current = self._apply(switched)
            self._seen = (stamp, switched)
        return self._current

    def _read(self, stamp: object) -> None:
        if self._path is None or stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._base = read_settings_file(self._path)
            self.problem = ""
        except SettingsError as error:
            self.problem = str(error)
            log.error("%s The previous settings stay in effect.", error)

    def _apply(self, switched: str | None) -> InstanceSettings:
        try:
            return change_settings(self._base, json.loads(switched) if switched else {})
        except SettingsError as error:  # written by an older version of this program
            log.error("Changes made in the dashboard are invalid and not used: %s", error)
            return self._base

    def switched(self) -> dict[str, Any]:
        """The switches alone."""
        found: dict[str, Any] = json.loads(self._store.setting(SWITCHED) or "{}")
        return found

    def switch(self, tables: dict[str, Any]) -> InstanceSettings:
        """Change settings from now on, also after a restart; a null takes a switch back.

        :raises SettingsError: if a setting is unknown or has a wrong value.
        """
        merged = merge(self.switched(), tables)
        return self.replace(merged)

    def replace(self, tables: dict[str, Any]) -> InstanceSettings:
        """Let exactly these tables lie over the file's; none of them: only the file counts.

        :raises SettingsError: if a setting is unknown or has a wrong value.
        """
        change_settings(self._base, tables)
        self._store.set_setting(SWITCHED, json.dumps(tables))
        return self.current()


def _stamp(path: Path | None) -> object:
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size) if found else None
