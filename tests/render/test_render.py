"""Properties of a rendered project, whatever the answers."""

from __future__ import annotations

import re
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from dotenv import dotenv_values

from tests.tools import ROOT, copier_cli, git

if TYPE_CHECKING:
    from tests.conftest import Render

QUESTIONS = {
    name: question
    for name, question in yaml.safe_load((ROOT / "copier.yml").read_text("utf-8")).items()
    if not name.startswith("_") and question.get("when") is not False
}
AWKWARD = 'O\'Neil & Söhne "Labs" <x> 100% #1 $HOME'
# Each row is one project. Together they give every answer to every question.
ANSWERS: list[dict[str, Any]] = [
    {},
    {"database": "postgresql", "port": 5055, "jobs": "celery"},
    {"database": "sqlite", "jobs": "inline", "project_slug": "rockets-2", "clerk_emulator": "none"},
    {"project_name": AWKWARD},
    {
        "project_name": "Acme Rockets",
        "project_description": 'It\'s "rockets" & <more>: 100 % é',
        "contact_email": "l.ohara@acme.example",
    },
]
TEXT = {".py", ".md", ".toml", ".html", ".css", ".js", ".txt", ".yml", ".yaml", ".cfg", ".ini", ""}
# These files are Jinja, Mako or JavaScript at run time, so braces belong in them.
RUN_TIME_TEMPLATES = {".html", ".mako", ".js", ".css"}


@pytest.fixture(scope="module", params=ANSWERS, ids=lambda answers: ",".join(answers) or "defaults")
def project(request: pytest.FixtureRequest, render: Render) -> Path:
    return render(**request.param)


def files(project: Path) -> dict[str, str]:
    """Return the text of every text file, by its path."""
    return {
        str(path.relative_to(project)): path.read_text("utf-8")
        for path in sorted(project.rglob("*"))
        if path.is_file() and (path.suffix in TEXT or path.name.startswith(".env"))
    }


def mentions(project: Path, pattern: str, *, ignoring: str = r"$^") -> list[str]:
    """Return the lines of a project that match a pattern, as `file: line`."""
    return [
        f"{name}: {line.strip()}"
        for name, text in files(project).items()
        if not re.search(ignoring, name)
        for line in text.splitlines()
        if re.search(pattern, line)
    ]


def answers_of(project: Path) -> dict[str, Any]:
    answers: dict[str, Any] = yaml.safe_load((project / ".copier-answers.yml").read_text("utf-8"))
    return answers


def test_the_rows_give_every_answer_to_every_question() -> None:
    for name, question in QUESTIONS.items():
        given = {row[name] for row in ANSWERS if name in row}
        offered = set(question.get("choices", {}).values())
        assert given, f"No row answers {name}."
        assert offered <= given or not offered, f"No row answers {name} with {offered - given}."


def test_no_template_syntax_is_left_in_files(project: Path) -> None:
    run_time = "|".join(re.escape(suffix) + "$" for suffix in {*RUN_TIME_TEMPLATES, ".py"})
    assert mentions(project, r"\{\{-? |\{%|\{#", ignoring=run_time) == []
    # Pages are Jinja, and Python may contain it in strings, but neither uses the questions.
    names = "|".join(QUESTIONS)
    assert mentions(project, rf"\{{\{{[^}}]*\b({names})\b|\{{%[^%]*\b({names})\b") == []
    assert mentions(project, r"\b_copier_(conf|answers)\b") == []


def test_no_template_syntax_is_left_in_file_names(project: Path) -> None:
    names = [str(path.relative_to(project)) for path in project.rglob("*")]
    odd = r"[{}%'\"]|\.jinja$|(^|/)\.(py|html|toml|md|txt|js|css)$|(^|/)\s|\s(/|$)"
    assert [name for name in names if re.search(odd, name)] == []


def test_no_name_is_empty(project: Path) -> None:
    assert mentions(project, r"^#+\s*$|<title>\s*</title>", ignoring=r"^(?!.*\.(md|html)$)") == []
    assert mentions(project, r"^(name|description)\s*=\s*[\"']\s*[\"']") == []


def test_every_python_file_compiles(project: Path) -> None:
    for name, text in files(project).items():
        if name.endswith(".py"):
            compile(text, name, "exec")


def test_no_file_is_too_long_to_read(project: Path) -> None:
    lengths = {name: len(text.splitlines()) for name, text in files(project).items()}
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_the_package_metadata_matches_the_answers(project: Path) -> None:
    answers = answers_of(project)
    package = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
    assert package["name"] == f"{answers['project_slug']}-app"
    assert package["description"] == answers["project_description"]


def test_env_is_ready_to_run(project: Path) -> None:
    env = dotenv_values(project / ".env")
    port = answers_of(project)["port"]
    assert env["FLASK_RUN_PORT"] == str(port)
    assert env["CLERK_EMULATOR_URL"] == f"http://127.0.0.1:{port + 1}"
    assert (env["CLERK_PUBLISHABLE_KEY"] or "").startswith("pk_test_")
    assert (env["CLERK_SECRET_KEY"] or "").startswith("sk_test_")
    assert len(env["SECRET_KEY"] or "") >= 32


def test_env_example_explains_every_variable_of_env(project: Path) -> None:
    example = (project / ".env.example").read_text("utf-8")
    unexplained = [
        name for name in dotenv_values(project / ".env") if not re.search(rf"^#? ?{name}=", example, re.M)
    ]
    assert unexplained == []


def test_secrets_are_only_in_env(project: Path) -> None:
    assert set(answers_of(project)) == {"_commit", "_src_path", *QUESTIONS}
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    tracked = git(project, "ls-files").splitlines()
    assert ".env" not in tracked
    assert ".env.example" in tracked
    env = dotenv_values(project / ".env")
    for name in ("SECRET_KEY", "CLERK_SECRET_KEY"):
        assert [f for f in tracked if (env[name] or "") in (project / f).read_text("utf-8")] == []


def test_two_projects_have_different_secrets(render: Render) -> None:
    one, other = (dotenv_values(render() / ".env") for _ in range(2))
    assert one["SECRET_KEY"] != other["SECRET_KEY"]


def test_the_project_mentions_no_other_product_name(render: Render) -> None:
    project = render(project_name="Acme Rockets", clerk_emulator="none")
    assert mentions(project, r"(?i)my.?saas|flask-clerk-saas", ignoring=r"\.copier-answers") == []


def test_options_that_were_not_chosen_are_not_mentioned(render: Render, plain: Path) -> None:
    # These files support both databases, so they are the same whatever the answer.
    both = (
        r"^(app/(database|database_errors|settings|transactions|clerk_sync/columns)\.py"
        r"|app/.*/migrations/|tests/)"
    )
    assert mentions(plain, r"(?i)postgres|psycopg", ignoring=both) == []
    about = r"^(?!pyproject\.toml|README\.md|\.env)"
    assert mentions(render(database="postgresql"), r"(?i)sqlite:", ignoring=about) == []
    assert mentions(plain, r"(?i)celery|redis\b|rabbit") == []
    assert not any((plain / folder).exists() for folder in ("app/jobs", "tests/jobs"))


def test_a_project_does_not_mention_copier(plain: Path) -> None:
    allowed = r"^(README\.md|AGENTS\.md|\.copier-answers\.yml)$"
    assert mentions(plain, r"(?i)copier", ignoring=allowed) == []


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("My SaaS", "my-saas"),
        ("O'Neil & Söhne", "oneil-soehne"),
        ("Łódź  Café!", "lodz-cafe"),
        ("37signals", "app-37signals"),
        ("日本語", "my-saas"),
        ("Flask", "flask"),
        ("X", "app-x"),
        ("a" * 60, "a" * 36),
    ],
)
def test_the_slug_is_derived_from_the_name(render: Render, name: str, slug: str) -> None:
    assert answers_of(render(project_name=name))["project_slug"] == slug


def test_a_project_named_like_a_library_does_not_collide_with_it(render: Render) -> None:
    project = render(project_slug="flask")
    package = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
    names = {re.split(r"[^\w.-]", need)[0].lower() for need in package["dependencies"]}
    assert package["name"] == "flask-app"
    assert package["name"] not in names


def test_how_long_copying_takes(template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    started = time.monotonic()
    copier_cli("copy", "--defaults", str(template), tmp_path / "saas")
    with capsys.disabled():
        print(f"\ncopier copy --defaults took {time.monotonic() - started:.1f} s")


def test_the_session_cookie_is_named_after_the_project(project: Path) -> None:
    """Cookies ignore ports, so two projects on localhost must not use the same name."""
    factory = (project / "app" / "__init__.py").read_text("utf-8")
    assert f'SESSION_COOKIE_NAME="{answers_of(project)["project_slug"]}-session"' in factory
