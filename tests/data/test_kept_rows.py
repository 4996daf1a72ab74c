"""Migrations of a founder keep every row, are applied wholly or not at all, and are backed up first."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app import migration_branches, sqlite
from app.database import Base, alembic, db, init_database
from tests.tools import ROOT

from .test_migration_branches import LATEST, Project, notes, project

__all__ = ["notes", "project"]

CHILDREN = 3000
"""Memberships, and notes, of the database to migrate."""

TIME = "'2026-01-01 00:00:00'"

MIGRATION = '''"""A change."""

import os
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {parent!r}
branch_labels = {labels!r}
depends_on = "{latest}"


def upgrade():
    {upgrade}


def downgrade():
    {downgrade}
'''

NOTES = """op.create_table("notes", sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("author_id", sa.String(64), sa.ForeignKey("users.id", ondelete="CASCADE")),
        sa.Column("boss_id", sa.Integer, sa.ForeignKey("notes.id", ondelete="CASCADE")))"""

ADD_KEY = """with op.batch_alter_table("organizations") as batch:
        batch.add_column(sa.Column("owner_id", sa.String(64)))
        batch.create_foreign_key("owner", "users", ["owner_id"], ["id"], ondelete="SET NULL")"""
DROP_KEY = """with op.batch_alter_table("organizations") as batch:
        batch.drop_constraint("owner", type_="foreignkey")
        batch.drop_column("owner_id")"""

CHANGES = {
    "drop a column": (
        """with op.batch_alter_table("users", recreate="always" if sqlite() else "auto") as batch:
        batch.drop_column("username")""",
        "pass",
    ),
    "add a foreign key": (ADD_KEY, DROP_KEY),
    "rename a column": (
        """with op.batch_alter_table("users", recreate="always" if sqlite() else "auto") as batch:
        batch.alter_column("username", new_column_name="nickname")""",
        "pass",
    ),
    "change a type": (
        """for table in ("users", "organizations", "notes"):
        with op.batch_alter_table(table, recreate="always" if sqlite() else "auto") as batch:
            batch.alter_column("id", existing_type=sa.String(64), existing_nullable=False)""",
        "pass",
    ),
}


def write(project: Project, number: int, upgrade: str, downgrade: str = "pass") -> str:
    """Write a migration of the founder's; returns its revision."""
    first = 7_000_000_001
    values = {
        "revision": str(first + number),
        "parent": str(first + number - 1) if number else None,
        "labels": () if number else ("app",),
        "latest": LATEST,
        "upgrade": upgrade,
        "downgrade": downgrade,
    }
    text = (
        MIGRATION.format(**values) + "\n\ndef sqlite():\n    return op.get_bind().dialect.name == 'sqlite'\n"
    )
    (project.yours / f"{values['revision']}_change.py").write_text(text)
    return str(values["revision"])


@contextmanager
def connected(project: Project) -> Iterator[sa.Connection]:
    """A connection of the app, which is stopped afterwards."""
    with project.app().app_context():
        with db.engine.begin() as connection:
            yield connection
        db.engine.dispose()


def execute(project: Project, *statements: str) -> None:
    """Run statements, in one transaction of the app."""
    with connected(project) as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def counts(project: Project) -> dict[str, int]:
    """The number of rows in each table."""
    names = ("users", "organizations", "memberships", "notes")
    with connected(project) as connection:
        return {name: connection.scalar(sa.text(f"SELECT count(*) FROM {name}")) or 0 for name in names}


FULL = {"users": CHILDREN, "organizations": 2, "memberships": CHILDREN, "notes": CHILDREN}


def fill(project: Project) -> None:
    """Create the table notes, and rows in all tables."""
    project.run("upgrade")
    write(project, 0, NOTES, 'op.drop_table("notes")')
    project.run("upgrade")
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {CHILDREN}) "
    into = "INSERT INTO {} (id, {} clerk_updated_at, created_at) "
    execute(
        project,
        into.format("users", "email,") + numbers + f"SELECT 'user_' || i, 'a@b.c', 5, {TIME} FROM n",
        into.format("organizations", "name,")
        + f"VALUES ('org_1', 'A', 5, {TIME}), ('org_2', 'B', 5, {TIME})",
        into.format("memberships", "organization_id, user_id, role,")
        + numbers
        + f"SELECT 'orgmem_' || i, 'org_' || (1 + i % 2), 'user_' || i, 'org:member', 5, {TIME} FROM n",
        "INSERT INTO notes (id, author_id, boss_id) "
        + numbers
        + "SELECT i, 'user_' || i, CASE WHEN i > 1 THEN 1 END FROM n",
    )


@pytest.fixture
def full(project: Project) -> Project:
    """A project with thousands of rows that refer to each other."""
    fill(project)
    return project


@pytest.fixture
def only_sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The same, on SQLite."""
    folder = tmp_path / "acme"
    for name in ("YOUR_FOLDER", "CLERK_FOLDER"):
        source: Path = getattr(migration_branches, name)
        copied = folder / source.relative_to(source.parent.parent)
        shutil.copytree(source, copied, ignore=shutil.ignore_patterns("__pycache__"))
        monkeypatch.setattr(migration_branches, name, copied)
    project = Project(f"sqlite:///{tmp_path / 'app.db'}", folder)
    fill(project)
    return project


def backups(tmp_path: Path) -> list[Path]:
    """The database's backups, the oldest first."""
    return sorted(tmp_path.glob("app.db.backup-*"))


def read(path: Path, query: str) -> list[tuple[object, ...]]:
    """The rows of a database file."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def test_a_new_foreign_key_of_organizations_deletes_no_memberships(
    full: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`flask db revision` writes the migration, as it does for a founder."""
    models = sa.MetaData(naming_convention=Base.metadata.naming_convention)
    for table in Base.metadata.tables.values():
        table.to_metadata(models)
    with full.app().app_context():
        sa.Table("notes", models, autoload_with=db.engine)
    key: sa.Column[str | None] = sa.Column("owner_id", sa.ForeignKey("users.id", ondelete="SET NULL"))
    models.tables["organizations"].append_column(key)
    monkeypatch.setattr(alembic, "metadatas", {"default": models})
    full.revision("Owner")
    full.run("upgrade")
    assert counts(full) == FULL
    full.run("downgrade", "app@-1")
    assert counts(full) == FULL
    full.run("upgrade")
    assert "No changes detected" in full.run("check")


@pytest.mark.parametrize("change", CHANGES)
def test_no_row_is_lost(full: Project, change: str) -> None:
    upgrade, downgrade = CHANGES[change]
    write(full, 1, upgrade, downgrade)
    full.run("upgrade")
    assert counts(full) == FULL
    full.run("downgrade", "app@-1")
    assert counts(full) == FULL


def test_a_migration_that_leaves_dangling_rows_changes_nothing(only_sqlite: Project, tmp_path: Path) -> None:
    drop = "DELETE FROM users WHERE id IN ('user_7', 'user_8')"
    write(only_sqlite, 1, f"""op.add_column("users", sa.Column("birthday", sa.Date)); op.execute("{drop}")""")
    output = only_sqlite.run("upgrade", fails=True)
    assert "Nothing has been migrated, because 4 row(s)" in output
    assert "notes.author_id = 'user_7' is not in users" in output
    assert "memberships.user_id = 'user_8' is not in users" in output
    assert counts(only_sqlite) == FULL
    tables = read(tmp_path / "app.db", "SELECT sql FROM sqlite_master WHERE name = 'users'")
    assert "birthday" not in str(tables[0][0])
    assert only_sqlite.needs_upgrade()


def test_rows_that_dangled_before_are_no_reason_to_fail(only_sqlite: Project, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "app.db")) as connection:  # foreign keys are off
        connection.execute("DELETE FROM users WHERE id = 'user_7'")
        connection.execute("DELETE FROM notes WHERE id = 3")  # so that copying renumbers the rows
        connection.execute("UPDATE notes SET boss_id = 99999 WHERE id = 9")
        connection.commit()
    write(
        only_sqlite,
        1,
        f"""{CHANGES["change a type"][0]}
    op.rename_table("notes", "memos")""",
    )
    only_sqlite.run("upgrade")
    assert read(tmp_path / "app.db", "SELECT count(*) FROM memos") == [(CHILDREN - 1,)]


def test_a_foreign_key_to_columns_that_are_not_unique_is_refused(only_sqlite: Project) -> None:
    bad = 'sa.Column("email", sa.String(9), sa.ForeignKey("users.email"))'
    write(only_sqlite, 1, f'op.create_table("letters", {bad})')
    assert "foreign key mismatch" in only_sqlite.run("upgrade", fails=True)
    assert only_sqlite.needs_upgrade()


def test_several_migrations_are_applied_wholly_or_not_at_all(full: Project) -> None:
    write(full, 1, ADD_KEY, DROP_KEY)
    write(full, 2, 'op.execute("SELECT * FROM missing")')
    full.run("upgrade", fails=True)
    assert counts(full) == FULL
    assert full.versions() == {"7000000001"}
    with full.app().app_context():
        assert "owner_id" not in {one["name"] for one in sa.inspect(db.engine).get_columns("organizations")}


@pytest.mark.parametrize("moment", ["before", "between", "after"])
def test_a_killed_migration_changes_nothing(only_sqlite: Project, tmp_path: Path, moment: str) -> None:
    kill = "os.kill(os.getpid(), 9)"
    between = CHANGES["change a type"][0].replace(
        "existing_nullable=False)", f"existing_nullable=False)\n        {kill}"
    )
    text = {"before": f"{kill}; {ADD_KEY}", "between": between, "after": f"{ADD_KEY}\n    {kill}"}[moment]
    write(only_sqlite, 1, text.replace(f"{kill}; ", f"{kill}\n    "))
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(only_sqlite.yours), str(only_sqlite.templates), only_sqlite.url],
        cwd=ROOT,
        check=False,
        capture_output=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert counts(only_sqlite) == FULL
    assert only_sqlite.versions() == {"7000000001"}
    [backup] = backups(tmp_path)[-1:]
    assert read(backup, "SELECT count(*) FROM memberships") == [(CHILDREN,)]
    write(only_sqlite, 1, ADD_KEY)
    only_sqlite.run("upgrade")
    assert counts(only_sqlite) == FULL


KILLED = """
import sys
from pathlib import Path
from flask import Flask
from app import migration_branches
from app.database import alembic, init_database

migration_branches.YOUR_FOLDER, migration_branches.CLERK_FOLDER = map(Path, sys.argv[1:3])
app = Flask("killed")
init_database(app, sys.argv[3])
with app.app_context():
    alembic.upgrade()
"""


def test_the_partial_index_of_memberships_survives_a_copy(only_sqlite: Project, tmp_path: Path) -> None:
    query = "SELECT sql FROM sqlite_master WHERE name = 'uq_memberships_organization_id_user_id'"
    before = read(tmp_path / "app.db", query)
    write(only_sqlite, 1, CHANGES["change a type"][0].replace("notes", "memberships"))
    only_sqlite.run("upgrade")
    after = read(tmp_path / "app.db", query)
    assert "WHERE deleted_at IS NULL" in str(after[0][0])
    assert before == after


def test_autocommit_blocks_work(only_sqlite: Project) -> None:
    block = """with op.get_context().autocommit_block():
        op.execute("VACUUM")"""
    write(
        only_sqlite,
        1,
        f"""{ADD_KEY}
    {block}
    {DROP_KEY}""",
    )
    only_sqlite.run("upgrade")
    assert counts(only_sqlite) == FULL


def test_foreign_keys_are_on_again_after_a_migration(only_sqlite: Project) -> None:
    write(only_sqlite, 1, ADD_KEY)
    with only_sqlite.app().app_context():
        alembic.upgrade()
        connection = alembic.migration_context.connection
        assert connection
        assert connection.scalar(sa.text("PRAGMA foreign_keys")) == 1
        assert not connection.connection.dbapi_connection.in_transaction  # type: ignore[union-attr]


def test_the_last_three_backups_are_kept_and_can_be_restored(only_sqlite: Project, tmp_path: Path) -> None:
    mine = tmp_path / "app.db.backup-before-launch"
    mine.touch()
    for number in range(1, 5):
        write(only_sqlite, number, f'op.add_column("notes", sa.Column("c{number}", sa.Integer))')
        path = str(tmp_path / "app.db")
        assert f"Backed up the database to {path}.backup-" in only_sqlite.run("upgrade")
    kept = [one for one in backups(tmp_path) if one != mine]
    assert len(kept) == 3
    assert mine.exists()
    assert {stat.S_IMODE(one.stat().st_mode) for one in kept} == {0o600}
    gc.collect()  # a stopped app has no connections
    for file in tmp_path.glob("app.db-*"):
        file.unlink()
    shutil.copy(kept[-1], tmp_path / "app.db")
    assert only_sqlite.versions() == {"7000000004"}
    assert counts(only_sqlite) == FULL


def test_a_new_database_needs_no_backup(tmp_path: Path, only_sqlite: Project) -> None:
    assert len(backups(tmp_path)) == 1  # of the migration that created notes
    Project(f"sqlite:///{tmp_path / 'other.db'}", only_sqlite.yours.parent.parent).run("upgrade")
    assert not list(tmp_path.glob("other.db.*"))


def test_without_room_for_a_backup_nothing_is_migrated(
    only_sqlite: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(engine: object, path: Path) -> None:
        path.touch()
        raise OSError(28, "No space left on device")

    write(only_sqlite, 1, ADD_KEY)
    before = backups(tmp_path)
    monkeypatch.setattr(sqlite, "_copy", fail)
    assert "can't be backed up first" in only_sqlite.run("upgrade", fails=True)
    assert [before, []] == [backups(tmp_path), list(tmp_path.glob("*.partial"))]
    assert only_sqlite.needs_upgrade()


@pytest.mark.parametrize("mask", [0, 0o002, 0o077])
def test_files_of_the_database_are_private_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    app, before = Flask("new"), os.umask(mask)
    try:
        init_database(app, f"sqlite:///{tmp_path / 'new.db'}")
        with app.app_context(), db.engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE notes (id)")
            connection.exec_driver_sql("INSERT INTO notes VALUES (1)")
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes == {"new.db": 0o600, "new.db-wal": 0o600, "new.db-shm": 0o600}
