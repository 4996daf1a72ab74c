"""Migrations of the founder next to those of the template: `flask db` works without options."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.cli import FlaskGroup

from app import migration_branches
from app.database import Base, alembic, db, init_database, needs_upgrade
from tests.postgresql import PostgreSQL

from .test_migrations import REVISIONS

LATEST = REVISIONS[-1]

ADDED_BY_AN_UPDATE = '''"""Widgets."""

import sqlalchemy as sa
from alembic import op

revision = "9000000001"
down_revision = "{LATEST}"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table("widgets", sa.Column("id", sa.Integer(), primary_key=True))


def downgrade():
    op.drop_table("widgets")
'''


class Project:
    """A project whose two folders of migrations a test may change."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.yours = folder / "app" / "migrations"
        self.templates = folder / "clerk_sync" / "migrations"

    def app(self) -> Flask:
        """The app, as a new process would start it."""
        app = Flask("project")
        init_database(app, self.url)
        return app

    def run(self, *arguments: str, fails: bool = False) -> str:
        """Run ``flask db`` with these arguments; returns its output."""
        app = self.app()
        commands = FlaskGroup(create_app=lambda: app)
        result = app.test_cli_runner().invoke(commands, ["db", *arguments])
        with app.app_context():
            db.engine.dispose()
        assert (result.exit_code != 0) is fails, result.output
        return result.output

    def revision(self, *arguments: str) -> dict[str, Any]:
        """Create a migration, and return its variables."""
        before = set(self.yours.iterdir())
        self.run("revision", *arguments)
        [created] = set(self.yours.iterdir()) - before
        variables: dict[str, Any] = {}
        exec(created.read_text(), variables)
        return variables

    def update_template(self) -> None:
        """Add a migration of the template's."""
        text = ADDED_BY_AN_UPDATE.replace("{LATEST}", LATEST)
        (self.templates / "9000000001_widgets.py").write_text(text)

    def versions(self) -> set[str]:
        """The revisions that the database stores."""
        app = self.app()
        with app.app_context(), db.engine.connect() as connection:
            found = set(connection.scalars(sa.text("SELECT version_num FROM alembic_version")))
        with app.app_context():
            db.engine.dispose()
        return found

    def needs_upgrade(self) -> bool:
        """What ``flask dev`` and the doctor find."""
        app = self.app()
        with app.app_context():
            return needs_upgrade()


@pytest.fixture(params=["sqlite", "postgresql"])
def project(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Project]:
    """A project with all of the template's migrations, in a folder with an unusual name."""
    folder = tmp_path / "100% acme"
    for name in ("YOUR_FOLDER", "CLERK_FOLDER"):
        source: Path = getattr(migration_branches, name)
        copied = folder / source.relative_to(source.parent.parent)
        shutil.copytree(source, copied, ignore=shutil.ignore_patterns("__pycache__"))
        monkeypatch.setattr(migration_branches, name, copied)
    numbers = iter(range(8_000_000_001, 9_000_000_000))
    monkeypatch.setattr(alembic, "rev_id", lambda: str(next(numbers)))
    if request.param == "sqlite":
        yield Project(f"sqlite:///{tmp_path / 'app.db'}", folder)
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    with server.database() as name:
        yield Project(server.url(name), folder)


@pytest.fixture
def notes() -> Iterator[sa.Table]:
    """A table of the founder's that no migration creates yet."""
    table = sa.Table(
        "notes",
        Base.metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("author_id", sa.ForeignKey("users.id", ondelete="CASCADE")),
    )
    yield table
    Base.metadata.remove(table)


def test_first_revision_is_yours_and_depends_on_the_templates(project: Project, notes: sa.Table) -> None:
    project.run("upgrade")
    first = project.revision("Notes")
    assert (first["down_revision"], first["depends_on"]) == (None, LATEST)
    assert first["branch_labels"] == ("app",)
    assert project.needs_upgrade()
    assert "Upgraded: 8000000001, Notes." in project.run("upgrade")
    assert not project.needs_upgrade()
    assert project.versions() == {first["revision"]}
    assert project.run("current", "--check-heads")
    assert "No changes detected" in project.run("check")


def test_second_revision_follows_the_first(project: Project, notes: sa.Table) -> None:
    project.run("upgrade")
    first = project.revision("Notes")
    project.run("upgrade")
    notes.append_column(sa.Column("text", sa.Text))
    second = project.revision("Text of notes")
    assert (second["down_revision"], second["depends_on"]) == (first["revision"], LATEST)
    assert second["branch_labels"] == ()
    project.run("upgrade")
    assert project.versions() == {second["revision"]}


def test_both_branches_upgrade_an_empty_database(project: Project, notes: sa.Table) -> None:
    project.run("upgrade")
    project.revision("Notes")
    project.run("upgrade")
    project.run("downgrade", "base")
    assert project.versions() == set()
    output = project.run("upgrade")
    assert [line.split()[1].strip(",") for line in output.splitlines()] == [*REVISIONS, "8000000001"]


def test_an_update_of_the_template_adds_a_migration_next_to_yours(project: Project, notes: sa.Table) -> None:
    project.run("upgrade")
    first = project.revision("Notes")
    project.run("upgrade")
    project.update_template()
    assert project.needs_upgrade()
    project.run("upgrade")
    assert not project.needs_upgrade()
    assert project.versions() == {first["revision"], "9000000001"}
    notes.append_column(sa.Column("text", sa.Text))
    sa.Table("widgets", Base.metadata, sa.Column("id", sa.Integer, primary_key=True))
    try:
        second = project.revision("Text of notes")
    finally:
        Base.metadata.remove(Base.metadata.tables["widgets"])
    assert (second["down_revision"], second["depends_on"]) == (first["revision"], "9000000001")
    project.run("upgrade")
    assert project.versions() == {second["revision"]}


def test_downgrade_names_the_commands_where_it_is_ambiguous(project: Project, notes: sa.Table) -> None:
    project.run("upgrade")
    first = project.revision("Notes")
    project.run("upgrade")
    project.update_template()
    project.run("upgrade")
    output = project.run("downgrade", fails=True)
    assert "flask db downgrade app@-1" in output
    assert "flask db downgrade clerk@-1" in output
    assert "Downgraded: 9000000001" in project.run("downgrade", "clerk@-1")
    assert project.versions() == {first["revision"]}
    project.run("upgrade")
    assert "Downgraded: 8000000001" in project.run("downgrade", "app@-1")
    assert project.versions() == {"9000000001"}


def test_downgrade_takes_back_your_newest_migration(project: Project, notes: sa.Table) -> None:
    project.run("upgrade")
    project.revision("Notes")
    project.run("upgrade")
    assert project.run("downgrade").endswith("Downgraded: 8000000001, Notes.\n")
    assert project.versions() == {LATEST}
    assert "Downgraded: " + LATEST in project.run("downgrade")


def test_downgrade_returns_to_a_revision(project: Project, notes: sa.Table) -> None:
    project.run("upgrade")
    project.revision("Notes")
    project.run("upgrade")
    project.run("downgrade", REVISIONS[-2])
    assert project.versions() == {REVISIONS[-2]}


def test_an_earlier_migration_of_yours_below_one_of_the_templates_still_works(
    project: Project, notes: sa.Table
) -> None:
    """Before there were two branches, a founder's migration was a child of the template's."""
    old = ADDED_BY_AN_UPDATE.replace("{LATEST}", REVISIONS[-2]).replace("9000000001", "7000000001")
    (project.yours / "7000000001_widgets.py").write_text(old)
    project.run("upgrade")
    assert project.versions() == {"7000000001", LATEST}
    assert not project.needs_upgrade()
    assert "flask db downgrade 7000000001@-1" in project.run("downgrade", fails=True)
    assert "Downgraded: 7000000001" in project.run("downgrade", "7000000001@-1")
    project.run("upgrade")
    sa.Table("widgets", Base.metadata, sa.Column("id", sa.Integer, primary_key=True))
    try:
        next_one = project.revision("Notes")
    finally:
        Base.metadata.remove(Base.metadata.tables["widgets"])
    assert (next_one["down_revision"], next_one["depends_on"]) == ("7000000001", LATEST)
    project.run("upgrade")
    assert not project.needs_upgrade()


def test_a_merge_of_both_branches_does_no_harm(project: Project) -> None:
    project.run("upgrade")
    project.run("revision", "--empty", "One")
    project.update_template()
    project.run("upgrade")
    project.run("merge", "--message", "Both")
    project.run("upgrade")
    assert project.versions() == {"8000000002"}
    later = project.revision("--empty", "Two")
    assert (later["down_revision"], later["depends_on"]) == ("8000000002", "9000000001")
    update = ADDED_BY_AN_UPDATE.replace("{LATEST}", "9000000001").replace("widgets", "gadgets")
    update = update.replace('revision = "9000000001"', 'revision = "9000000002"', 1)
    (project.templates / "9000000002_gadgets.py").write_text(update)
    project.run("upgrade")
    assert not project.needs_upgrade()
    last = project.revision("--empty", "Three")
    assert (last["down_revision"], last["depends_on"]) == (later["revision"], "9000000002")


def test_two_heads_of_yours_have_to_be_merged(project: Project) -> None:
    project.run("upgrade")
    project.run("revision", "--empty", "One")
    copied = next(project.yours.glob("*one.py"))
    other = copied.read_text().replace("8000000001", "8100000001").replace("('app',)", "()")
    (project.yours / "8100000001_other.py").write_text(other)
    output = project.run("revision", "--empty", "Three", fails=True)
    assert "flask db merge 80" in output


def test_maintainers_can_name_the_templates_branch(project: Project) -> None:
    project.run("upgrade")
    project.run("revision", "--empty", "--branch", "clerk", "Ours")
    assert [path.name for path in project.templates.glob("80*")] == ["8000000001_ours.py"]
    assert not list(project.yours.glob("*.py"))
