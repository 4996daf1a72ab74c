"""The database: SQLAlchemy sessions, the base of all models, and migrations."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from inspect import iscoroutinefunction
from typing import Any, Literal

import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy_lite import SQLAlchemy
from sqlalchemy import event
from sqlalchemy.orm import DeclarativeBase

from app import sqlite
from app.database_errors import explained_database_errors
from app.migration_branches import BranchedAlembic


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
    """A date and time with a time zone, which SQLite by itself would drop."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Convert a value to UTC for the database."""
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Return a value in UTC. PostgreSQL returns its session's time zone, SQLite none."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


TIMEOUTS = {"connect_timeout": 3, "keepalives_idle": 30, "tcp_user_timeout": 10_000}
"""Of connections to PostgreSQL: seconds, seconds, milliseconds. Parameters in DATABASE_URL win.

Source: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS"""

RECYCLE = 1800
"""Seconds after which a connection to PostgreSQL is replaced."""


def _make_alembic() -> BranchedAlembic:
    """Create the extension without the log handlers and levels that it would set globally."""
    loggers = [logging.getLogger(name) for name in ("alembic", "sqlalchemy")]
    before = [(logger, logger.level, logger.handlers[:]) for logger in loggers]
    extension = BranchedAlembic(metadatas=Base.metadata, run_mkdir=False)
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers
    return extension


db = SQLAlchemy()
alembic = _make_alembic()


def init_database(app: Flask, url: str) -> None:
    """Connect the application to its database.

    :param url: an SQLAlchemy URL; a relative SQLite path is below ``instance/``.
    :raises click.ClickException: the SQLite file can't be used.
    """
    app.config["SQLALCHEMY_ENGINES"] = {"default": _engine_options(url)}
    app.config["ALEMBIC_CONTEXT"] = {"render_as_batch": True, "render_item": _render_item}
    _init_sqlalchemy(app)
    alembic.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            event.listen(db.engine, "connect", sqlite.configure_connection)
            event.listen(db.engine, "begin", sqlite.begin)
            sqlite.create_private_file(db.engine.url.database or "")
            with explained_database_errors(f" Its file is {db.engine.url.database}."):
                _make_first_tables()
            # A server may fork after this, and no connection may be used in two processes.
            db.engine.dispose()


def needs_upgrade() -> bool:
    """Whether ``flask db upgrade`` has migrations to run on the current app's database."""
    return alembic.needs_upgrade()


def _init_sqlalchemy(app: Flask) -> None:
    """Register Flask-SQLAlchemy-Lite without closing async sessions: there are none.

    Its async teardown would start an event loop, which costs every request a thread.
    """
    teardown = app.teardown_appcontext_funcs
    others = teardown[:]
    db.init_app(app)
    teardown[:] = others + [
        function for function in teardown[len(others) :] if not iscoroutinefunction(function)
    ]


def _engine_options(url: str) -> dict[str, Any]:
    parts = sa.make_url(url)
    if parts.get_backend_name() == "sqlite" and parts.database in (None, "", ":memory:"):
        return {"url": url}  # a database in memory has a single connection
    # A request that creates a user's row needs a second connection. With a limit, all requests
    # could hold one and wait for another, so the server's threads are the only limit.
    options = {"url": url, "max_overflow": -1}
    if parts.get_backend_name() != "postgresql":
        return options
    timeouts = {name: value for name, value in TIMEOUTS.items() if name not in parts.query}
    # Servers and firewalls close idle connections, so each is tried before it is used.
    return options | {"pool_pre_ping": True, "pool_recycle": RECYCLE, "connect_args": timeouts}


def _render_item(kind: str, item: Any, context: object) -> str | Literal[False]:
    """Let new migrations name the plain type, so that they import nothing from the app."""
    is_ours = kind == "type" and isinstance(item, UtcDateTime)
    return "sa.DateTime(timezone=True)" if is_ours else False


def _make_first_tables() -> None:
    """Create the tables of a new SQLite file; ``flask db upgrade`` runs later migrations.

    Several workers may start at the same moment. One creates the tables, the others wait for it.
    """
    if not sa.inspect(db.engine).has_table("alembic_version"):
        alembic.upgrade()
