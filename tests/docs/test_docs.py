"""Everything the documentation names exists: links, files, sessions, commands, settings, code."""

from __future__ import annotations

import json
import re
import shutil
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.conftest import Render
from tests.tools import ROOT, Project, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "hooks" / "README.md"]
PAGES += sorted((ROOT / "docs").glob("*.md"))
# Placeholders, and names of files that the reader or a command creates.
EXAMPLES = {"demo/", "hooks/v1_2_0.py", "uv.lock", "requirements.lock", "invoices/index.html"}
EXAMPLES |= {"app/templates/invoices/index.html"}
EXAMPLES |= {"clerk_emulator.toml", "clerk_seeds.toml", "instances.toml"}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text("utf-8"))


def blocks(page: Path, language: str) -> list[str]:
    return [text for name, text in FENCE.findall(page.read_text("utf-8")) if name == language]


def code(page: Path) -> Iterator[str]:
    """Yield the code of a page: blocks, and text in backticks."""
    yield from (text for _, text in FENCE.findall(page.read_text("utf-8")))
    yield from re.findall(r"`([^`\n]+)`", prose(page))


def everywhere(pattern: str, pages: list[Path] | None = None) -> set[str]:
    """Return all matches of a pattern in the code of pages."""
    found = (re.findall(pattern, text) for page in pages or PAGES for text in code(page))
    return {match for matches in found for match in matches}


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", prose(page), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"https?://", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{link} does not exist."
        assert not anchor or anchor in anchors(target), f"{link} has no such heading."


def test_the_readme_links_every_page() -> None:
    linked = set(re.findall(r"\]\((docs/[^)#]+\.md)", prose(ROOT / "README.md")))
    assert linked == {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}


def test_the_readme_opens_with_the_two_commands() -> None:
    lines = blocks(ROOT / "README.md", "console")[0].splitlines()
    commands = [line.split("#")[0].removeprefix("$ ").strip() for line in lines]
    assert commands == ["python3 noxfile.py -s demo", "python3 noxfile.py"]


def test_every_nox_session_named_exists() -> None:
    listed = run(sys.executable, ROOT / "noxfile.py", "--list").stdout
    sessions = set(re.findall(r"^[*-] (\w+) ->", listed, re.M))
    named = everywhere(r"(?:noxfile\.py|nox) -s (\w+)")
    assert "demo" in named
    assert named <= sessions


# One process for all commands: each would take a second or two to start.
HELP_OF_ALL = """
import json, sys
from click.testing import CliRunner
from flask.cli import cli
asked = [CliRunner().invoke(cli, [*words, "--help"]) for words in json.loads(sys.argv[1])]
print(json.dumps([[done.exit_code, done.output] for done in asked]))
"""


def test_every_flask_command_named_exists(generated: Project) -> None:
    pages = [*PAGES, generated.path / "README.md"]
    named = everywhere(r"(?<!from )\bflask ((?:[a-z]+(?:-[a-z]+)* ?)+(?: ?--[a-z-]+)*)", pages)
    assert {"dev", "clerk doctor", "clerk doctor --fix", "db upgrade"} <= {n.strip() for n in named}
    commands = [command.split() for command in sorted(named)]
    asked = [[word for word in words if not word.startswith("--")] for words in commands]
    shown = json.loads(generated.run("python", "-c", HELP_OF_ALL, json.dumps(asked)))
    for words, (code, text) in zip(commands, shown, strict=True):
        command = f"flask {' '.join(words)}"
        assert code == 0, f"{command}: {text}"
        for option in (word for word in words if word.startswith("--")):
            assert option in text, f"{command}: no such option."


def test_every_file_named_exists(generated: Project, render: Render) -> None:
    with_jobs = render(jobs="celery")
    pattern = r"(?<![\w./:{-])((?:\.?[\w-]+/)*\.?[\w-]+(?:/|\.(?:py|md|toml|yml|html)\b))(?![\w{…])"
    for page in PAGES:
        inline = " ".join(f" {text} " for text in re.findall(r"`([^`\n]+)`", prose(page)))
        for name in set(re.findall(pattern, inline)) - EXAMPLES:
            places = (generated.path, with_jobs, generated.path / "app/templates", ROOT, page.parent)
            assert any((place / name).exists() for place in places), f"{page.name}: {name}"


def test_every_setting_named_is_explained_in_env_example(generated: Project) -> None:
    example = (generated.path / ".env.example").read_text("utf-8")
    named = everywhere(r"\b((?:CLERK|SECRET|DATABASE|TRUSTED)_[A-Z_]+)\b")
    assert {"CLERK_PUBLISHABLE_KEY", "CLERK_SECRET_KEY", "CLERK_INSTANCE_URL"} <= named
    assert {name for name in named if not re.search(rf"^#? ?{name}=", example, re.M)} == set()


def test_every_question_is_in_the_table_with_its_default() -> None:
    questions = yaml.safe_load((ROOT / "copier.yml").read_text("utf-8"))
    rows = [row for row in prose(ROOT / "docs/generate.md").splitlines() if row.startswith("| `")]
    for name, question in questions.items():
        if name.startswith("_") or question.get("when") is False:
            continue
        row = [row for row in rows if f"`{name}`" in row.split("|")[1]]
        assert row, f"{name} is not in the table of docs/generate.md."
        for answer in question.get("choices", {}).values():
            assert f"`{answer}`" in row[0]
        if isinstance(question["default"], int) or name in {"project_name", "database", "license"}:
            assert str(question["default"]) in row[0].split("|")[2]


def test_every_clerk_macro_named_exists(generated: Project) -> None:
    macros = (generated.path / "app/clerk/templates/clerk/macros.html").read_text("utf-8")
    named = everywhere(r"\bclerk\.(\w+)\(\)")
    assert "sign_in" in named
    assert {name for name in named if f"macro {name}(" not in macros} == set()


def test_the_table_of_endpoints_has_all_of_them_and_no_others(generated: Project) -> None:
    command = (generated.tool("python"), "-m", "tests.docs.endpoints", "--check")
    done = run(*command, cwd=ROOT, env={"PYTHONPATH": str(generated.path)}, expect=None)
    assert done.returncode == 0, f"Run `nox -s endpoints`: {done.stdout}"


def test_the_files_of_the_local_clerk_are_valid_as_printed(generated: Project, tmp_path: Path) -> None:
    settings, seeds = blocks(ROOT / "docs/local-clerk.md", "toml")
    (tmp_path / "settings.toml").write_text(settings, "utf-8")
    (tmp_path / "seeds.toml").write_text(seeds, "utf-8")
    load = (
        "import sys, pathlib; from clerk_emulator import create_emulator;"
        "from clerk_emulator.clerk import EXTENSION; from clerk_emulator.seeds import load_seeds, read_seeds;"
        "from clerk_emulator.testing import example_config; folder = pathlib.Path(sys.argv[1]);"
        "app = create_emulator(example_config(folder, settings=folder / 'settings.toml'));"
        "print(load_seeds(app.extensions[EXTENSION], read_seeds(folder / 'seeds.toml')))"
    )
    printed = run(generated.tool("python"), "-c", load, tmp_path, cwd=generated.path).stdout
    assert "'users': 1, 'organizations': 1" in printed


def test_the_pip_command_is_the_same_everywhere(generated: Project) -> None:
    pip = "python3 -m venv --upgrade-deps .venv && .venv/bin/pip install -e . --group dev"
    for page in (ROOT / "copier.yml", ROOT / "docs/generate.md", generated.path / "README.md"):
        assert pip in page.read_text("utf-8"), page


def test_the_readmes_copy_command_works_as_printed(template: Path, tmp_path: Path) -> None:
    run("git", "clone", "--quiet", template, tmp_path / "clone")
    lines = "\n".join(blocks(ROOT / "README.md", "console")).splitlines()
    [line] = [line.removeprefix("$ uvx ") for line in lines if "uvx copier copy" in line]
    asking_nothing = line.replace("copy", "copy --defaults", 1)
    run("sh", "-c", f"'{sys.executable}' -m {asking_nothing}", cwd=tmp_path / "clone")
    assert (tmp_path / "my-saas" / ".copier-answers.yml").is_file()


def test_the_protected_page_of_the_documentation_works(generated: Project, tmp_path: Path) -> None:
    page, *_ = blocks(ROOT / "docs/work-on-your-app.md", "python")
    project = tmp_path / "saas"
    shutil.copytree(generated.path, project, ignore=shutil.ignore_patterns(".venv"))
    (project / "app" / "invoices.py").write_text(page)
    visit = (
        "from app import create_app, invoices; app = create_app(); app.testing = True;"
        "app.register_blueprint(invoices.blueprint); client = app.test_client();"
        "print(client.get('/invoices', headers={'Accept': 'text/html'}).status_code);"
        "print(client.get('/invoices', headers={'Accept': 'application/json'}).status_code)"
    )
    browser, api = run(generated.tool("python"), "-c", visit, cwd=project).stdout.split()[-2:]
    assert browser in {"302", "307"}  # to the login page, or to Clerk and from there to it
    assert api == "401"
