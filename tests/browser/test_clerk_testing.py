"""Clerk's testing library, @clerk/testing, with a real browser against the generated app."""

from __future__ import annotations

import json
import shutil
import time
from typing import TYPE_CHECKING

import pytest
from dotenv import dotenv_values

from tests.browser.conftest import FLAGS, find_chromium, unavailable
from tests.browser.local_clerk import PASSWORD
from tests.tools import ROOT, Project, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser.local_clerk import LocalClerk

SCRIPT = ROOT / "tests" / "browser" / "javascript" / "clerk_testing.mjs"
PACKAGES = ROOT / ".nox" / "clerk-testing"
WANTED = ("@clerk/testing", "playwright-core")


@pytest.fixture(scope="session")
def packages() -> Path:
    """Return a folder with @clerk/testing and Playwright. npm fetches them once; they are kept in .nox/."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        unavailable("npm and node, which fetch and run @clerk/testing, were not found.")
    PACKAGES.mkdir(parents=True, exist_ok=True)
    if not all((PACKAGES / "node_modules" / name / "package.json").is_file() for name in WANTED):
        quiet = ("--no-audit", "--no-fund", "--no-package-lock", "--no-save", "--loglevel=error")
        run("npm", "install", *quiet, "--legacy-peer-deps", "--prefix", PACKAGES, *WANTED, cwd=PACKAGES)
    shutil.copy(SCRIPT, PACKAGES / SCRIPT.name)  # Node looks for packages next to the script
    return PACKAGES


def test_it_signs_in_by_password_code_and_ticket(
    site: str, clerk: LocalClerk, generated: Project, packages: Path
) -> None:
    user = clerk.create_user(f"ada-{time.time_ns()}+clerk_test@example.com")
    keys = dotenv_values(generated.path / ".env")
    surroundings = {name: keys[name] or "" for name in ("CLERK_PUBLISHABLE_KEY", "CLERK_SECRET_KEY")} | {
        "CLERK_API_URL": f"{clerk.url}/api",
        "CLERK_TELEMETRY_DISABLED": "1",
        "LOCAL_CLERK": clerk.url,
        "SITE": site,
        "EMAIL": user["email"],
        "PASSWORD": PASSWORD,
        "CHROMIUM": find_chromium(),
        "ARGUMENTS": json.dumps(FLAGS),
        "NO_PROXY": "127.0.0.1,localhost",
    }
    run("node", packages / SCRIPT.name, cwd=packages, seconds=90, env=surroundings)
