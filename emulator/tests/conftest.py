"""A fresh local Clerk for every test, with a clock that only moves when told to."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from clerk_emulator import EmulatorConfig, create_emulator, store, users
from clerk_emulator.clerk import EXTENSION, LocalClerk, open_clerk
from clerk_emulator.testing import Backend, Browser, ManualClock, example_config

from .accounts import new_account


@pytest.fixture(autouse=True)
def cheap_password_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real password hashes are slow on purpose."""
    monkeypatch.setattr(users, "HASH_METHOD", "pbkdf2:sha256:1")


@pytest.fixture(autouse=True, scope="session")
def _no_waiting_for_the_disk() -> None:
    """No state has to survive a test, so nothing is flushed to disk."""
    store.SYNCHRONOUS = "OFF"


@pytest.fixture(scope="session")
def empty_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state file with only a signing key, which takes a while to generate."""
    config = example_config(tmp_path_factory.mktemp("state"))
    open_clerk(config).store.close()
    return config.state


@pytest.fixture(scope="session")
def shared_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The routes, which take a while to create. Every test connects its own instance to them."""
    return create_emulator(example_config(tmp_path_factory.mktemp("app")))


@pytest.fixture
def config(tmp_path: Path, empty_state: Path) -> EmulatorConfig:
    config = example_config(tmp_path)
    shutil.copy(empty_state, config.state)
    return config


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def clerk(config: EmulatorConfig, clock: ManualClock) -> Iterator[LocalClerk]:
    clerk = open_clerk(config, clock)
    yield clerk
    clerk.store.close()


@pytest.fixture
def emulator(shared_app: Flask, clerk: LocalClerk) -> Flask:
    shared_app.extensions[EXTENSION] = clerk
    return shared_app


@pytest.fixture
def browser(emulator: Flask) -> Browser:
    return Browser(emulator)


@pytest.fixture
def ada(emulator: Flask, browser: Browser) -> Browser:
    """A browser in which Ada is signed in."""
    new_account(emulator, browser, "ada@example.com")
    return browser


@pytest.fixture
def backend(emulator: Flask, config: EmulatorConfig) -> Backend:
    return Backend(emulator, config.secret_key)


@pytest.fixture
def unused_port() -> int:
    """A free TCP port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def run_pytest() -> Callable[..., str]:
    """A function that runs tests in a new project, and returns what pytest printed."""

    def run(folder: Path, tests: str, conftest: str = "", *options: str) -> str:
        (folder / "conftest.py").write_text(conftest)
        (folder / "test_it.py").write_text(tests)
        (folder / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers --strict-config\n")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        return f"{done.stdout}{done.stderr}".strip()

    return run
