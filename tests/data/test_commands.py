"""The commands ``flask dev`` and ``flask clerk doctor``."""

from __future__ import annotations

import importlib
import os
import re
import socket
import subprocess
import sys
from email.utils import formatdate
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from app.clerk import Instance
from app.commands import clerk as clerk_commands
from app.commands import dev
from app.settings import read_settings
from clerk_emulator.testing import RunningClerk
from tests.app_fixtures import PROJECT
from tests.local_server import LocalServer
from tests.signing import Signer, publishable_key

doctor_module = importlib.import_module("app.commands.doctor")
dev_module = importlib.import_module("app.commands.dev")  # the module and the command have the same name


def doctor(environ: dict[str, str]) -> Result:
    """Run ``flask clerk doctor`` with these settings."""
    return CliRunner().invoke(clerk_commands, ["doctor"], env=environ)


def run(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``flask`` in a separate process, with these settings."""
    return subprocess.run(
        [sys.executable, "-m", "flask", *arguments],
        cwd=PROJECT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def reachable(environ: dict[str, str], backend: LocalServer, signer: Signer) -> dict[str, str]:
    """Settings of an instance whose APIs are all served by the local server."""
    backend.headers = [("Date", formatdate(usegmt=True))]
    backend.answers["GET /.well-known/jwks.json"] = (200, signer.jwks)
    backend.answers["GET /api/v1/jwks"] = (200, signer.jwks)
    return environ | {
        "CLERK_PUBLISHABLE_KEY": "pk_test_bG9jYWwtdGVzdC0xLmNsZXJrLmFjY291bnRzLmRldiQ=",
        "CLERK_EMULATOR_URL": backend.url,
        "CLERK_API_URL": "",
        "CLERK_AUTHORIZED_PARTIES": "",
    }


def rows(output: str) -> dict[str, str]:
    """The verdicts in the table that the doctor prints, by subject."""
    found = re.findall(r"^(ok|note|wrong) +(\S.{0,16}?)  +", output, re.MULTILINE)
    return {subject: verdict for verdict, subject in found}


def test_the_doctor_finds_no_problem(reachable: dict[str, str]) -> None:
    result = doctor(reachable)
    verdicts = rows(result.stdout)
    assert "Everything is fine." in result.stdout, result.stdout
    assert {"Keys", "Frontend API", "Backend API", "Clock", "Database"} <= verdicts.keys()
    assert "wrong" not in verdicts.values()
    assert result.exit_code == 0


def test_the_doctor_checks_the_keys_of_the_local_clerk(
    environ: dict[str, str], site: Flask, clerk: RunningClerk
) -> None:
    local = environ | {"CLERK_API_URL": "", "CLERK_JWT_KEY": ""} | clerk.environ
    result = doctor(local)
    assert "wrong" not in rows(result.stdout).values(), result.stdout
    assert result.exit_code == 0
    result = doctor(local | {"CLERK_SECRET_KEY": "sk_test_other"})
    assert rows(result.stdout)["Backend API"] == "wrong"
    assert result.exit_code == 1


def test_the_doctor_works_if_the_app_does_not_start(environ: dict[str, str]) -> None:
    result = run(environ | {"CLERK_SECRET_KEY": "sk_live_verysecret"}, "clerk", "doctor")
    assert result.returncode == 1
    assert rows(result.stdout)["Settings"] == "wrong"
    assert "expected sk_test_" in result.stdout
    assert "verysecret" not in result.stdout + result.stderr


def test_the_doctor_finds_keys_of_two_instances(
    reachable: dict[str, str], backend: LocalServer, forger: Signer
) -> None:
    other = Signer(key=forger.key, kid="ins_other")
    backend.answers["GET /.well-known/jwks.json"] = (200, other.jwks)
    assert rows(doctor(reachable).stdout)["Keys match"] == "wrong"


def test_the_doctor_finds_a_rejected_secret_key_and_a_wrong_clock(
    reachable: dict[str, str], backend: LocalServer
) -> None:
    backend.answers["GET /api/v1/jwks"] = (401, {"errors": [{"code": "authentication_invalid"}]})
    backend.headers = [("Date", "Mon, 01 Jan 2035 00:00:00 GMT")]
    result = doctor(reachable)
    verdicts = rows(result.stdout)
    assert verdicts["Backend API"] == "wrong"
    assert verdicts["Clock"] == "wrong"
    assert "it is probably another project's" in result.stdout


def test_the_doctor_finds_a_rejected_secret_key_of_a_real_instance(
    reachable: dict[str, str], backend: LocalServer, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.answers["GET /v1/jwks"] = (401, {"errors": [{"code": "authentication_invalid"}]})
    monkeypatch.setattr(Instance, "issuer", backend.url)
    real = {"CLERK_PUBLISHABLE_KEY": publishable_key(signer.host), "CLERK_API_URL": backend.url}
    assert "copy CLERK_SECRET_KEY again" in doctor(reachable | real).stdout


def test_the_doctor_only_looks(
    reachable: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder := tmp_path / "folder").mkdir()
    monkeypatch.chdir(folder)
    for url in ("sqlite:///app.db", f"sqlite:///{folder}/elsewhere.db"):
        result = doctor(reachable | {"DATABASE_URL": url})
        assert rows(result.stdout)["Database"] == "note"
        assert "doesn't exist yet" in result.stdout
    assert not list(folder.iterdir())


def test_the_doctor_says_in_one_sentence_that_the_database_is_down(reachable: dict[str, str]) -> None:
    pytest.importorskip("psycopg")
    result = doctor(reachable | {"DATABASE_URL": "postgres://ada:hunter2@127.0.0.1:9/app"})
    assert "The database can't be used: no server listens at its address." in result.stdout
    assert "hunter2" not in result.stdout
    assert rows(result.stdout)["Database"] == "wrong"


def test_the_doctor_makes_files_private(
    reachable: dict[str, str], database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env.example").write_text("MY_OWN=\n")
    public = [tmp_path / name for name in (".env", "app.db", "app.db-wal", "app.db-shm")]
    public[0].write_text("MY_OWN=1\n")
    for file in public:
        file.touch()
        file.chmod(0o644)
    result = doctor(reachable)
    assert rows(result.stdout)["Permissions"] == "note"
    for file in public:
        assert f"chmod 600 {file if file.suffix else file.name}" in result.stdout
    result = CliRunner().invoke(clerk_commands, ["doctor", "--fix"], env=reachable)
    assert result.stdout.startswith(".env is complete.\nOnly you can read .env, ")
    assert "Permissions" not in rows(result.stdout)
    assert {file.stat().st_mode & 0o777 for file in public if file.exists()} == {0o600}
    assert public[0].read_text() == "MY_OWN=1\n"


@pytest.mark.parametrize(
    ("url", "verdicts"),
    [
        ("", {"note"}),
        ("https://app.example.com", {"wrong"}),  # CLERK_AUTHORIZED_PARTIES has http://localhost
        ("http://localhost", set()),
        ("http://localhost/crm", set()),
    ],
)
def test_the_doctor_asks_for_the_app_url(live_environ: dict[str, str], url: str, verdicts: set[str]) -> None:
    findings = doctor_module._public(read_settings(live_environ | {"APP_URL": url}), 5000)
    assert {f.verdict[0] for f in findings if f.subject in ("APP_URL", "Origin")} == verdicts


@pytest.mark.parametrize(
    ("changes", "origin"),
    [
        ({"CLERK_AUTHORIZED_PARTIES": "http://localhost:5001"}, "http://localhost:5000"),
        (
            {"CLERK_AUTHORIZED_PARTIES": "http://localhost:5000", "FLASK_RUN_PORT": "8000"},
            "http://localhost:8000",
        ),
        (
            {"CLERK_AUTHORIZED_PARTIES": "http://localhost:5000", "APP_URL": "https://a.example/b"},
            "https://a.example",
        ),
        ({"CLERK_AUTHORIZED_PARTIES": "http://localhost:5000,https://a.example"}, ""),
    ],
)
def test_the_doctor_names_the_origin_to_add(
    reachable: dict[str, str], changes: dict[str, str], origin: str
) -> None:
    result = doctor(reachable | changes)
    assert (f"add {origin} to CLERK_AUTHORIZED_PARTIES" in result.stdout) == bool(origin)
    assert result.exit_code == bool(origin)


def test_the_doctor_checks_the_port_and_the_folder_of_the_database(reachable: dict[str, str]) -> None:
    assert "FLASK_RUN_PORT is 'abc'" in doctor(reachable | {"FLASK_RUN_PORT": "abc"}).stdout
    result = doctor(reachable | {"DATABASE_URL": "sqlite:////nonexistent/x/app.db"})
    assert rows(result.stdout)["Database"] == "wrong"
    assert "the folder /nonexistent/x doesn't exist" in result.stdout


def test_the_doctor_warns_of_production_keys_in_a_file(
    live_environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(f"CLERK_PUBLISHABLE_KEY={live_environ['CLERK_PUBLISHABLE_KEY']}\n")
    (tmp_path / ".env").chmod(0o600)
    [found] = [f for f in doctor_module._public(read_settings(live_environ), 5000) if f.subject == "Keys"]
    assert "don't work on localhost" in found.seen


def test_the_doctor_finds_an_outage_of_clerk_and_a_path_that_does_not_exist(
    reachable: dict[str, str],
) -> None:
    changes = {"CLERK_EMULATOR_URL": "http://127.0.0.1:9", "CLERK_AFTER_SIGN_IN_PATH": "/nowhere"}
    result = doctor(reachable | changes)
    assert rows(result.stdout)["Frontend API"] == "note"
    assert "start it with: flask dev" in result.stdout
    assert "fix CLERK_AFTER_SIGN_IN_PATH" in result.stdout


def test_dev_names_a_port_that_is_in_use(environ: dict[str, str], tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = CliRunner().invoke(dev, ["--port", str(port)], env=environ)
    assert result.exit_code == 1
    assert f"Port {port} can't be used" in result.stderr
    assert "FLASK_RUN_PORT" in result.stderr


def test_dev_waits_for_a_slow_start_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter([False, False, True])
    monkeypatch.setattr(dev_module, "_is_up", lambda url: next(answers))
    monkeypatch.setattr(dev_module, "SLOW_START", -1.0)
    dev_module._wait_until_up({}, "http://127.0.0.1:5000/healthz", [])
    assert capsys.readouterr().out.count("still waiting") == 2


def test_dev_explains_a_bad_setting_without_a_traceback(environ: dict[str, str]) -> None:
    changes = {"CLERK_PUBLISHABLE_KEY": "pk_test_x"}
    result = CliRunner().invoke(dev, env=environ | changes)
    assert result.exit_code == 1
    assert "Error: CLERK_PUBLISHABLE_KEY" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_doctor_reports_files_that_it_cannot_read(
    reachable: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env.example").write_text("SECRET_KEY=\n")
    (tmp_path / "pyproject.toml").write_text("not = = TOML\n")
    assert rows(doctor(reachable).stdout)["pyproject.toml"] == "wrong"
    (tmp_path / ".env").write_bytes(b"NAME=caf\xe9\n")
    result = doctor(reachable)
    assert rows(result.stdout)[".env"] == rows(result.stdout)["Settings"] == "wrong"
    assert result.exit_code == 1


def test_the_doctor_reports_the_secret_that_it_has_filled_in(
    reachable: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Flask has loaded the empty value from .env into the environment before."""
    monkeypatch.chdir(tmp_path)
    for name in (".env.example", ".env"):
        (tmp_path / name).write_text("SECRET_KEY=\n")
    result = CliRunner().invoke(clerk_commands, ["doctor", "--fix"], env=reachable | {"SECRET_KEY": ""})
    assert "Added to .env: SECRET_KEY" in result.stdout
    assert "not set" not in result.stdout
    assert rows(result.stdout)["Keys"] == "ok"
    (tmp_path / ".env").unlink()
    result = CliRunner().invoke(clerk_commands, ["doctor", "--fix"], env=reachable)
    assert "Created .env with new secrets." in result.stdout


def test_the_doctor_fails_if_a_real_clerk_does_not_answer(environ: dict[str, str]) -> None:
    changes = {
        "CLERK_PUBLISHABLE_KEY": publishable_key("clerk.acme.invalid", "live"),
        "CLERK_SECRET_KEY": "sk_live_secret",
        "CLERK_AUTHORIZED_PARTIES": "https://acme.example",
    }
    result = doctor(environ | changes)
    assert rows(result.stdout)["Frontend API"] == "wrong"
    assert result.exit_code == 1
