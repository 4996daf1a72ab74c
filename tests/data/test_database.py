"""Connecting an app to its database changes nothing else in the process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app.database import db, init_database
from tests.tools import ROOT

STARTS = """
import logging
loggers = [logging.getLogger(name) for name in ("alembic", "sqlalchemy")]
from app import create_app
create_app()
assert loggers[0].level == logging.NOTSET
for logger in loggers:
    assert all(isinstance(handler, logging.NullHandler) for handler in logger.handlers), logger
"""


async def close_connections(error: BaseException | None) -> None:
    """An asynchronous teardown, as another extension might register it."""


def close_files(error: BaseException | None) -> None:
    """A teardown that is an ordinary function."""


def test_asynchronous_teardowns_of_other_extensions_are_kept(tmp_path: Path) -> None:
    app = Flask("app")
    app.teardown_appcontext(close_connections)
    init_database(app, f"sqlite:///{tmp_path / 'app.db'}")
    app.teardown_appcontext(close_files)
    names = [function.__name__ for function in app.teardown_appcontext_funcs]
    assert {"close_connections", "close_files", "_close_sessions"} <= set(names)
    assert "_close_async_sessions" not in names


def test_sessions_are_closed_with_their_context(app: Flask) -> None:
    with app.app_context():
        session = db.session
        session.execute(sa.text("SELECT 1"))
        assert session.in_transaction()
    assert not session.in_transaction()


def test_starting_the_app_prints_nothing(environ: dict[str, str], tmp_path: Path) -> None:
    new_database = {"DATABASE_URL": f"sqlite:///{tmp_path / 'new.db'}"}
    done = subprocess.run(
        [sys.executable, "-c", STARTS],
        cwd=ROOT,
        env={**os.environ, **environ, **new_database},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_sqlite_checks_foreign_keys_and_lets_readers_read(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection:
        assert connection.scalar(sa.text("PRAGMA foreign_keys")) == 1
        assert connection.scalar(sa.text("PRAGMA journal_mode")) == "wal"


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_leaves_no_file(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    init_database(Flask("memory"), url)
    assert not list(tmp_path.iterdir())


def test_workers_that_start_at_once_all_find_the_tables(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STARTS_AT_ONCE, f"sqlite:///{tmp_path / 'app.db'}"]
    workers = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) for _ in range(4)]
    errors = [worker.communicate()[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * 4, errors


STARTS_AT_ONCE = """
import sys
import sqlalchemy as sa
from flask import Flask
from app.database import db, init_database

app = Flask("worker")
init_database(app, sys.argv[1])
with app.app_context():
    assert sa.inspect(db.engine).has_table("webhook_events")
"""
