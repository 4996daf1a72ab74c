"""`copier update` on a project that has drifted: no change of the owner is lost."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.tools import copier_cli, git, run

# A page that the owner edits, a module of ours, and a file that the owner deletes.
PAGE = Path("app/templates/pages/landing.html")
MODULE = Path("app/clerk/cookies.py")
UNWANTED = Path("app/templates/pages/error.html")


@dataclass(frozen=True)
class Drifted:
    """An updated project, its `.env` before the update, and the update's output."""

    path: Path
    env: bytes
    said: str = ""

    def text(self, name: Path | str) -> str:
        return (self.path / name).read_text("utf-8")


def release(clone: Path, version: str) -> None:
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--allow-empty", f"--message={version}")
    git(clone, "tag", version)


def insert(file: Path, line: str, *, after: int) -> None:
    """Insert a line into a file `after` this many lines; -1 appends it."""
    lines = file.read_text("utf-8").splitlines()
    lines.insert(len(lines) if after < 0 else after, line)
    file.write_text("\n".join(lines) + "\n", "utf-8")


def make_project(clone: Path, project: Path) -> None:
    """Generate a project from version 1.0.0, put it under git, and change it as its owner would."""
    release(clone, "v1.0.0")
    copier_cli("copy", "--defaults", clone, project)
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message=As generated")

    insert(project / PAGE, "{# My own line #}", after=-1)
    (project / "app" / "invoices.py").write_text('"""My own module."""\n')
    (project / UNWANTED).unlink()
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message=My own work")
    with (project / ".env").open("a") as env:
        env.write("CLERK_SECRET_KEY=sk_test_myown\nMY_OWN=1\n")


@pytest.fixture
def project(clone: Path, tmp_path: Path) -> Path:
    """Return a drifted project; `clone` is its template."""
    make_project(clone, tmp_path / "saas")
    return tmp_path / "saas"


@pytest.fixture(scope="module")
def updated(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Drifted:
    """Return a drifted project after an update without --trust. Read-only."""
    folder = tmp_path_factory.mktemp("update")
    clone, project = folder / "clone", folder / "saas"
    run("git", "clone", "--quiet", template, clone)
    make_project(clone, project)
    env = (project / ".env").read_bytes()
    insert(clone / "template" / PAGE, "{# A line of the template's #}", after=1)
    insert(clone / "template" / MODULE, "# A line of the template's", after=-1)
    insert(clone / "template" / UNWANTED, "{# A line of the template's #}", after=-1)
    insert(clone / "template" / ".env.jinja", "NEW_SETTING=1", after=-1)
    (clone / "template" / "app" / "new.py").write_text('"""New in 1.1.0."""\n')
    release(clone, "v1.1.0")
    return Drifted(project, env, copier_cli("update", "--defaults", cwd=project))


def test_changes_of_owner_and_template_in_one_page_are_merged(updated: Drifted) -> None:
    assert "My own line" in updated.text(PAGE)
    assert "A line of the template's" in updated.text(PAGE)


def test_changes_only_in_the_template_are_applied(updated: Drifted) -> None:
    assert "A line of the template's" in updated.text(MODULE)
    assert updated.text("app/new.py") == '"""New in 1.1.0."""\n'


def test_a_file_the_owner_added_stays(updated: Drifted) -> None:
    assert updated.text("app/invoices.py") == '"""My own module."""\n'


def test_a_file_the_owner_deleted_stays_deleted(updated: Drifted) -> None:
    assert not (updated.path / UNWANTED).exists()


def test_env_is_byte_for_byte_the_same(updated: Drifted) -> None:
    assert (updated.path / ".env").read_bytes() == updated.env


def test_no_rejects_or_conflicts_are_left(updated: Drifted) -> None:
    assert list(updated.path.rglob("*.rej")) == []
    assert git(updated.path, "diff", "--name-only", "--diff-filter=U") == ""
    for file in git(updated.path, "ls-files").splitlines():
        if (updated.path / file).exists():
            assert "<<<<<<< before updating" not in updated.text(file)


def test_the_answers_name_the_new_version(updated: Drifted) -> None:
    assert "_commit: v1.1.0" in updated.text(".copier-answers.yml")


def test_the_final_message_says_how_to_add_new_settings(updated: Drifted) -> None:
    assert "flask clerk doctor --fix" in updated.said


def test_a_missing_env_is_created_again(clone: Path, project: Path) -> None:
    (project / ".env").unlink()
    release(clone, "v1.1.0")
    copier_cli("update", "--defaults", cwd=project)
    assert "SECRET_KEY=" in (project / ".env").read_text("utf-8")


def test_an_update_to_the_same_version_changes_nothing(project: Path) -> None:
    copier_cli("update", "--defaults", cwd=project)
    assert git(project, "status", "--porcelain") == ""


def test_a_conflict_is_shown_in_the_file(clone: Path, project: Path) -> None:
    insert(project / MODULE, "MINE = 1", after=1)
    git(project, "commit", "--quiet", "--all", "--message=Mine")
    insert(clone / "template" / MODULE, "THEIRS = 1", after=1)
    release(clone, "v1.1.0")
    copier_cli("update", "--defaults", cwd=project)
    text = (project / MODULE).read_text("utf-8")
    assert "<<<<<<< before updating\nMINE = 1\n" in text
    assert "THEIRS = 1\n>>>>>>> after updating" in text


@pytest.mark.parametrize(
    "answer", ["contact_email=a@b.example", "port=5055", "jobs=celery", "project_name=Acme Rockets"]
)
def test_an_answer_can_be_changed_later(project: Path, answer: str) -> None:
    copier_cli("update", "--defaults", f"--data={answer}", cwd=project)
    name, value = answer.split("=")
    assert f"{name}: {value}" in (project / ".copier-answers.yml").read_text("utf-8")
    assert git(project, "diff", "--name-only", "--diff-filter=U") == ""
    assert "My own line" in (project / PAGE).read_text("utf-8")


def test_jobs_can_switch_to_celery_and_back(project: Path) -> None:
    before = git(project, "rev-parse", "HEAD^{tree}")
    for answer, is_there in (("celery", True), ("inline", False)):
        copier_cli("update", "--defaults", f"--data=jobs={answer}", cwd=project)
        assert (project / "app/jobs/__init__.py").exists() == is_there
        assert ('"celery[redis]' in (project / "pyproject.toml").read_text("utf-8")) == is_there
        assert git(project, "diff", "--name-only", "--diff-filter=U") == ""
        git(project, "add", "--all")
        git(project, "commit", "--quiet", f"--message={answer}")
    assert git(project, "rev-parse", "HEAD^{tree}") == before
