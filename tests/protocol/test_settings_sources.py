"""Settings: where they come from, which Clerk they select, and how they are printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import settings
from app.settings import SettingsError, read_environment, read_settings
from tests.signing import publishable_key

LOCAL = publishable_key("local-acme-1.clerk.accounts.dev")
EMULATOR = {"CLERK_EMULATOR_URL": "http://127.0.0.1:5001", "CLERK_API_URL": ""}


def test_the_process_environment_overrides_the_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("SECRET_KEY=from the file\nCLERK_JWT_KEY=from the file\n")
    monkeypatch.setattr(settings, "ENV_FILE", tmp_path / ".env")
    monkeypatch.setenv("SECRET_KEY", "from the process")
    monkeypatch.delenv("CLERK_JWT_KEY", raising=False)
    environ = read_environment()
    assert environ["SECRET_KEY"] == "from the process"
    assert environ["CLERK_JWT_KEY"] == "from the file"


def test_with_local_keys_the_local_clerk_is_used(environ: dict[str, str]) -> None:
    clerk = read_settings(environ | EMULATOR | {"CLERK_PUBLISHABLE_KEY": LOCAL}).clerk
    assert (clerk.api_url, clerk.proxy_url) == ("http://127.0.0.1:5001/api", "/__clerk")


def test_with_other_keys_the_local_clerk_is_ignored(environ: dict[str, str]) -> None:
    read = read_settings(environ | EMULATOR)
    assert read.emulator_url == ""
    assert (read.clerk.api_url, read.clerk.proxy_url) == ("https://api.clerk.com", "")


def test_secrets_never_appear_when_settings_are_printed(environ: dict[str, str]) -> None:
    printed = repr(read_settings(environ | {"DATABASE_URL": "sqlite:////hunter2/app.db"}))
    for secret in (environ["SECRET_KEY"], "sk_test_secret", "hunter2"):
        assert secret not in printed


def test_without_an_env_file_the_message_says_how_to_create_one(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "ENV_FILE", tmp_path / ".env")
    with pytest.raises(SettingsError, match="flask clerk doctor --fix"):
        read_settings(environ | {"SECRET_KEY": ""})
