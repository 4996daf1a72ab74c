"""An installed wheel of a generated project serves its pages from a folder without source code."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from dotenv import dotenv_values

from tests.conftest import Render
from tests.tools import BIN, run

PAGES = """
import app, json
from pathlib import Path
from app import create_app

assert ".venv" in app.__file__, app.__file__
site = create_app()
site.testing = True  # else pages are refused with the keys of the local Clerk
visitor = site.test_client()
paths = ("/", "/login", "/signup", "/healthz", "/static/app.css", "/static/clerk/clerk.js")
print(json.dumps({path: visitor.get(path).status_code for path in paths}))
"""


@pytest.fixture(scope="module")
def installed(render: Render, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a virtual environment in which a project is installed as a wheel."""
    project = render()
    folder = tmp_path_factory.mktemp("server")
    run(sys.executable, "-m", "venv", folder / ".venv")
    run(folder / ".venv" / BIN / "python", "-m", "pip", "install", "--quiet", str(project))
    env = dotenv_values(project / ".env")
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in env.items()))
    return folder


def test_it_serves_its_pages_and_static_files(installed: Path) -> None:
    said = run(installed / ".venv" / BIN / "python", "-c", PAGES, cwd=installed).stdout
    assert '"/": 200' in said, said
    assert said.count("200") == 6, said


def test_its_database_is_created_in_the_working_directory(installed: Path) -> None:
    run(installed / ".venv" / BIN / "flask", "--app", "app", "db", "upgrade", cwd=installed)
    assert (installed / "instance" / "app.db").is_file()
    [packages] = (installed / ".venv").rglob("site-packages")
    assert not list(packages.glob("instance"))
    assert not (packages / ".env").exists()


def test_without_settings_the_error_names_the_working_directory(installed: Path, tmp_path: Path) -> None:
    flask = installed / ".venv" / BIN / "flask"
    said = run(flask, "--app", "app", "routes", cwd=tmp_path, expect=None).stdout
    assert f"There is no .env file in {tmp_path}" in said
