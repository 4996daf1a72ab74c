"""A generated project that really runs, and a Chromium that looks at it."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

import pytest
from dotenv import dotenv_values
from playwright.sync_api import Error, expect, sync_playwright

from tests.browser import mounting
from tests.browser.local_clerk import PASSWORD, LocalClerk
from tests.docs.endpoints import TRAFFIC
from tests.tools import ROOT, Project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Page, Request, Response

# Of several processes that share the tests, each has a site and a Chromium of its own.
PROCESS = os.environ.get("PYTEST_XDIST_WORKER", "")
BUNDLES = ROOT / ".nox" / "clerk-js" / PROCESS
SCREENSHOTS = ROOT / ".nox" / "screenshots"
LOG = SCREENSHOTS / f"flask-dev{PROCESS}.log"
START_SECONDS = 60
PATIENCE = 20_000
"""Milliseconds to wait for anything on a page: machines may be busy."""
expect.set_options(timeout=PATIENCE)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MACOS = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
EMPTY_PICTURE = '<svg xmlns="http://www.w3.org/2000/svg"/>'
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def unavailable(what: str) -> NoReturn:
    """Skip where a person's machine lacks something; fail where the tests must not be skipped."""
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(f"{what} With CI set, browser tests are never skipped.")
    pytest.skip(f"No browser tests: {what}")


def find_chromium() -> str:
    """Return the path of a Chromium: $CHROMIUM, else the machine's own."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and MACOS.exists():
        found = str(MACOS)
    if found is None:
        unavailable("no Chromium found. Install one (apt install chromium) or set CHROMIUM to its path.")
    return found


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Return a headless Chromium: $CHROMIUM, else the machine's own."""
    found = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def bundles(generated: Project) -> Path:
    """Return a folder with Clerk's browser bundles, fetched by npm once and kept below .nox/."""
    if not all((BUNDLES / name / "package.json").is_file() for name in ("clerk-js", "ui")):
        if shutil.which("npm") is None:
            unavailable("npm, which fetches Clerk.js, was not found.")
        generated.run("python", "-m", "clerk_emulator", "assets", str(BUNDLES))
    return BUNDLES


@pytest.fixture(scope="session")
def site(chromium: Browser, bundles: Path, generated: Project) -> Iterator[str]:
    """Return the address of a generated project that runs by `flask dev`, as a person runs it."""
    shutil.copytree(bundles, generated.path / "instance" / "clerk-js", dirs_exist_ok=True)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    url = f"http://localhost:{generated.port}"
    with LOG.open("wb") as output:
        process = subprocess.Popen(
            [generated.tool("flask"), "dev"], cwd=generated.path, stdout=output, stderr=output
        )
        try:
            wait_for(f"{url}/healthz", process, LOG)
            yield url
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            finally:
                process.kill()
            # What Clerk.js asked for: `nox -s endpoints` makes a table of it.
            TRAFFIC.mkdir(parents=True, exist_ok=True)
            shutil.copy(LOG, TRAFFIC / f"browser{PROCESS}.log")


@pytest.fixture
def clerk(site: str, generated: Project) -> Iterator[LocalClerk]:
    """Return the site's local Clerk. What a test switches is switched back afterwards.

    Nothing may be asked of it that it does not know, and no request may break it.
    """
    env = dotenv_values(generated.path / ".env")
    clerk = LocalClerk(env["CLERK_EMULATOR_URL"] or "", env["CLERK_SECRET_KEY"] or "")
    before = LOG.stat().st_size
    yield clerk
    clerk.switch()
    clerk.ask("DELETE", "/emulator/clock")
    with LOG.open("rb") as lines:
        lines.seek(before)
        said = lines.read().decode("utf-8", "replace").splitlines()
    assert [line for line in said if "unknown endpoint" in line or "Traceback" in line] == []


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with opener.open(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"flask dev does not answer on {url}. It said:\n{log.read_text('utf-8')}")


@dataclass
class Visitor:
    """One person's browser: their page, what went wrong in it, and a picture of each step."""

    page: Page
    site: str
    folder: Path
    email: str
    problems: list[str] = field(default_factory=list)
    expected: list[tuple[int, str]] = field(default_factory=list)
    _steps: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def go(self, path: str) -> None:
        """Open this page; once more where Clerk.js, just then, goes somewhere by itself."""
        try:
            self.page.goto(f"{self.site}{path}")
        except Error as error:
            if "interrupted by another navigation" not in str(error):
                raise
            self.page.wait_for_load_state()
            self.page.goto(f"{self.site}{path}")

    def land(self, path: str) -> str:
        """Follow all redirects of a path, and return where they end, without waiting for the page."""
        self.page.goto(f"{self.site}{path}", wait_until="commit")
        return self.page.url

    def show(self, component: str, settings: dict[str, Any] | None = None, **props: Any) -> None:
        """Open a page of nothing but this component, such as `OrganizationList`."""
        self.go(mounting.address(component, settings, **props))
        self.page.locator("body[data-ready]").wait_for(state="attached")

    def enter(self, user: dict[str, Any], password: str = PASSWORD) -> None:
        """Sign in by Clerk.js without a click, as Clerk's own testing library does."""
        self.show("Nothing")
        self.page.evaluate(
            """async ([identifier, password]) => {
              const strategy = "password";
              const done = await Clerk.client.signIn.create({ strategy, identifier, password });
              await Clerk.setActive({ session: done.createdSessionId });
            }""",
            [user["email"], password],
        )

    def follow(self, link: str) -> None:
        """Open a link from a message in a tab of its own, and wait there until it has done its work."""
        waiting, self.page = self.page, self.page.context.new_page()
        self.watch()
        self.page.goto(link)
        waiting.close()

    def picture(self, step: str) -> None:
        """Keep a screenshot of this step."""
        file = self.folder / f"{next(self._steps):02} {step}.png"
        self.page.screenshot(path=file, full_page=True, animations="disabled")

    def arrive(self, path: str) -> None:
        """Wait until this page is shown, on our own host."""
        self.page.wait_for_url(
            lambda url: url.startswith(self.site) and urlsplit(url).path == path, timeout=20_000
        )
        self.page.wait_for_load_state()
        # The guard against redirect loops remembers for two seconds, less than a person needs to go on.
        self.page.context.clear_cookies(name="__clerk_redirect_count")

    def expect_error(self, status: int, path: str) -> None:
        """Say that an answer with this status, to a path that contains this, is no problem."""
        self.expected.append((status, path))

    def watch(self) -> None:
        """Note errors in the console, failed requests, error pages and foreign hosts."""
        self.page.on("pageerror", lambda error: self.problems.append(f"exception: {error}"))
        self.page.on("console", lambda message: self._console(message.type, message.text))
        self.page.on("response", self._response)
        self.page.on("requestfailed", self._failure)

    def _console(self, kind: str, text: str) -> None:
        # The browser's own line about an error status; _response knows which request it was.
        if kind == "error" and "Failed to load resource" not in text:
            self.problems.append(f"console: {text}")

    def _response(self, response: Response) -> None:
        wanted = any(response.status == s and p in response.url for s, p in self.expected)
        if response.status >= 400 and not wanted:
            self.problems.append(f"{response.status}: {response.request.method} {response.url}")

    def _failure(self, request: Request) -> None:
        # A page that is left takes its unfinished requests with it.
        if request.failure != "net::ERR_ABORTED":
            self.problems.append(f"{request.failure}: {request.url}")


def is_icon(url: str) -> bool:
    """Say whether this is one of Clerk's icons of other sign-in services, which may be missing."""
    return urlsplit(url).hostname == "img.clerk.com"


@pytest.fixture
def visit(
    chromium: Browser, site: str, generated: Project, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Visitor]]:
    """Return a function that opens a browser of its own for one person.

    Afterwards nothing may have gone wrong in it, unless it was expected.
    """
    folder = SCREENSHOTS / re.sub(r"\W+", "-", f"{request.path.stem} {request.node.name}").strip("-")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    env = dotenv_values(generated.path / ".env")
    publishable_key, clerk_url = env["CLERK_PUBLISHABLE_KEY"] or "", env["CLERK_EMULATOR_URL"]
    contexts: list[BrowserContext] = []
    visitors: list[Visitor] = []

    def open_browser(*, javascript: bool = True) -> Visitor:
        context = chromium.new_context(
            java_script_enabled=javascript,
            viewport={"width": 1280, "height": 900},
            locale="en-US",
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE)
        # Nothing but app and local Clerk is needed: a request elsewhere fails, and is reported.
        context.route(
            lambda url: not url.startswith((f"{site}/", f"{clerk_url}/", "data:", "blob:")),
            lambda route: route.abort("failed"),
        )
        # Clerk's CDN has the icons of other sign-in services; an empty picture will do.
        context.route(is_icon, lambda route: route.fulfill(body=EMPTY_PICTURE, content_type="image/svg+xml"))
        contexts.append(context)
        email = f"ada-{time.time_ns()}@example.com"
        visitor = Visitor(context.new_page(), site, folder, email)
        mounting.offer(visitor.page, site, publishable_key)
        visitor.watch()
        visitors.append(visitor)
        return visitor

    yield open_browser
    for number, visitor in enumerate(visitors):
        visitor.page.screenshot(path=folder / f"99 end {number}.png")
    for context in contexts:
        context.close()
    assert [problem for visitor in visitors for problem in visitor.problems] == []


@pytest.fixture
def small(visit: Callable[..., Visitor]) -> Callable[[], Visitor]:
    """Return a function that opens a telephone's browser, without JavaScript."""

    def open_browser() -> Visitor:
        visitor = visit(javascript=False)
        visitor.page.set_viewport_size({"width": 390, "height": 844})
        return visitor

    return open_browser


@pytest.fixture
def visitor(visit: Callable[..., Visitor]) -> Visitor:
    """Return a person's browser."""
    return visit()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say where the pictures are."""
    if SCREENSHOTS.is_dir():
        run_here = len(list(SCREENSHOTS.rglob("*.png")))
        terminalreporter.write_line(f"{run_here} screenshots in {SCREENSHOTS.relative_to(ROOT)}")
