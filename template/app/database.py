"""The database: SQLAlchemy sessions, the base of all models, and migrations."""

from __future__ import annotations

import sqlite3
import time
from inspect import iscoroutinefunction

import sqlalchemy as sa
from flask import Flask
from flask_alembic import Alembic
from flask_sqlalchemy_lite import SQLAlchemy
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase

from app.settings import PROJECT


class Base(DeclarativeBase):
    """Base of all models. Constraints get names, so that migrations can change them later."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy()
alembic = Alembic(metadatas=Base.metadata, run_mkdir=False)


def init_database(app: Flask, url: str) -> None:
    """Connect the application to its database.

    :param url: an SQLAlchemy URL; a relative SQLite path is below ``instance/``.
    """
    app.config["SQLALCHEMY_ENGINES"] = {"default": url}
    app.config["ALEMBIC"] = {"script_location": str(PROJECT / "migrations")}
    app.config["ALEMBIC_CONTEXT"] = {"render_as_batch": True}
    db.init_app(app)
    # There are no async engines; starting an event loop to close none costs every request a thread.
    teardown = app.teardown_appcontext_funcs
    teardown[:] = [function for function in teardown if not iscoroutinefunction(function)]
    alembic.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            event.listen(db.engine, "connect", _configure_sqlite)
            _make_first_tables()


def _configure_sqlite(connection: sqlite3.Connection, record: object) -> None:
    # SQLite checks foreign keys only when told to; with WAL readers do not wait for a writer.
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA busy_timeout = 5000")  # milliseconds


def _make_first_tables() -> None:
    """A new SQLite file gets its tables at once; later migrations are run by ``flask db upgrade``.

    Several workers may start at the same moment: one makes the tables, the others wait for it.
    """
    if sa.inspect(db.engine).has_table("alembic_version"):
        return
    try:
        alembic.upgrade()
    except OperationalError:
        for _ in range(50):
            time.sleep(0.1)  # seconds
            if not alembic.needs_upgrade():
                return
        raise
