"""The real process: it starts, survives ``kill -9``, logs, and stops."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
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
    """Wait until it is ready; return its address."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith(READY), line
    return line.removeprefix(READY).strip()


def call(method: str, url: str, **arguments: Any) -> Any:
    answer = requests.request(method, url, timeout=30, **arguments)
    answer.raise_for_status()
    return answer.json()


def sign_up(url: str, email: str = "ada@example.com") -> str:
    """Sign up a user; return the dev browser token."""
    token: str = call("POST", f"{url}/v1/dev_browser")["id"]
    query = {"__clerk_db_jwt": token}
    form = {"email_address": email, "password": PASSWORD}
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

    second = start()
    url = url_of(second)
    client = call("GET", f"{url}/v1/client", params={"__clerk_db_jwt": token})["response"]
    (session,) = client["sessions"]
    assert session["user"]["email_addresses"][0]["email_address"] == "ada@example.com"
    assert call("GET", f"{url}/.well-known/jwks.json") == key


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly_and_its_log_has_one_warning_and_no_tokens(
    start: Start, number: signal.Signals
) -> None:
    process = start()
    url = url_of(process)
    token = sign_up(url)
    requests.get(f"{url}/npm/@clerk/ui@1/dist/x.js", timeout=5, allow_redirects=False)
    process.send_signal(number)
    _, log = process.communicate(timeout=5)
    assert process.returncode == 0
    assert "Traceback" not in log
    assert log.count("LOCAL CLERK, FOR DEVELOPMENT ONLY") == 1
    assert "POST /v1/client/sign_ups 200" in log
    assert token not in log
    assert "sk_test_" not in log
    assert "/npm/" not in log


def test_every_confirmed_change_survives_kill_9_under_load(
    start: Start, config: EmulatorConfig
) -> None:
    first, numbers = start(), count()
    url = url_of(first)
    headers = {"Authorization": f"Bearer {config.secret_key}"}
    made: list[str] = []

    def make_users() -> None:
        with requests.Session() as http:
            while True:
                body = {"email_address": [f"u{next(numbers)}@example.com"], "password": PASSWORD}
                try:
                    answer = http.post(f"{url}/api/v1/users", json=body, headers=headers, timeout=5)
                except requests.RequestException:
                    return
                made.append(answer.json()["id"])
                if len(made) == 40:
                    first.kill()

    with ThreadPoolExecutor(8) as pool:
        for _ in range(8):
            pool.submit(make_users)
    first.wait()
    url = url_of(start())
    found = call("GET", f"{url}/api/v1/users", params={"limit": 500}, headers=headers)
    assert len(made) >= 40
    assert set(made) <= {user["id"] for user in found}


def test_32_browsers_at_once_lose_nothing(start: Start, config: EmulatorConfig) -> None:
    url = url_of(start())

    def sign_up_and_read(number: int) -> str:
        token = sign_up(url, f"u{number}@example.com")
        client = call("GET", f"{url}/v1/client", params={"__clerk_db_jwt": token})["response"]
        (session,) = client["sessions"]
        return str(session["user"]["email_addresses"][0]["email_address"])

    with ThreadPoolExecutor(32) as pool:
        found = list(pool.map(sign_up_and_read, range(32)))
    headers = {"Authorization": f"Bearer {config.secret_key}"}
    assert found == [f"u{number}@example.com" for number in range(32)]
    assert call("GET", f"{url}/api/v1/users/count", headers=headers)["total_count"] == 32


def reset(state: Path, *options: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "clerk_emulator", "reset", str(state), *options]
    return subprocess.run(
        command, cwd=PROJECT, input=answer, capture_output=True, text=True, check=False
    )


def test_reset_asks_and_then_empties_the_running_emulator(
    start: Start, config: EmulatorConfig
) -> None:
    url = url_of(start())
    sign_up(url)
    headers = {"Authorization": f"Bearer {config.secret_key}"}
    assert reset(config.state, answer="\n").returncode == 1
    assert call("GET", f"{url}/api/v1/users/count", headers=headers)["total_count"] == 1
    assert reset(config.state, answer="y\n").returncode == 0
    assert call("GET", f"{url}/api/v1/users/count", headers=headers)["total_count"] == 0
    assert reset(config.state.with_name("none"), "--yes").returncode == 0
