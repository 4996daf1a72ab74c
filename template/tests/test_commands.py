"""``flask dev`` and ``flask clerk``."""

from __future__ import annotations

import re
import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from dotenv import dotenv_values
from flask import Flask
from flask.testing import FlaskClient

from app.accounts import User
from app.commands import clerk as clerk_commands
from app.commands import dev
from app.database import db
from app.settings import read_settings
from tests.conftest import flask_clerk

if TYPE_CHECKING:
    from clerk_emulator.testing import RunningClerk
    from clerk_emulator.testing import User as ClerkUser


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run commands in a folder without a developer's .env, which could change the result."""
    monkeypatch.chdir(tmp_path)


def doctor(environ: dict[str, str]) -> Result:
    """Run ``flask clerk doctor`` with these settings."""
    return CliRunner().invoke(clerk_commands, ["doctor"], env=environ)


def verdicts(result: Result) -> dict[str, str]:
    """Return the verdict on every subject in the doctor's table."""
    found = re.findall(r"^(ok|note|wrong) +(\S.{0,16}?)  +", result.output, re.MULTILINE)
    return {subject: verdict for verdict, subject in found}


def test_the_doctor_finds_no_problem(
    environ: dict[str, str], site: Flask, clerk: RunningClerk
) -> None:
    result = doctor(environ | clerk.environ)
    assert result.exit_code == 0, result.output
    assert "wrong" not in verdicts(result).values()
    assert {"Keys", "Frontend API", "Backend API", "Clock", "Database"} <= verdicts(result).keys()


def test_the_doctor_finds_a_wrong_secret_key(
    environ: dict[str, str], site: Flask, clerk: RunningClerk
) -> None:
    result = doctor(environ | clerk.environ | {"CLERK_SECRET_KEY": "sk_test_other"})
    assert result.exit_code == 1
    assert verdicts(result)["Backend API"] == "wrong"


def test_the_doctor_works_when_the_app_does_not_start(environ: dict[str, str]) -> None:
    result = doctor(environ | {"CLERK_SECRET_KEY": "sk_live_verysecret"})
    assert result.exit_code == 1
    assert verdicts(result)["Settings"] == "wrong"
    assert "verysecret" not in result.output


def test_the_doctor_completes_the_env_file(pytestconfig: pytest.Config) -> None:
    shutil.copy(pytestconfig.rootpath / ".env.example", ".env.example")
    Path(".env").write_text("MY_OWN=1\n")
    CliRunner().invoke(clerk_commands, ["doctor", "--fix"])
    values = {name: value or "" for name, value in dotenv_values(".env").items()}
    assert values["MY_OWN"] == "1"
    assert read_settings(values).emulator_url


def test_dev_says_which_port_is_taken(environ: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = CliRunner().invoke(dev, ["--port", str(port)], env=environ)
    assert result.exit_code == 1
    assert f"Port {port}" in result.output
    assert "FLASK_RUN_PORT" in result.output


def test_dev_explains_a_wrong_setting_without_a_traceback(environ: dict[str, str]) -> None:
    result = CliRunner().invoke(dev, env=environ | {"CLERK_PUBLISHABLE_KEY": "pk_test_x"})
    assert result.exit_code == 1
    assert result.output.startswith("Error: CLERK_PUBLISHABLE_KEY")


def test_sync_copies_users_from_clerk(site: Flask, ada: ClerkUser) -> None:
    result = flask_clerk(site, "sync")
    assert result.exit_code == 0, result.output
    with site.app_context():
        assert db.session.get_one(User, ada.id).email == "ada@example.com"


def test_sync_can_only_show_the_differences(site: Flask, ada: ClerkUser) -> None:
    result = flask_clerk(site, "sync", "--dry-run")
    assert f"+ {ada.id}" in result.output
    with site.app_context():
        assert db.session.get(User, ada.id) is None


def test_prune_events_keeps_recent_rows(
    site: Flask, visitor: FlaskClient, clerk: RunningClerk, ada: ClerkUser
) -> None:
    clerk.deliver_webhooks(visitor)
    assert flask_clerk(site, "prune-events").output == "Deleted 0 deliveries.\n"
