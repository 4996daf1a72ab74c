"""The package as others install it: a wheel in a new environment, without this repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

PACKAGE = Path(__file__).parents[1]
APP = "http://localhost:5000"
READY = "Local Clerk ready on "


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed command ``clerk-emulator``, far from this repository's sources."""
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    sources = folder / "emulator"
    shutil.copytree(PACKAGE, sources, ignore=shutil.ignore_patterns("tests", "*.egg-info"))
    environment = folder / "environment"
    python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"

    def run_uv(*arguments: str | Path) -> None:
        subprocess.run([uv, *arguments], check=True, cwd=folder)

    run_uv("venv", "--quiet", "--python", sys.executable, environment)
    run_uv("build", "--quiet", "--wheel", "--out-dir", folder, sources)
    run_uv("pip", "install", "--quiet", "--python", python, *folder.glob("*.whl"))
    shutil.rmtree(sources)
    return python.with_name("clerk-emulator")


@pytest.fixture
def url(command: Path, tmp_path: Path) -> Iterator[str]:
    """The address of the installed emulator, started in an empty folder without keys."""
    environ = {name: value for name, value in os.environ.items() if "CLERK" not in name}
    process = subprocess.Popen(
        [command, "--port", "0"], cwd=tmp_path, env=environ, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith(READY)
    yield line.removeprefix(READY).strip()
    process.kill()
    process.communicate()


def submit(browser: requests.Session, page: requests.Response, **fields: str) -> requests.Response:
    """Fill in the first form of a page and send it."""
    form = re.search(r'<form method="post" action="([^"]+)"(.*?)</form>', page.text, re.S)
    assert form is not None
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form[2]))
    return browser.post(unescape(form[1]), data=hidden | fields, allow_redirects=False, timeout=20)


def test_a_user_signs_up_on_the_hosted_page(url: str) -> None:
    browser = requests.Session()
    page = browser.get(f"{url}/sign-up", timeout=20)
    style = re.search(r'href="([^"]+\.css)"', page.text)
    assert style is not None
    assert browser.get(urljoin(page.url, style[1]), timeout=20).ok
    answer = submit(browser, page, email_address="ada@example.com", password="correct horse 9")
    page = browser.get(answer.headers["Location"], timeout=20)
    answer = submit(browser, page, code="424242")
    assert answer.headers["Location"].startswith(APP)
    assert "ada@example.com" in browser.get(f"{url}/", timeout=20).text


def test_the_wheel_has_types_and_the_pytest_plugin(command: Path) -> None:
    program = (
        "import clerk_emulator, importlib.metadata as m, pathlib;"
        "print((pathlib.Path(clerk_emulator.__file__).parent / 'py.typed').is_file(),"
        "*[e.value for e in m.entry_points(group='pytest11') if e.name == 'clerk_emulator'])"
    )
    python = command.with_name("python")
    said = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["True", "clerk_emulator.pytest_plugin"]
