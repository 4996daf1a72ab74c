"""A generated project's own checks and tests pass without any changes."""

from __future__ import annotations

import os
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from tests.render.test_render import AWKWARD
from tests.tools import NEWEST_PYTHON, SAID, Project, find_uv, git, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Render

KINDS = ["generated", "generated_postgresql", "generated_celery"]


@pytest.fixture(params=KINDS, ids=["defaults", "postgresql", "celery"])
def project(request: pytest.FixtureRequest) -> Project:
    project: Project = request.getfixturevalue(request.param)
    return project


def test_ruff_finds_nothing(project: Project) -> None:
    project.run("ruff", "check", ".")


def test_it_is_formatted(project: Project) -> None:
    project.run("ruff", "format", "--check", ".")


def test_mypy_finds_nothing(project: Project) -> None:
    project.run("mypy")


def test_its_syntax_and_types_fit_the_newest_python(generated: Project) -> None:
    generated.run("ruff", "check", "--ignore=UP", f"--target-version=py{NEWEST_PYTHON.replace('.', '')}", ".")
    generated.run("mypy", f"--python-version={NEWEST_PYTHON}")


def test_its_own_tests_pass(
    project: Project, request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> None:
    kind = request.node.callspec.id
    said = project.run("pytest")
    # A project with the defaults skips nothing, on any machine. CI also has PostgreSQL and Redis.
    if kind == "defaults" or os.environ.get("CI"):
        assert "SKIPPED" not in said, said
    record_property(SAID, f"A project's own tests ({kind}): {said.strip().splitlines()[-1].strip(' =')}")


def test_its_browser_tests_pass(generated: Project) -> None:
    if not os.environ.get("CI"):
        pytest.skip("The browser tests of generated projects only run with CI set: they need Chromium.")
    run(find_uv() or "uv", "sync", "--quiet", "--group=browser", cwd=generated.path)
    generated.run("flask", "clerk", "assets")
    said = generated.run("pytest", "-m", "browser")
    assert "SKIPPED" not in said, said


def test_its_tests_leave_no_files_for_git(project: Project) -> None:
    git(project.path, "init", "--quiet")
    git(project.path, "add", "--all")
    odd = ("__pycache__", ".venv", "instance/", ".sqlite", ".coverage", "_cache/", ".egg-info")
    tracked = git(project.path, "ls-files").splitlines()
    assert [name for name in tracked if any(part in name for part in odd)] == []


def test_without_the_local_clerk_its_checks_pass_and_skipped_tests_give_one_reason(render: Render) -> None:
    project = Project(render(clerk_emulator="none"), 5000).install()
    project.run("mypy")
    said = project.run("pytest")
    reasons = re.findall(r"^SKIPPED \[\d+\] \S+?:\d+: (.*)$", said, re.MULTILINE)
    assert set(reasons) == {"clerk-emulator is not installed: see the group 'clerk' in pyproject.toml"}
    assert int(re.findall(r"(\d+) passed", said)[0]) > 80


class Title(HTMLParser):
    """Parse the title of a page, with entities decoded."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inside = False
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag == "title"

    def handle_data(self, data: str) -> None:
        self.text += data if self.inside else ""


def test_an_awkward_name_is_shown_as_typed(generated: Project, render: Render) -> None:
    project = render(project_name=AWKWARD, project_description=f"{AWKWARD} does it")
    landing = "from app import create_app; print(create_app().test_client().get('/').text)"
    python = generated.tool("python")
    page = run(
        python, "-c", landing, cwd=project, env={"PYTHONIOENCODING": "utf-8", "FLASK_DEBUG": "1"}
    ).stdout
    assert AWKWARD in Title(page).text
    assert "<x>" not in page


def test_an_awkward_or_long_name_passes_the_linters(generated: Project, render: Render) -> None:
    text = 'It\'s "the" <best> & 100 % é ' * 5
    project = render(project_name=f"{AWKWARD} {AWKWARD}"[:60].strip(), project_description=text)
    for check in (["check"], ["format", "--check"]):
        run(generated.tool("ruff"), *check, ".", cwd=project)
