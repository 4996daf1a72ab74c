"""The command ``clerk-emulator``: keys, defaults, subcommands."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from clerk_emulator import RefusalError, assets
from clerk_emulator.cli import main
from clerk_emulator.config import decode_frontend_api
from clerk_emulator.keys import keys_in, remembered_keys

KEYS = ("CLERK_PUBLISHABLE_KEY", "CLERK_SECRET_KEY", "CLERK_WEBHOOK_SIGNING_SECRET")
READY = "Local Clerk ready on "
LAST = "Every verification code is 424242."

Start = Callable[..., list[str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, without keys in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Starts the command and returns the lines it prints, until it is ready."""
    started: list[subprocess.Popen[str]] = []

    def start_one(*options: str, last: str = LAST) -> list[str]:
        command = [sys.executable, "-m", "clerk_emulator", "--port", "0", *options]
        process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        started.append(process)
        lines: list[str] = []
        for line in process.stdout or ():
            lines.append(line.rstrip())
            if line.startswith(last):
                return lines
        raise AssertionError(lines)

    yield start_one
    for process in started:
        process.kill()
        process.communicate()


def settings_in(lines: list[str]) -> dict[str, str]:
    """The environment variables among printed lines."""
    pairs = (line.partition("=") for line in lines if line.startswith("CLERK_"))
    return {name: value for name, _, value in pairs}


def users(settings: dict[str, str], **options: Any) -> requests.Response:
    """List users as the app's server does, with the settings that were printed."""
    headers = {"Authorization": f"Bearer {settings['CLERK_SECRET_KEY']}"} | options
    return requests.get(f"{settings['CLERK_API_URL']}/v1/users", headers=headers, timeout=10)


def test_without_keys_it_generates_them_and_prints_what_the_app_needs(
    start: Start, folder: Path
) -> None:
    lines = start()
    settings = settings_in(lines)
    url = lines[0].removeprefix(READY)
    assert decode_frontend_api(settings["CLERK_PUBLISHABLE_KEY"]).startswith("local-")
    assert settings["CLERK_WEBHOOK_SIGNING_SECRET"].startswith("whsec_")
    assert settings["CLERK_API_URL"] == f"{url}/api"
    assert settings["CLERK_PROXY_URL"] == url
    assert f"NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY={settings['CLERK_PUBLISHABLE_KEY']}" in lines
    assert users(settings).json() == []


def test_generated_keys_are_the_same_at_the_next_start(start: Start) -> None:
    first, second = settings_in(start()), settings_in(start())
    assert [first[name] for name in KEYS] == [second[name] for name in KEYS]


def test_the_default_folder_stays_out_of_git_and_its_keys_are_private(
    start: Start, folder: Path
) -> None:
    start()
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    said = subprocess.run(
        ["git", "status", "--porcelain"], cwd=folder, check=True, capture_output=True, text=True
    )
    assert said.stdout == ""
    kept = folder / ".clerk-emulator"
    assert {path.name for path in kept.iterdir()} >= {".gitignore", "keys.env", "state.sqlite3"}
    assert stat.S_IMODE((kept / "keys.env").stat().st_mode) == 0o600


def test_keys_of_the_environment_are_used_and_never_printed(
    start: Start, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    keys = remembered_keys(folder / "elsewhere")
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    lines = start(last=READY)
    url = lines[0].removeprefix(READY)
    assert len(lines) == 1
    assert users(keys | {"CLERK_API_URL": f"{url}/api"}).status_code == 200
    assert not (folder / ".clerk-emulator" / "keys.env").exists()


def test_one_key_without_the_other_is_rejected(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLERK_SECRET_KEY", "sk_test_alone")
    assert main([]) == 2
    assert "CLERK_PUBLISHABLE_KEY is not set" in capsys.readouterr().err


def test_empty_variables_count_as_unset() -> None:
    assert keys_in({"CLERK_PUBLISHABLE_KEY": "", "CLERK_SECRET_KEY": ""}) is None
    assert keys_in({"CLERK_WEBHOOK_SIGNING_SECRET": "whsec_YQ=="}) is None


def test_a_keys_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys.env").mkdir()
    with pytest.raises(RefusalError, match=r"keys\.env"):
        remembered_keys(tmp_path)


def test_other_machines_cannot_reach_it_except_in_a_container(
    start: Start, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--host", "0.0.0.0"]) == 2  # noqa: S104
    assert "--in-container" in capsys.readouterr().err
    lines = start("--in-container")
    assert lines[0].startswith(f"{READY}http://127.0.0.1:")
    settings = settings_in(lines)
    assert users(settings).status_code == 200
    assert users(settings, Host="evil.example").status_code == 403


def test_a_trusted_host_name_is_accepted(start: Start) -> None:
    settings = settings_in(start("--trusted-host", "clerk"))
    assert users(settings, Host="clerk:5001").status_code == 200
    assert users(settings, Host="clerks:5001").status_code == 403


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    for word in ("--port", "--settings", "--seeds", "assets [DIR]", "reset [STATE]"):
        assert word in said


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.startswith("clerk-emulator 0.")


def test_assets_are_downloaded_into_the_default_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Path] = []

    def fetch_bundles(target: Path) -> list[str]:
        asked.append(target)
        return []

    monkeypatch.setattr(assets, "fetch_bundles", fetch_bundles)
    assert main(["assets"]) == main(["assets", "elsewhere"]) == 0
    assert asked == [Path(".clerk-emulator/clerk-js"), Path("elsewhere")]
    assert "already in elsewhere" in capsys.readouterr().out
    assert (folder / ".clerk-emulator" / ".gitignore").read_text() == "*\n"


def test_assets_without_npm_say_what_to_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", os.fspath(folder))
    assert main(["assets"]) == 1
    assert "npm was not found" in capsys.readouterr().err


def test_reset_without_a_state_file_has_nothing_to_do(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reset"]) == 0
    assert "Nothing to delete: .clerk-emulator/state.sqlite3" in capsys.readouterr().out


def test_reset_refuses_a_file_that_is_not_a_state_file(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "notes.txt").write_text("something else entirely, " * 100)
    assert main(["reset", "notes.txt", "--yes"]) == 2
    assert "notes.txt" in capsys.readouterr().err
