"""The whole walk in a browser without JavaScript: the app and the local Clerk, over real HTTP."""

from __future__ import annotations

import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

from app import create_app
from app.settings import PROJECT
from clerk_emulator.testing import serving
from tests.conftest import BROWSER
from tests.signing import publishable_key

EMAIL, PASSWORD = "walker@example.com", "correct horse battery"


class Browser:
    """A browser without JavaScript: follows redirects, keeps cookies, fills in forms."""

    def __init__(self, origin: str) -> None:
        self._http = requests.Session()
        self._http.headers.update(BROWSER)
        self._origin = origin
        self.page = requests.Response()

    @property
    def path(self) -> str:
        """Path of the page that is open."""
        return self.page.url.removeprefix(self._origin).partition("?")[0]

    def open(self, link: str) -> None:
        """Follow a link on the page, or type an address."""
        self._take_time()
        self.page = self._http.get(urljoin(self.page.url or self._origin, link), timeout=10)

    def submit(self, action: str, **fields: str) -> None:
        """Fill in the form with this action, and send it."""
        self._take_time()
        forms = re.findall(r'<form[^>]*action="([^"]*)".*?</form>', self.page.text, re.DOTALL)
        target = next(url for url in forms if url.partition("?")[0].endswith(action))
        token = re.search(r'name="csrf_token" value="([^"]*)"', self.page.text)
        data = fields | {"csrf_token": token[1] if token else ""}
        url = urljoin(self.page.url, target.replace("&amp;", "&"))
        headers = {"Origin": self._origin}
        self.page = self._http.post(url, data=data, headers=headers, timeout=10)

    def _take_time(self) -> None:
        # The guard against redirect loops counts for two seconds; people are slower than that.
        for cookie in [c for c in self._http.cookies if c.name == "__clerk_redirect_count"]:
            self._http.cookies.clear(cookie.domain, cookie.path, cookie.name)

    def hosted_link(self, page: str) -> str:
        """The link to a page of Clerk's on the page that is open."""
        found = re.search(rf'href="([^"]*/__clerk/{page}[^"]*)"', self.page.text)
        assert found, f"no link to the hosted {page} page"
        return found[1].replace("&amp;", "&")


def free_port() -> int:
    """A TCP port of this machine that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def local_clerk(environ: dict[str, str], folder: Path, app_url: str) -> Iterator[None]:
    """Run the local Clerk as a process of its own, as ``flask dev`` does."""
    port = environ["CLERK_EMULATOR_URL"].rpartition(":")[2]
    options = ["--port", port, "--app-url", app_url, "--assets", str(folder)]
    command = [sys.executable, "-m", "clerk_emulator", "--state", str(folder / "clerk.sqlite3")]
    process = subprocess.Popen([*command, *options], cwd=PROJECT, env={**os.environ, **environ})
    try:
        wait_for(lambda: is_up(f"{environ['CLERK_EMULATOR_URL']}/healthz"))
        yield
    finally:
        process.terminate()
        process.wait(10)


def is_up(url: str) -> bool:
    """Whether a server answers."""
    try:
        return requests.get(url, timeout=1).ok
    except requests.RequestException:
        return False


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for what happens in another process."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def users_in(database: Path) -> int:
    """How many rows the table of users has."""
    with closing(sqlite3.connect(database)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM users").fetchone()
        return int(count)


@pytest.fixture
def browser(environ: dict[str, str], tmp_path: Path) -> Iterator[Browser]:
    """A browser, the app, and the local Clerk behind it."""
    app_port = free_port()
    origin = f"http://localhost:{app_port}"
    settings = environ | {
        "CLERK_PUBLISHABLE_KEY": publishable_key("local-walk-1.clerk.accounts.dev"),
        "CLERK_EMULATOR_URL": f"http://127.0.0.1:{free_port()}",
        "CLERK_API_URL": "",
        "CLERK_JWT_KEY": "",
    }
    with local_clerk(settings, tmp_path, origin), serving(create_app(settings), app_port):
        yield Browser(origin)


def test_from_nothing_to_a_dashboard_and_away_again(browser: Browser, tmp_path: Path) -> None:
    browser.open("/dashboard")
    assert browser.path == "/login"
    browser.open("/signup")
    browser.open(browser.hosted_link("sign-up"))
    browser.submit("/sign-up", email_address=EMAIL, password=PASSWORD, first_name="Wanda")
    browser.submit("/sign-up/verify", code="424242")
    assert browser.path == "/dashboard"
    assert "Welcome, Wanda" in browser.page.text
    assert "__clerk" not in browser.page.url
    assert users_in(tmp_path / "app.db") == 1

    browser.submit("/logout")
    assert browser.path == "/"
    browser.open("/dashboard")
    assert browser.path == "/login"

    browser.open(browser.hosted_link("sign-in"))
    browser.submit("/sign-in", identifier=EMAIL, password="wrong")
    assert browser.path == "/__clerk/sign-in"
    browser.submit("/sign-in", identifier=EMAIL, password=PASSWORD)
    assert browser.path == "/dashboard"

    browser.open("/profile")
    browser.open(browser.hosted_link("user"))
    browser.open("/__clerk/user/delete")
    browser.submit("/user/delete")
    assert browser.path == "/login"
    browser.open("/dashboard")
    assert browser.path == "/login"
    # Clerk tells us of it by a webhook, a moment later.
    wait_for(lambda: users_in(tmp_path / "app.db") == 0)
