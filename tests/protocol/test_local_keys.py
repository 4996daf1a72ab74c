"""With the keys of a local Clerk, only the app's developer is served."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from flask import Flask

from app import create_app
from app.clerk import Clerk
from tests.app_fixtures import BROWSER, PROJECT
from tests.signing import publishable_key
from tests.tools import free_ports

LOCAL = {
    "CLERK_PUBLISHABLE_KEY": publishable_key("local-acme-1.clerk.accounts.dev"),
    "CLERK_SECRET_KEY": "sk_test_secret",
}
GENERATED_BY_EMULATOR = LOCAL | {
    "CLERK_PUBLISHABLE_KEY": publishable_key("local-3f9a01bc-1.clerk.accounts.dev")
}
PATHS = [*("/", "/healthz", "/login", "/api/me", "/no-such-page", "/static/app.css"), "/__clerk/v1/client"]


@pytest.fixture
def local(environ: dict[str, str]) -> dict[str, str]:
    """Settings with the keys of a local Clerk."""
    return environ | LOCAL | {"CLERK_EMULATOR_URL": "http://127.0.0.1:9"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
def test_nothing_is_served_with_local_keys(local: dict[str, str], method: str) -> None:
    client = create_app(local).test_client()
    for path in PATHS:
        response = client.open(path, method=method, headers=BROWSER)
        assert (response.status_code, response.mimetype) == (503, "text/plain")
        assert "sk_test" not in response.text


@pytest.mark.parametrize("emulator_url", ["", "http://127.0.0.1:9"])
def test_keys_that_the_emulator_generated_are_local_keys(environ: dict[str, str], emulator_url: str) -> None:
    changes = GENERATED_BY_EMULATOR | {"CLERK_EMULATOR_URL": emulator_url}
    assert create_app(environ | changes).test_client().get("/healthz").status_code == 503


@pytest.mark.parametrize("mode", ["debug", "testing"])
def test_in_debug_mode_and_in_tests_the_app_is_served(local: dict[str, str], mode: str) -> None:
    app = create_app(local)
    setattr(app, mode, True)
    assert app.test_client().get("/healthz").status_code == 200


def test_the_log_explains_it_once(local: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    client = create_app(local).test_client()
    for _ in range(3):
        client.get("/")
    [record] = caplog.records
    assert (record.levelno, "flask dev" in record.message) == (logging.ERROR, True)


def test_an_explicit_setting_lifts_it_with_a_warning_at_each_start(
    local: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(local | {"CLERK_ALLOW_LOCAL_KEYS": "true"})
    assert app.test_client().get("/healthz").status_code == 200
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "sign in as any user" in caplog.text


@pytest.mark.parametrize("value", ["", "false", "0"])
def test_the_setting_is_off_by_default(local: dict[str, str], value: str) -> None:
    app = create_app(local | {"CLERK_ALLOW_LOCAL_KEYS": value})
    assert app.test_client().get("/healthz").status_code == 503


def test_it_does_not_depend_on_the_factory(local: dict[str, str]) -> None:
    app = Flask("other")
    Clerk(app, create_app(local).config["SETTINGS"].clerk)
    assert app.test_client().get("/").status_code == 503


def test_real_keys_are_served(environ: dict[str, str], live_environ: dict[str, str]) -> None:
    for real in (environ, live_environ):
        assert create_app(real).test_client().get("/healthz").status_code == 200


@contextmanager
def serving(command: list[str], environ: dict[str, str], folder: Path, port: int) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=PROJECT,
        env={**os.environ, **environ},
        stdout=(folder / "log").open("w"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def patiently(ask: Callable[[], requests.Response]) -> requests.Response:
    for _ in range(300):
        try:
            return ask()
        except requests.ConnectionError:
            time.sleep(0.2)
    return ask()


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (["gunicorn", "app:create_app()", "--bind", "127.0.0.1:{}"], 503),
        (["flask", "--app", "app", "run", "--port", "{}"], 503),
        (["flask", "--app", "app", "--debug", "run", "--no-reload", "--port", "{}"], 200),
    ],
    ids=["gunicorn", "flask run", "flask --debug run"],
)
def test_servers(local: dict[str, str], tmp_path: Path, command: list[str], status: int) -> None:
    port, _ = free_ports()
    with serving([part.format(port) for part in command], local, tmp_path, port) as url:
        assert patiently(lambda: requests.get(f"{url}/healthz", timeout=20)).status_code == status


@pytest.mark.parametrize("command", [["routes"], ["db", "current"], ["clerk", "prune-events"]])
def test_commands_work_with_local_keys(local: dict[str, str], command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app", *command],
        cwd=PROJECT,
        env={**os.environ, **local},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
