"""The first edits that a founder makes break only the tests of the page that they edit."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.tools import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.tools import Project

PAGE = '{% extends "base.html" %}{% block content %}<h1>Under construction</h1>{% endblock %}\n'

MODEL = '''"""Invoices."""

import sqlalchemy as sa
from flask import Blueprint
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base

blueprint = Blueprint("invoices", __name__)


class Invoice(Base):
    """What an organization owes."""

    __tablename__ = "invoices"

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[str] = mapped_column(
        sa.ForeignKey("organizations.id", ondelete="CASCADE"), index=True
    )
'''


@pytest.fixture
def copy(generated: Project, tmp_path: Path) -> Path:
    """Return a copy of a generated project, without its environment."""
    ignore = shutil.ignore_patterns(".venv", ".git", "instance", "__pycache__")
    return shutil.copytree(generated.path, tmp_path / "saas", ignore=ignore)


def failures(generated: Project, copy: Path, *tests: str) -> dict[str, list[str]]:
    """Run tests of a copy in the project's environment, by default all; return failed ones by file."""
    # `python -m` imports the app from the current folder, not from where it is installed.
    options = ("-q", "--tb=no", "-p", "no:cacheprovider")
    printed = run(generated.tool("python"), "-m", "pytest", *options, *tests, cwd=copy, expect=None).stdout
    assert re.search(r"\d+ passed", printed), printed
    failed: dict[str, list[str]] = {}
    for file, test in re.findall(r"^(?:FAILED|ERROR) tests/(\S+?)(?:::(\S+))?(?: |$)", printed, re.MULTILINE):
        failed.setdefault(file, []).append(test)
    return failed


def edit(file: Path, pattern: str, replacement: str) -> None:
    """Replace the only match of a regular expression in a file."""
    text, count = re.subn(pattern, replacement, file.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    assert count == 1, f"{pattern!r} matches {count} times in {file}"
    file.write_text(text, "utf-8")


def replace_the_dashboard(app: Path) -> None:
    (app / "templates/dashboard/index.html").write_text(PAGE)


def replace_the_landing_page(app: Path) -> None:
    (app / "templates/pages/landing.html").write_text(PAGE)


def rename_the_product(app: Path) -> None:
    edit(app / "product.py", r"^NAME = .*?$", 'NAME = "Ben & Jerry\'s <3"')


def delete_the_profile_page(app: Path) -> None:
    (app / "templates/accounts/profile.html").unlink()
    edit(app / "accounts/views.py", r'^@blueprint\.get\("/profile", .*?\n\n\n', "")
    edit(app / "accounts/views.py", r"^    session_required,\n", "")
    edit(app / "templates/base.html", r"^[^\n]*accounts\.profile[^\n]*\n", "")
    edit(app / "templates/dashboard/index.html", r"<p[^>]*>[^<]*<a href=[^<]*accounts\.profile.*?</p>", "")


@pytest.mark.parametrize(
    ("make_edit", "files"),
    [
        (replace_the_dashboard, {"test_dashboard.py"}),
        (replace_the_landing_page, {"test_landing.py"}),
        (rename_the_product, set()),
        (delete_the_profile_page, {"test_profile.py"}),
    ],
)
def test_an_edit_breaks_only_tests_of_that_page(
    generated: Project, copy: Path, make_edit: Callable[[Path], None], files: set[str]
) -> None:
    make_edit(copy / "app")
    failed = failures(generated, copy)
    assert failed.keys() == files, failed


def test_a_new_table_breaks_no_tests(generated: Project, copy: Path) -> None:
    (copy / "app/invoices.py").write_text(MODEL)
    start, register = copy / "app/__init__.py", "    app.register_blueprint(invoices.blueprint)\n"
    edit(start, r"^from app import accounts, dashboard,", r"\g<0> invoices,")
    edit(start, r"^    app\.register_blueprint\(dashboard\.blueprint\)\n", rf"\g<0>{register}")
    flask = (generated.tool("python"), "-m", "flask", "--app", "app")
    run(*flask, "db", "revision", "Invoices", cwd=copy)
    assert "invoices" in next((copy / "app/migrations").glob("*_invoices.py")).read_text("utf-8")
    tests = ("tests/test_migrations.py", "tests/test_models.py", "tests/test_webhooks.py")
    assert failures(generated, copy, *tests) == {}
    run(generated.tool("ruff"), "check", ".", cwd=copy)
    run(generated.tool("mypy"), cwd=copy)
