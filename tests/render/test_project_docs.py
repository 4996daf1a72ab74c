"""A project's README.md and AGENTS.md are short, and everything they name exists."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.tools import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Render
    from tests.tools import Project

PAGES = ["README.md", "AGENTS.md"]
ELSEWHERE = {"uv.lock", ".venv/bin/", "docs/"}  # created by a command, or in the template's repository
FILE = re.compile(
    r"(?<![\w./:-])((?:\.?[\w-]+/)*\.?[\w-]+(?:/|\.(?:py|md|toml|yml|lock|example|env)\b))(?!\w)"
)


@pytest.fixture(
    scope="module", params=[{}, {"database": "postgresql", "jobs": "celery"}], ids=["defaults", "all"]
)
def rendered(request: pytest.FixtureRequest, render: Render) -> Path:
    return render(**request.param)


@pytest.mark.parametrize("page", PAGES)
def test_every_file_named_exists(rendered: Path, page: str) -> None:
    text = (rendered / page).read_text("utf-8")
    named = {
        name
        for code in re.findall(r"`([^`\n]+)`|\]\(([^)]+)\)", text)
        for name in FILE.findall(" ".join(code))
    }
    assert {name for name in named - ELSEWHERE if not (rendered / name).exists()} == set()


@pytest.mark.parametrize("page", PAGES)
def test_no_template_code_is_left(rendered: Path, page: str) -> None:
    text = (rendered / page).read_text("utf-8")
    assert not re.search(r"\{[{%#]|[%#}]\}|\n\n\n", text)


def test_notes_for_agents_have_60_lines_at_most(rendered: Path) -> None:
    assert len((rendered / "AGENTS.md").read_text("utf-8").splitlines()) <= 60


def test_the_readme_links_the_notes_and_the_documentation(render: Render) -> None:
    text = (render() / "README.md").read_text("utf-8")
    assert "[AGENTS.md](AGENTS.md)" in text
    assert "documentation of the template" in text


def test_the_test_in_the_notes_passes(generated: Project, tmp_path: Path) -> None:
    ignore = shutil.ignore_patterns(".venv", ".git", "instance", "__pycache__")
    copy = shutil.copytree(generated.path, tmp_path / "saas", ignore=ignore)
    example = re.search(
        r"^(    def test_.*?)\n\n", (copy / "AGENTS.md").read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    assert example
    (copy / "tests/test_example.py").write_text(re.sub("^    ", "", example[1], flags=re.MULTILINE))
    run(generated.tool("python"), "-m", "pytest", "-q", "tests/test_example.py", cwd=copy)
