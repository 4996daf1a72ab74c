"""The pytest plugin, in small projects: with its own fixtures, and with a project's own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

RunPytest = Callable[..., str]

SITE = """
import pytest
from flask import Flask

@pytest.fixture
def site(clerk):
    app = Flask(__name__)
    app.add_url_rule("/", view_func=lambda: clerk.environ["CLERK_PUBLISHABLE_KEY"])
    return app
"""


def test_the_fixtures_need_no_import(tmp_path: Path, run_pytest: RunPytest) -> None:
    tests = """
import requests
from clerk_emulator.testing import RunningClerk

def test_users(clerk: RunningClerk):
    assert clerk.users() == []
    clerk.create_user()

def test_users_of_another_test_are_gone(clerk):
    assert clerk.users() == []

def test_the_app_is_served(live_site, clerk):
    assert requests.get(live_site, timeout=5).text == clerk.environ["CLERK_PUBLISHABLE_KEY"]
"""
    assert "3 passed" in run_pytest(tmp_path, tests, SITE)


def test_a_projects_own_fixtures_take_precedence(tmp_path: Path, run_pytest: RunPytest) -> None:
    names = ("clerk", "site", "live_site", "browser_page", "chromium")
    conftest = "import pytest\n" + "".join(
        f"@pytest.fixture(scope='session')\ndef {name}():\n    return 'own {name}'\n"
        for name in names
    )
    arguments = ", ".join(names)
    checks = "".join(f"    assert {name} == 'own {name}'\n" for name in names)
    tests = (
        f"import sys\ndef test_own({arguments}):\n{checks}    assert 'flask' not in sys.modules\n"
    )
    assert "1 passed" in run_pytest(tmp_path, tests, conftest)


def test_a_project_without_playwright_skips_pages(tmp_path: Path, run_pytest: RunPytest) -> None:
    conftest = f"{SITE}\nimport sys\nsys.modules['playwright'] = None\n"
    said = run_pytest(tmp_path, "def test_page(browser_page): ...", conftest, "-rs")
    assert "1 skipped" in said
    assert "Playwright is not installed" in said


def test_a_project_without_an_app_gets_the_name_of_the_missing_fixture(
    tmp_path: Path, run_pytest: RunPytest
) -> None:
    said = run_pytest(tmp_path, "def test_page(live_site): ...")
    assert "fixture 'site' not found" in said


@pytest.mark.parametrize("module", ["clerk_emulator", "clerk_emulator.pytest_plugin"])
def test_importing_the_plugin_is_cheap(module: str) -> None:
    program = (
        f"import sys, pytest; before = set(sys.modules); import {module};"
        "print(*sorted(set(sys.modules) - before))"
    )
    command = [sys.executable, "-c", program]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert module in loaded
    heavy = {"flask", "werkzeug", "cryptography", "jwt", "requests", "sqlite3", "playwright"}
    assert not heavy & {name.partition(".")[0] for name in loaded}
    assert sum(name.startswith("clerk_emulator") for name in loaded) <= 3
