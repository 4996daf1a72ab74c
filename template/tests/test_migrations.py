"""Migrations lead to the models, and back."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from app.database import alembic, db, init_database


def test_a_new_file_gets_its_tables_at_once(tmp_path: Path) -> None:
    app = Flask("new")
    init_database(app, f"sqlite:///{tmp_path / 'new.db'}")
    with app.app_context():
        assert sa.inspect(db.engine).has_table("users")
        assert not alembic.needs_upgrade()


def test_migrations_and_models_agree(app: Flask) -> None:
    with app.app_context():
        assert alembic.compare_metadata() == []


def test_down_and_up_again(app: Flask) -> None:
    with app.app_context():
        alembic.downgrade("base")
        assert not sa.inspect(db.engine).has_table("users")
        alembic.upgrade()
        assert sa.inspect(db.engine).has_table("users")


def test_sqlite_checks_foreign_keys_and_lets_readers_read(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection:
        assert connection.scalar(sa.text("PRAGMA foreign_keys")) == 1
        assert connection.scalar(sa.text("PRAGMA journal_mode")) == "wal"
