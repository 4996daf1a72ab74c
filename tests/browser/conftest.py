"""A generated project that really runs, and a Chromium that visits it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
import urllib.request
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest
from dotenv import dotenv_values
from playwright.sync_api import expect, sync_playwright

from tests.browser import mounting
from tests.browser.local_clerk import LocalClerk
from tests.browser.visitor import PATIENCE, TAKES_PICTURES, Visitor
from tests.docs.endpoints import TRAFFIC
from tests.tools import ROOT, Project, free_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from playwright.sync_api import Browser, BrowserContext

# With several processes of pytest-xdist, each has its own site and its own Chromium.
PROCESS = os.environ.get("PYTEST_XDIST_WORKER", "")
BUNDLES = ROOT / ".nox" / "clerk-js" / PROCESS
SCREENSHOTS = ROOT / ".nox" / "screenshots"
LOG = SCREENSHOTS / f"flask-dev{PROCESS}.log"
START_SECONDS = 120
STOP_SECONDS = 30
expect.set_options(timeout=PATIENCE)
# The first is Chromium without its own window: it takes two thirds of the processor time.
NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)
MACOS = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
# Chromium renders its own address bar as web pages, anew for every window. The others are what Playwright
# disables, as far as it matters here: this list takes the place of Playwright's.
UNUSED_FEATURES = (
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
    "HttpsUpgrades",
    "MediaRouter",
    "OptimizationHints",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join(UNUSED_FEATURES)}",
    # Nothing but the app and the local Clerk is needed: a request to another host fails, and is reported.
    # Playwright's routes could do that too, but they switch off the browser's cache.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]
FAILED = pytest.StashKey[bool]()


def unavailable(what: str) -> NoReturn:
    """Skip the test because the machine lacks something. Fail it if the variable CI is set."""
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(f"{what} With CI set, browser tests are never skipped.")
    pytest.skip(f"No browser tests: {what}")


def find_chromium() -> str:
    """Return the path of a Chromium: $CHROMIUM, or one that is installed."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and MACOS.exists():
        found = str(MACOS)
    if found is None:
        unavailable("no Chromium found. Install one (apt install chromium) or set CHROMIUM to its path.")
    return found


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Return a headless Chromium."""
    found = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
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
    """Return the address of a generated project that runs by `flask dev`."""
    key = dotenv_values(generated.path / ".env")["CLERK_PUBLISHABLE_KEY"] or ""
    shutil.copytree(bundles, generated.path / "instance" / "clerk-js", dirs_exist_ok=True)
    if not PROCESS:
        shutil.rmtree(SCREENSHOTS, ignore_errors=True)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    url = f"http://localhost:{generated.port}"
    mounting.add_page(generated.path, url, key)
    mounting.add_form(generated.path)
    with flask_dev(generated, generated.path, url, LOG):
        yield url
    # `nox -s endpoints` makes a table of the endpoints that Clerk.js uses.
    TRAFFIC.mkdir(parents=True, exist_ok=True)
    shutil.copy(LOG, TRAFFIC / f"browser{PROCESS}.log")


@contextmanager
def flask_dev(project: Project, folder: Path, url: str, log: Path, **settings: str) -> Iterator[None]:
    """Run `flask dev` in a project's folder, or in a copy of it, while the context is open.

    Args:
        project: the installed project, whose Python runs.
        folder: the folder to run in.
        url: the app's address.
        log: the file for the output.
        settings: environment variables, which take precedence over `.env`.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            [project.tool("flask"), "dev"],
            cwd=folder,
            stdout=output,
            stderr=output,
            env=os.environ | settings,
        )
        try:
            wait_for(f"{url}/healthz", process, log)
            yield
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_SECONDS)
            finally:
                process.kill()


@pytest.fixture(scope="session")
def second_site(
    chromium: Browser, bundles: Path, generated: Project, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., AbstractContextManager[SecondSite]]:
    """Return a function that runs a copy of the generated project with other settings.

    In their values, `{app}` and `{clerk}` stand for the ports of the app and its local Clerk.
    """

    @contextmanager
    def run(path: str = "", **settings: str) -> Iterator[SecondSite]:
        folder = tmp_path_factory.mktemp("second") / "saas"
        shutil.copytree(generated.path, folder, ignore=shutil.ignore_patterns(".venv", "instance", "*.db*"))
        shutil.copytree(bundles, folder / "instance" / "clerk-js")
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        app, clerk = free_ports()
        ports = {"FLASK_RUN_PORT": "{app}", "CLERK_EMULATOR_URL": "http://127.0.0.1:{clerk}"}
        env = {name: value.format(app=app, clerk=clerk) for name, value in (ports | settings).items()}
        url, log = f"http://localhost:{app}{path}", folder / "flask-dev.log"
        with flask_dev(generated, folder, url, log, **env):
            secret_key = dotenv_values(folder / ".env")["CLERK_SECRET_KEY"] or ""
            yield SecondSite(url, LocalClerk(env["CLERK_EMULATOR_URL"], secret_key), log)

    return run


@dataclass(frozen=True)
class SecondSite:
    """A running copy of the generated project: the app's address, its local Clerk, and their log."""

    url: str
    clerk: LocalClerk
    log: Path


@pytest.fixture
def clerk(site: str, generated: Project) -> Iterator[LocalClerk]:
    """Return the site's local Clerk. Its settings and clock are reset after the test.

    The test fails if a request to the local Clerk raised an exception, or named an unknown endpoint.
    """
    env = dotenv_values(generated.path / ".env")
    clerk = LocalClerk(env["CLERK_EMULATOR_URL"] or "", env["CLERK_SECRET_KEY"] or "")
    yield from watched(clerk, LOG)


def watched(clerk: LocalClerk, log: Path) -> Iterator[LocalClerk]:
    """Provide a local Clerk to a test, check the log, and reset settings and clock afterwards."""
    before = log.stat().st_size
    yield clerk
    clerk.switch()
    clerk.ask("DELETE", "/emulator/clock")
    with log.open("rb") as lines:
        lines.seek(before)
        said = lines.read().decode("utf-8", "replace").splitlines()
    # Browsers ask every origin for an icon.
    odd = [line for line in said if "unknown endpoint" in line and "GET /favicon.ico" not in line]
    assert odd + [line for line in said if "Traceback" in line] == []


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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember whether a test failed, so that `visit` can take a screenshot."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture
def visit(
    chromium: Browser, site: str, clerk: LocalClerk, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Visitor]]:
    """Return a function that opens a browser without any cookies.

    The test fails if anything goes wrong in one of these browsers that it did not expect.

    This fixture depends on `clerk` so that the pages are closed before the settings of the local Clerk
    are reset: a page that is still loading data would be refused what the test had enabled.
    """
    folder = SCREENSHOTS / re.sub(r"\W+", "-", f"{request.path.stem} {request.node.name}").strip("-")
    shutil.rmtree(folder, ignore_errors=True)
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
        contexts.append(context)
        visitor = Visitor(context.new_page(), site, folder, f"ada-{time.time_ns()}@example.com")
        visitor.watch()
        visitors.append(visitor)
        return visitor

    yield open_browser
    if TAKES_PICTURES or request.node.stash.get(FAILED, False):
        for number, visitor in enumerate(visitors):
            visitor.page.screenshot(path=folder / f"99 end {number}.png")
    for context in contexts:
        context.close()
    assert [problem for visitor in visitors for problem in visitor.problems] == []


@pytest.fixture
def small(visit: Callable[..., Visitor]) -> Callable[[], Visitor]:
    """Return a function that opens a browser as small as a phone's, without JavaScript."""

    def open_browser() -> Visitor:
        visitor = visit(javascript=False)
        visitor.page.set_viewport_size({"width": 390, "height": 844})
        return visitor

    return open_browser


@pytest.fixture
def visitor(visit: Callable[..., Visitor]) -> Visitor:
    """Return a browser without any cookies."""
    return visit()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say where the screenshots are."""
    if count := len(list(SCREENSHOTS.rglob("*.png"))):
        terminalreporter.write_line(f"{count} screenshots in {SCREENSHOTS.relative_to(ROOT)}")
