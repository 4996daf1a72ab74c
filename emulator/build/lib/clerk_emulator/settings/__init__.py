"""What an instance allows: one TOML file, or switches of the dashboard."""

from .model import InstanceSettings
from .reading import SettingsError, change_settings, read_settings_file, settings_as_tables

__all__ = [
    "InstanceSettings",
    "SettingsError",
    "change_settings",
    "read_settings_file",
    "settings_as_tables",
]
