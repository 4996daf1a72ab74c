"""Fixtures: a temporary copy of this repository, and projects rendered from it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import copier
import pytest

from tests.tools import ROOT, SAID, Project, free_ports, git, run

if TYPE_CHECKING:
    from collections.abc import Iterator


class Render(Protocol):
    """Render a project with these answers and the defaults for the others."""

    def __call__(self, **answers: Any) -> Path: ...


@pytest.fixture(scope="session", autouse=True)
def _own_surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Isolate the tests from the developer's own settings for git, Copier and Flask."""
    home = tmp_path_factory.mktemp("surroundings")
    (home / "copier.yml").write_text("{}\n")
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(("CLERK_", "FLASK_", "NOX_", "COPIER_", "GIT_AUTHOR", "GIT_COMMIT")):
                patch.delenv(name)
        for name in ("DATABASE_URL", "SECRET_KEY", "VIRTUAL_ENV", "NOXFILE_STARTED"):
            patch.delenv(name, raising=False)
        patch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        patch.setenv("COPIER_SETTINGS_PATH", str(home / "copier.yml"))
        patch.setenv("COPIER_CACHE_DIR", str(home / "cache"))
        yield


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a temporary git repository with a copy of the working tree, uncommitted files included."""
    target = tmp_path_factory.mktemp("template") / "flask-clerk-saas"
    listed = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    for name in filter(None, listed.split("\0")):
        if (source := ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target / name)
    git(target, "init", "--quiet", "--initial-branch=main")
    git(target, "add", "--all")
    git(target, "commit", "--quiet", "--message=The template as it is now")
    return target


@pytest.fixture(scope="session")
def render(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Render:
    """Return a function that renders a new project without --trust and returns its path."""

    def render_project(**answers: Any) -> Path:
        project = tmp_path_factory.mktemp("project") / "saas"
        data = {"clerk_emulator": f"clerk-emulator @ {(template / 'emulator').as_uri()}"} | answers
        copier.run_copy(str(template), project, data=data, defaults=True, quiet=True, vcs_ref="HEAD")
        return project

    return render_project


@pytest.fixture(scope="session")
def plain(render: Render) -> Path:
    """Return a read-only project with the defaults. Tests that change or run a project render their own."""
    return render()


@pytest.fixture(scope="session")
def generated(render: Render) -> Project:
    """Return a project with the defaults, installed as its README says."""
    port, _ = free_ports()
    return Project(render(port=port), port).install()


@pytest.fixture(scope="session")
def generated_postgresql(render: Render) -> Project:
    """Return a project for PostgreSQL, installed."""
    port, _ = free_ports()
    return Project(render(port=port, database="postgresql"), port).install()


@pytest.fixture(scope="session")
def generated_celery(render: Render) -> Project:
    """Return a project that runs its jobs with Celery, installed."""
    port, _ = free_ports()
    return Project(render(port=port, jobs="celery"), port).install()


@pytest.fixture
def clone(template: Path, tmp_path: Path) -> Path:
    """Return a clone of the template that the test may change and tag."""
    target = tmp_path / "clone"
    run("git", "clone", "--quiet", str(template), str(target))
    return target


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the messages that tests recorded, from all processes."""
    for report in terminalreporter.getreports("passed"):
        for name, text in report.user_properties:
            if name == SAID:
                terminalreporter.write_line(text)
