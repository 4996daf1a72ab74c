"""The database: SQLAlchemy sessions, the base of all models, and migrations."""

from __future__ import annotations

import sqlite3
import time
from datetime import UTC, datetime
from inspect import iscoroutinefunction
from typing import Any, Literal

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


class UtcDateTime(sa.TypeDecorator[datetime]):
    """A moment, always with its time zone: SQLite alone would forget it."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """To the database: in UTC."""
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """From the database: PostgreSQL answers in its own zone, SQLite in none."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


BEGIN_IMMEDIATE = "begin_immediate"
"""Execution option of a connection: on SQLite, its transactions lock for writing at once."""

db = SQLAlchemy()
alembic = Alembic(metadatas=Base.metadata, run_mkdir=False)


def init_database(app: Flask, url: str) -> None:
    """Connect the application to its database.

    :param url: an SQLAlchemy URL; a relative SQLite path is below ``instance/``.
    """
    app.config["SQLALCHEMY_ENGINES"] = {"default": _engine_options(url)}
    app.config["ALEMBIC"] = {"script_location": str(PROJECT / "migrations")}
    app.config["ALEMBIC_CONTEXT"] = {"render_as_batch": True, "render_item": _render_item}
    db.init_app(app)
    # There are no async engines; starting an event loop to close none costs every request a thread.
    teardown = app.teardown_appcontext_funcs
    teardown[:] = [function for function in teardown if not iscoroutinefunction(function)]
    alembic.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            event.listen(db.engine, "connect", _configure_sqlite)
            event.listen(db.engine, "begin", _begin_sqlite)
            _make_first_tables()
            # A server may fork after this, and no connection may be used in two processes.
            db.engine.dispose()


def _engine_options(url: str) -> dict[str, Any]:
    parts = sa.make_url(url)
    if parts.get_backend_name() == "sqlite" and parts.database in (None, "", ":memory:"):
        return {"url": url}  # in memory there is one connection for all
    # Beside its own connection a request needs one more where it makes a row for somebody new. With
    # a limit, all could hold one and wait for another; as it is, the threads are the limit.
    return {"url": url, "max_overflow": -1}


def _configure_sqlite(connection: sqlite3.Connection, record: object) -> None:
    # SQLite checks foreign keys only when told to; with WAL readers do not wait for a writer.
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA busy_timeout = 5000")  # milliseconds


def _begin_sqlite(connection: sa.Connection) -> None:
    # Python's driver begins before the first change; until then each SELECT sees the latest rows.
    if connection.get_execution_options().get(BEGIN_IMMEDIATE):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _render_item(kind: str, item: Any, context: object) -> str | Literal[False]:
    """New migrations name the plain type, so that they import nothing of the app."""
    is_ours = kind == "type" and isinstance(item, UtcDateTime)
    return "sa.DateTime(timezone=True)" if is_ours else False


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
