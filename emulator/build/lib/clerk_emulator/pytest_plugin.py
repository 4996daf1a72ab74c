"""Fixtures for the app's tests: ``pytest_plugins = ["clerk_emulator.pytest_plugin"]``.

``clerk`` is a :class:`~.running.RunningClerk`. The project's own conftest makes the app that
belongs to it, in a fixture named ``site``; ``live_site`` and ``browser_page`` build on that.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from . import users
from .app import create_emulator
from .clerk import EXTENSION, open_clerk
from .resources import Organization, User
from .running import RunningClerk, RunningClock, serving
from .testing import Backend, example_config

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")

OpenPage = Callable[..., Any]


@pytest.fixture(scope="session")
def clerk_server(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Flask]:
    """The server, started once. Every test puts an instance of its own behind it."""
    assets = pytestconfig.rootpath / "instance" / "clerk-js"  # where `flask dev` puts Clerk.js
    emulator = create_emulator(example_config(tmp_path_factory.mktemp("clerk"), assets=assets))
    with serving(emulator) as port:
        local = emulator.extensions[EXTENSION]
        local.config = replace(local.config, port=port)
        yield emulator


@pytest.fixture
def clerk(
    clerk_server: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningClerk]:
    """A local Clerk that nobody has signed up at yet."""
    # Real hashes are slow on purpose.
    monkeypatch.setattr(users, "HASH_METHOD", "pbkdf2:sha256:1")
    first, clock = clerk_server.extensions[EXTENSION], RunningClock()
    config = replace(first.config, state=tmp_path / "clerk.sqlite3", app_url="http://localhost")
    shutil.copy(first.config.state, config.state)  # it has the key, which takes long to make
    local = open_clerk(config, clock)
    clerk_server.extensions[EXTENSION] = local
    yield RunningClerk(local, Backend(clerk_server, config.secret_key), clock)
    clerk_server.extensions[EXTENSION] = first
    local.store.close()


@pytest.fixture
def live_site(site: Flask, clerk: RunningClerk) -> Iterator[str]:
    """The address of ``site``, served for real on a port of this machine."""
    with clerk.serve(site) as url:
        yield url


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A headless Chromium: ``$CHROMIUM``, the machine's own, or the one that Playwright fetched."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    with sync_api.sync_playwright() as playwright:
        if found is None and not Path(playwright.chromium.executable_path).exists():
            pytest.skip("no Chromium: run 'playwright install chromium', or set CHROMIUM")
        browser = playwright.chromium.launch(executable_path=found, args=[*QUIET])
        yield browser
        browser.close()


@pytest.fixture
def browser_page(chromium: Any, live_site: str, clerk: RunningClerk) -> Iterator[OpenPage]:
    """A function that opens a Playwright page, with somebody signed in if one is named.

    ``browser_page(ada).goto("/dashboard")``; an organization may follow, which then is active.
    """
    contexts = []

    def open_page(user: User | None = None, organization: Organization | None = None) -> Any:
        context = chromium.new_context(base_url=live_site)
        contexts.append(context)
        if user is not None:
            cookies = clerk.cookies_for(user, organization).items()
            context.add_cookies([{"name": n, "value": v, "url": live_site} for n, v in cookies])
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()
