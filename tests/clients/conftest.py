"""Fixtures for tests in which Clerk's own clients call a local Clerk in a separate process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import httpx
import pytest
from clerk_backend_api import Clerk

from tests.docs.endpoints import TRAFFIC
from tests.tools import ROOT, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOST = "local-clients-1.clerk.accounts.dev"
PUBLISHABLE_KEY = f"pk_test_{b64encode(f'{HOST}$'.encode()).decode()}"
SECRET_KEY = "sk_test_clients"
APP_URL = "http://localhost:5000"
PASSWORD = "correct horse 9"
SETTINGS = "[organizations]\nenabled = true\n"
READY = "Local Clerk ready on "

CLIENTS = {
    "test_python_sdk": "python-sdk",
    "test_backend": "backend",
    "test_express": "express",
    "test_testing": "testing",
}
"""The client that a test uses, named as in tests/docs/endpoints.py, by part of the test's ID."""

SCRIPTS = Path(__file__).parent / "javascript"
PACKAGES = ROOT / ".nox" / "clerk-packages"
WANTED = ("@clerk/backend", "@clerk/express", "@clerk/testing", "express")
INSTALL_SECONDS = 300


@dataclass
class LocalClerk:
    """A running local Clerk, and ways to call it."""

    url: str
    log: Path
    by_hand: list[str] = field(default_factory=list)
    """Requests of the current test that were sent without one of Clerk's clients."""
    http: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False))

    def sdk(self, secret_key: str = SECRET_KEY) -> Clerk:
        """Return Clerk's own Python client."""
        return Clerk(bearer_auth=secret_key, server_url=f"{self.url}/api/v1", client=self.http)

    def backend(self, method: str, path: str, **body: Any) -> Any:
        """Call the Backend API without one of Clerk's clients; return the JSON of the response."""
        headers = {"Authorization": f"Bearer {SECRET_KEY}"}
        self.by_hand.append(f"{method} /api/v1{path} ")
        answer = self.http.request(method, f"{self.url}/api/v1{path}", json=body, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()

    def browser(self, address: str) -> dict[str, str]:
        """Sign up a new user as a browser would; return the tokens and IDs."""
        browser = self.http.post(f"{self.url}/v1/dev_browser").json()["id"]
        query = {"__clerk_db_jwt": browser}

        def post(path: str, **form: str) -> Any:
            answer = self.http.post(f"{self.url}/v1/client{path}", params=query, data=form)
            assert answer.is_success, answer.text
            return answer.json()

        sign_up = post("/sign_ups", email_address=address, password=PASSWORD)["response"]["id"]
        post(f"/sign_ups/{sign_up}/prepare_verification", strategy="email_code")
        form = {"strategy": "email_code", "code": "424242"}
        session = post(f"/sign_ups/{sign_up}/attempt_verification", **form)["client"]["sessions"][0]
        return {
            "dev_browser": browser,
            "session_id": session["id"],
            "user_id": session["user"]["id"],
            "token": session["last_active_token"]["jwt"],
        }


@pytest.fixture(scope="session")
def local_clerk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalClerk]:
    """Start the local Clerk on a free port."""
    folder = tmp_path_factory.mktemp("local-clerk")
    for name in CLIENTS.values():
        (TRAFFIC / f"{name}.log").unlink(missing_ok=True)
    (folder / "settings.toml").write_text(SETTINGS, encoding="utf-8")
    keys = {"CLERK_PUBLISHABLE_KEY": PUBLISHABLE_KEY, "CLERK_SECRET_KEY": SECRET_KEY}
    options = ["--port=0", f"--app-url={APP_URL}", "--state", folder / "state.sqlite3"]
    options += ["--assets", folder / "assets", "--settings", folder / "settings.toml"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "clerk_emulator", *map(str, options)],
            env={**os.environ, **keys},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            assert process.stdout
            line = process.stdout.readline()
            assert line.startswith(READY), (folder / "log").read_text(encoding="utf-8")
            yield LocalClerk(line.removeprefix(READY).strip(), folder / "log")
        finally:
            process.terminate()
            process.communicate(timeout=20)


@pytest.fixture(autouse=True)
def _traffic(local_clerk: LocalClerk, request: pytest.FixtureRequest) -> Iterator[None]:
    """Log the requests of this test's client, from which `nox -s endpoints` writes its tables."""
    before = local_clerk.log.stat().st_size
    local_clerk.by_hand.clear()
    yield
    name = next((name for mark, name in CLIENTS.items() if mark in request.node.nodeid), None)
    with local_clerk.log.open("rb") as log:
        log.seek(before)
        lines = [line for line in log.read().decode("utf-8", "replace").splitlines() if " /api/" in line]
    for asked in local_clerk.by_hand:
        lines.remove(next(line for line in lines if asked in line))
    TRAFFIC.mkdir(parents=True, exist_ok=True)
    if name:
        with (TRAFFIC / f"{name}.log").open("a", encoding="utf-8") as kept:
            kept.writelines(f"{line}\n" for line in lines)


@pytest.fixture(scope="session")
def packages() -> Path:
    """Install Clerk's npm packages once, below .nox/, and return the folder."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        unavailable("npm and node, which fetch and run Clerk's JavaScript clients, were not found.")
    PACKAGES.mkdir(parents=True, exist_ok=True)
    if not all((PACKAGES / "node_modules" / name / "package.json").is_file() for name in WANTED):
        quiet = ("--no-audit", "--no-fund", "--no-package-lock", "--no-save", "--loglevel=error")
        command = ("npm", "install", *quiet, "--prefix", PACKAGES, *WANTED)
        run(*command, cwd=PACKAGES, seconds=INSTALL_SECONDS)
    for script in SCRIPTS.glob("*.mjs"):
        shutil.copy(script, PACKAGES / script.name)  # Node looks for packages next to the script
    return PACKAGES


def unavailable(what: str) -> NoReturn:
    """Skip the test on a developer's machine; fail it in CI."""
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(f"{what} With CI set, tests with Clerk's clients are never skipped.")
    pytest.skip(f"No tests with Clerk's JavaScript clients: {what}")


@pytest.fixture(scope="session")
def script_environment(local_clerk: LocalClerk) -> dict[str, str]:
    """Return the environment variables for our scripts and Clerk's packages."""
    return {
        "CLERK_PUBLISHABLE_KEY": PUBLISHABLE_KEY,
        "CLERK_SECRET_KEY": SECRET_KEY,
        "CLERK_API_URL": f"{local_clerk.url}/api",
        "CLERK_TELEMETRY_DISABLED": "1",
        "LOCAL_CLERK": local_clerk.url,
        "APP_URL": APP_URL,
        "FRONTEND_API": HOST,
        "NO_PROXY": "127.0.0.1,localhost",
    }


@pytest.fixture
def node(packages: Path, script_environment: dict[str, str]) -> Callable[..., str]:
    """Return a function that runs a script and returns its output. The test fails if the script does."""

    def run_script(script: str, scenario: str, **facts: str) -> str:
        surroundings = script_environment | {name.upper(): value for name, value in facts.items()}
        return run("node", packages / script, scenario, cwd=packages, seconds=60, env=surroundings).stdout

    return run_script
