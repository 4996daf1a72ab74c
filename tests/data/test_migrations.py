"""Migrations lead to the models, and back, with rows in the tables, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app.accounts.models import User
from app.database import alembic, db, init_database
from tests.app_fixtures import ON_BOTH_DATABASES
from tests.postgresql import PostgreSQL

FIRST = "1795474930"
"""The revision that had nothing but users."""

OLD_USER = """
INSERT INTO users (id, email, clerk_updated_at, created_at)
VALUES ('user_1', 'a@example.com', 5, '2026-01-01 00:00:00')
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def history(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """An app whose database has no tables."""
    app = Flask("history")
    if request.param == "sqlite":
        init_database(app, f"sqlite:///{tmp_path / 'history.db'}")
        with app.app_context():
            alembic.downgrade("base")
            yield app
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    with server.database() as name:
        init_database(app, server.url(name))
        with app.app_context():
            yield app
            db.engine.dispose()


def execute(statement: str) -> None:
    """Change the database as it is now, whatever the models say."""
    with db.engine.begin() as connection:
        connection.execute(sa.text(statement))


def tables() -> set[str]:
    """All but Alembic's own."""
    return set(sa.inspect(db.engine).get_table_names()) - {"alembic_version"}


def test_a_new_file_gets_its_tables_at_once(tmp_path: Path) -> None:
    app = Flask("new")
    init_database(app, f"sqlite:///{tmp_path / 'new.db'}")
    with app.app_context():
        assert sa.inspect(db.engine).has_table("users")
        assert not alembic.needs_upgrade()


def test_a_database_in_memory_can_be_named() -> None:
    app = Flask("memory")
    init_database(app, "sqlite://")
    with app.app_context(), db.engine.connect() as connection:
        assert connection.scalar(sa.text("PRAGMA foreign_keys")) == 1


@ON_BOTH_DATABASES
def test_migrations_and_models_agree(app: Flask) -> None:
    with app.app_context():
        assert alembic.compare_metadata() == []


def test_from_nothing_and_back(history: Flask) -> None:
    assert tables() == set()
    alembic.upgrade()
    assert {"users", "organizations", "memberships", "webhook_events", "tombstones"} <= tables()
    alembic.downgrade("base")
    assert tables() == set()


def test_rows_of_every_earlier_revision_are_kept(history: Flask) -> None:
    earlier = [script.revision for script in alembic.script_directory.walk_revisions()][1:]
    assert FIRST in earlier
    for revision in earlier:
        alembic.upgrade(FIRST)
        execute(OLD_USER)
        alembic.upgrade(revision)
        alembic.upgrade()
        user = db.session.get_one(User, "user_1")
        assert (user.email, user.banned, user.deleted_at) == ("a@example.com", False, None)
        assert user.clerk_updated_at == 0  # so that any news fills its new columns
        db.session.close()
        alembic.downgrade("base")


def test_the_way_back_keeps_users(history: Flask) -> None:
    alembic.upgrade(FIRST)
    execute(OLD_USER)
    execute("CREATE TABLE invoices (user_id VARCHAR(64) REFERENCES users (id) ON DELETE CASCADE)")
    execute("INSERT INTO invoices VALUES ('user_1')")
    alembic.upgrade()
    alembic.downgrade(FIRST)
    with db.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT email FROM users")) == "a@example.com"
        assert connection.scalar(sa.text("SELECT count(*) FROM invoices")) == 1
    execute("DROP TABLE invoices")


def test_sqlite_checks_foreign_keys_and_lets_readers_read(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection:
        assert connection.scalar(sa.text("PRAGMA foreign_keys")) == 1
        assert connection.scalar(sa.text("PRAGMA journal_mode")) == "wal"
