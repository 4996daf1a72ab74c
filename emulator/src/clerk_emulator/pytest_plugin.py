"""The pytest plugin: fixtures for the tests of an app that uses Clerk.

pytest loads it in every project that has this package installed, so importing it must stay cheap:
the fixtures import what they need.

The fixtures for tests are ``clerk``, a :class:`~clerk_emulator.testing.RunningClerk`;
``live_site``, the app's address; and ``browser_page``, a
:class:`~clerk_emulator.testing.OpenPage`. The last two need a fixture ``site`` in the project: a
WSGI app, usually a Flask app, made with the settings in ``clerk.environ``. A project that defines
a fixture of the same name gets its own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from flask import Flask

    from .testing import OpenPage, Organization, RunningClerk, User

ASSETS = (".clerk-emulator/clerk-js", "instance/clerk-js")
"""Folders of a project that may contain Clerk.js, for pages in a browser; else: a public CDN."""

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")


@pytest.fixture(scope="session")
def _clerk_emulator(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Flask]:
    """The server, started once. Each test gets an instance of its own behind it."""
    from .app import create_emulator
    from .clerk import EXTENSION
    from .testing import example_config, serving

    folders = [pytestconfig.rootpath / name for name in ASSETS]
    assets = next((folder for folder in folders if folder.is_dir()), folders[0])
    emulator = create_emulator(example_config(tmp_path_factory.mktemp("clerk"), assets=assets))
    with serving(emulator) as port:
        local = emulator.extensions[EXTENSION]
        local.config = replace(local.config, port=port)
        yield emulator


@pytest.fixture
def clerk(
    _clerk_emulator: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningClerk]:
    """A local Clerk without users, for one test: a ``clerk_emulator.testing.RunningClerk``."""
    from . import users
    from .clerk import EXTENSION, open_clerk
    from .testing import Backend, RunningClerk, RunningClock

    # Real hashes are slow on purpose.
    monkeypatch.setattr(users, "HASH_METHOD", "pbkdf2:sha256:1")
    first, clock = _clerk_emulator.extensions[EXTENSION], RunningClock()
    config = replace(first.config, state=tmp_path / "clerk.sqlite3", app_url="http://localhost")
    shutil.copy(first.config.state, config.state)  # it has the signing key, which is slow to make
    local = open_clerk(config, clock)
    _clerk_emulator.extensions[EXTENSION] = local
    yield RunningClerk(local, Backend(_clerk_emulator, config.secret_key), clock)
    _clerk_emulator.extensions[EXTENSION] = first
    local.store.close()


@pytest.fixture
def live_site(site: WSGIApplication, clerk: RunningClerk) -> Iterator[str]:
    """The address of ``site``, the project's app, served on a free port of this machine."""
    with clerk.serve(site) as url:
        yield url


@pytest.fixture(scope="session")
def _clerk_chromium() -> Iterator[Any]:
    """A headless Chromium: ``$CHROMIUM``, the machine's own, or the one that Playwright fetched."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    with sync_api.sync_playwright() as playwright:
        if found is None and not Path(playwright.chromium.executable_path).exists():
            pytest.skip("Chromium not found: run 'playwright install chromium', or set CHROMIUM")
        browser = playwright.chromium.launch(executable_path=found, args=[*QUIET])
        yield browser
        browser.close()


@pytest.fixture
def browser_page(_clerk_chromium: Any, live_site: str, clerk: RunningClerk) -> Iterator[OpenPage]:
    """A function that opens a page of ``site`` in Chromium, with Playwright.

    ``browser_page()`` has no user signed in, ``browser_page(ada)`` has Ada, and
    ``browser_page(ada, acme)`` has Ada with the organization Acme active. It returns a Playwright
    ``Page``: ``browser_page(ada).goto("/dashboard")``. Skips the test without Playwright.
    """
    contexts = []

    def open_page(user: User | None = None, organization: Organization | None = None) -> Any:
        context = _clerk_chromium.new_context(base_url=live_site)
        contexts.append(context)
        if user is not None:
            cookies = clerk.cookies_for(user, organization).items()
            context.add_cookies([{"name": n, "value": v, "url": live_site} for n, v in cookies])
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()
