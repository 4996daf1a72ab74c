"""`copier copy`: sources that work, answers that are refused, and the final message."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import copier
import pytest

from tests.tools import ROOT, copier_cli, git, run

NAME = "The name has a backslash, a brace or a control character. Remove it"
SLUG = "is not a valid short name. Use 2 to 40 lowercase letters, digits and single hyphens"
PORT = "is not a usable port. Type a whole number from 1024 to 65000, for example 5000."
MAIL = "is not an email address. Type one such as hello@example.com."
REFUSED: list[tuple[str, Any, str]] = [
    ("project_name", "", "The name is empty. Type the name of your product"),
    ("project_name", "   ", "The name is empty. Type the name of your product"),
    ("project_name", " Acme", "The name begins or ends with a space. Remove it."),
    ("project_name", "x" * 61, "The name has 61 characters. Shorten it to 60 or fewer"),
    ("project_name", "back\\slash", NAME),
    ("project_name", "{{ braces }}", NAME),
    ("project_name", "two\nlines", NAME),
    ("project_name", "bell\a", NAME),
    ("project_name", "line\u2028separator", NAME),
    ("project_slug", "", SLUG),
    ("project_slug", "a", SLUG),
    ("project_slug", "Acme", SLUG),
    ("project_slug", "1st", SLUG),
    ("project_slug", "a--b", SLUG),
    ("project_slug", "a-", SLUG),
    ("project_slug", "a_b", SLUG),
    ("project_slug", "söhne", SLUG),
    ("project_slug", "a b", SLUG),
    ("project_slug", "../up", SLUG),
    ("project_slug", "x" * 41, SLUG),
    ("project_description", " ", "The description is empty. Say in one line"),
    ("project_description", "x" * 161, "The description has 161 characters. Shorten it to 160"),
    ("project_description", "a\nb", "The description has a backslash, a brace or a control"),
    ("contact_email", "", MAIL),
    ("contact_email", "ada", MAIL),
    ("contact_email", "ada@example", MAIL),
    ("contact_email", "ada lovelace@example.com", MAIL),
    ("contact_email", 'a"@example.com', MAIL),
    ("database", "mysql", "'mysql' is not in ['sqlite', 'postgresql']"),
    ("port", 80, PORT),
    ("port", 65001, PORT),
    ("port", "abc", PORT),
    ("port", "5000.5", PORT),
    ("port", "true", PORT),
    ("port", "", PORT),
    (
        "clerk_emulator",
        "flask",
        "is not a requirement for clerk-emulator. Pass one such as clerk-emulator>=1.2",
    ),
    ("clerk_emulator", "clerk-emulator-plus>=1", "is not a requirement for clerk-emulator."),
    ("clerk_emulator", 'clerk-emulator"]', "is not a requirement. Pass one such as clerk-emulator>=1.2"),
]


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a template with our questions and no files, so that only the answers are validated."""
    folder = tmp_path_factory.mktemp("questions")
    (folder / "template").mkdir()
    shutil.copy(ROOT / "copier.yml", folder)
    return folder


@pytest.mark.parametrize(("question", "answer", "words"), REFUSED)
def test_a_bad_answer_is_refused_with_how_to_fix_it(
    questions: Path, tmp_path: Path, question: str, answer: Any, words: str
) -> None:
    with pytest.raises(ValueError, match=r"(Validation error|Invalid choice) for") as refusal:
        copier.run_copy(str(questions), tmp_path, data={question: answer}, defaults=True, quiet=True)
    assert words in str(refusal.value)


def test_it_copies_from_a_clone(clone: Path, tmp_path: Path) -> None:
    copier_cli("copy", "--defaults", clone, tmp_path / "saas")
    assert (tmp_path / "saas" / ".env").is_file()


def test_it_copies_from_a_git_url(clone: Path, tmp_path: Path) -> None:
    bare = tmp_path / "flask-clerk-saas.git"
    run("git", "clone", "--quiet", "--bare", clone, bare)
    for number, url in enumerate((f"file://{bare}", f"git+file://{clone}")):
        copier_cli("copy", "--defaults", url, tmp_path / f"saas-{number}")
        assert (tmp_path / f"saas-{number}" / ".env").is_file()


def test_it_copies_uncommitted_changes(clone: Path, tmp_path: Path) -> None:
    (clone / "template" / "new.txt").write_text("not committed\n")
    copier_cli("copy", "--defaults", "--vcs-ref=HEAD", clone, tmp_path / "saas")
    assert (tmp_path / "saas" / "new.txt").read_text() == "not committed\n"


def test_it_copies_from_a_folder_without_git(clone: Path, tmp_path: Path) -> None:
    shutil.rmtree(clone / ".git")
    (clone / "template" / "app" / "__pycache__").mkdir()
    (clone / "template" / "app" / "__pycache__" / "stale.pyc").write_bytes(b"stale")
    copier_cli("copy", "--defaults", clone, tmp_path / "saas")
    assert (tmp_path / "saas" / ".env").is_file()
    assert not (tmp_path / "saas" / "app" / "__pycache__").exists()


def test_it_uses_the_newest_tag_not_later_commits(clone: Path, tmp_path: Path) -> None:
    git(clone, "tag", "v1.0.0")
    (clone / "template" / "later.txt").write_text("later\n")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message=Not released yet")
    copier_cli("copy", "--defaults", clone, tmp_path / "saas")
    assert not (tmp_path / "saas" / "later.txt").exists()


def test_it_keeps_an_existing_env_file(clone: Path, tmp_path: Path) -> None:
    (tmp_path / "saas").mkdir()
    (tmp_path / "saas" / ".env").write_text("SECRET_KEY=mine\n")
    copier_cli("copy", "--defaults", clone, tmp_path / "saas")
    assert (tmp_path / "saas" / ".env").read_text() == "SECRET_KEY=mine\n"


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_the_final_message_says_how_to_start(clone: Path, tmp_path: Path, database: str) -> None:
    name = "O'Neil & Söhne"
    answers = (f"--data=project_name={name}", "--data=port=5055", f"--data=database={database}")
    said = copier_cli("copy", "--defaults", *answers, clone, "my saas", cwd=tmp_path)
    message = said[said.index(f"{name} is ready") :].strip().splitlines()
    assert len(message) <= 10
    change_folder, by_uv, *_ = (line.strip() for line in message if line.startswith("    "))
    run("sh", "-c", f"{change_folder} && test -f .env", cwd=tmp_path)
    assert by_uv == "uv run flask dev"
    assert "http://localhost:5055" in "\n".join(message)
    for key in ("CLERK_PUBLISHABLE_KEY", "CLERK_SECRET_KEY", "CLERK_INSTANCE_URL"):
        assert key in message[-1]
