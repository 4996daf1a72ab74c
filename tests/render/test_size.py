"""A generated project is small enough to read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.conftest import Render
from tests.tools import SAID, git

MOST_FILES = 155
MOST_LINES = 12_000


def test_a_default_project_stays_small(
    render: Render, record_property: Callable[[str, object], None]
) -> None:
    project = render()
    files = tracked(project)
    lines = {name: count_lines(project / name) for name in files}
    folders = {name.split("/")[0] if "/" in name else "." for name in files}
    shares = {f: sum(n for name, n in lines.items() if name.startswith(f"{f}/")) for f in folders - {"."}}
    total = sum(lines.values())
    record_property(SAID, f"A default project: {len(files)} files, {total:,} lines ({shares})")
    assert len(files) <= MOST_FILES
    assert total <= MOST_LINES


def tracked(project: Path) -> list[str]:
    """Return the files that git tracks after `git add --all`."""
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    return [name for name in git(project, "ls-files").splitlines() if name != "uv.lock"]


def count_lines(file: Path) -> int:
    return file.read_bytes().count(b"\n")
