"""The real process: it starts, survives ``kill -9``, logs, and stops."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

import clerk_emulator
from clerk_emulator import EmulatorConfig
from clerk_emulator.testing import PASSWORD

PROJECT = Path(clerk_emulator.__file__).parents[1]
READY = "Local Clerk ready on "

Start = Callable[[], subprocess.Popen[str]]


@pytest.fixture
def start(config: EmulatorConfig) -> Iterator[Start]:
    """Starts a process on any free port."""
    started: list[subprocess.Popen[str]] = []

    def start_one() -> subprocess.Popen[str]:
        keys = {
            "CLERK_PUBLISHABLE_KEY": config.publishable_key,
            "CLERK_SECRET_KEY": config.secret_key,
        }
        options = ("--state", str(config.state), "--port", "0")
        process = subprocess.Popen(
            [sys.executable, "-m", "clerk_emulator", *options],
            cwd=PROJECT,
            env=os.environ | keys,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start_one
    for process in started:
        process.kill()
        process.communicate()


def url_of(process: subprocess.Popen[str]) -> str:
    """Wait until it is ready; returns its address."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith(READY), line
    return line.removeprefix(READY).strip()


def call(method: str, url: str, **arguments: Any) -> Any:
    answer = requests.request(method, url, timeout=5, **arguments)
    answer.raise_for_status()
    return answer.json()


def sign_up(url: str) -> str:
    """Register Ada; returns her browser's token."""
    token: str = call("POST", f"{url}/v1/dev_browser")["id"]
    query = {"__clerk_db_jwt": token}
    form = {"email_address": "ada@example.com", "password": PASSWORD}
    answer = call("POST", f"{url}/v1/client/sign_ups", params=query, data=form)
    path = f"{url}/v1/client/sign_ups/{answer['response']['id']}"
    form = {"strategy": "email_code", "code": "424242"}
    call("POST", f"{path}/prepare_verification", params=query, data=form)
    call("POST", f"{path}/attempt_verification", params=query, data=form)
    return token


def test_users_sessions_and_the_key_survive_kill_9(start: Start) -> None:
    first = start()
    url = url_of(first)
    token = sign_up(url)
    key = call("GET", f"{url}/.well-known/jwks.json")
    first.kill()
    first.wait()

    url = url_of(start())
    client = call("GET", f"{url}/v1/client", params={"__clerk_db_jwt": token})["response"]
    (session,) = client["sessions"]
    assert session["user"]["email_addresses"][0]["email_address"] == "ada@example.com"
    assert call("GET", f"{url}/.well-known/jwks.json") == key


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly(start: Start, number: signal.Signals) -> None:
    process = start()
    url_of(process)
    process.send_signal(number)
    _, log = process.communicate(timeout=5)
    assert process.returncode == 0
    assert "Traceback" not in log


def test_the_log_is_loud_once_and_never_has_tokens(start: Start) -> None:
    process = start()
    url = url_of(process)
    token = sign_up(url)
    requests.get(f"{url}/npm/@clerk/ui@1/dist/x.js", timeout=5, allow_redirects=False)
    process.terminate()
    _, log = process.communicate(timeout=5)
    assert log.count("LOCAL CLERK, FOR DEVELOPMENT ONLY") == 1
    assert "POST /v1/client/sign_ups 200" in log
    assert token not in log
    assert "sk_test_" not in log
    assert "/npm/" not in log
