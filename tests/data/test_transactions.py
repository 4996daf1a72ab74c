"""``transact()`` locks the database before it reads, and retries after temporary conflicts."""

from __future__ import annotations

from contextlib import closing
from sqlite3 import OperationalError as SqliteError
from sqlite3 import connect

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app import transactions
from app.clerk_sync.tables import Tombstone
from app.database import db
from app.transactions import lock, transact
from tests.app_fixtures import ON_BOTH_DATABASES


def count(session: Session) -> int:
    """The number of tombstones."""
    return session.scalar(sa.select(sa.func.count()).select_from(Tombstone)) or 0


def test_sqlite_is_locked_before_the_first_read(app: Flask, environ: dict[str, str]) -> None:
    path = environ["DATABASE_URL"].removeprefix("sqlite:///")

    def work(session: Session) -> None:
        assert count(session) == 0
        with (
            closing(connect(path, timeout=0)) as other,
            pytest.raises(SqliteError, match="locked"),
        ):
            other.execute("INSERT INTO tombstones VALUES ('user_1', '2026-01-01')")

    with app.app_context():
        transact(work)


@ON_BOTH_DATABASES
def test_an_exception_rolls_everything_back(app: Flask) -> None:
    def work(session: Session) -> None:
        session.add(Tombstone(id="user_1"))
        session.flush()
        raise ZeroDivisionError

    with app.app_context():
        with pytest.raises(ZeroDivisionError):
            transact(work)
        assert count(db.session) == 0


def test_a_temporary_conflict_is_retried(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "PAUSES", (0, 0))
    busy = SqliteError("database is locked")
    busy.sqlite_errorcode = 5
    attempts: list[int] = []

    def work(session: Session) -> str:
        session.add(Tombstone(id=f"user_{failures}"))
        session.flush()
        attempts.append(1)
        if len(attempts) < failures:
            raise OperationalError("INSERT", {}, busy)
        return "done"

    with app.app_context():
        failures = 3
        assert transact(work) == "done"
        assert count(db.session) == 1
        failures, attempts = 9, []
        with pytest.raises(OperationalError):
            transact(work)
        assert len(attempts) == 1 + len(transactions.PAUSES)
        assert count(db.session) == 1


def test_other_errors_are_raised_at_once(app: Flask) -> None:
    attempts = []

    def work(session: Session) -> None:
        attempts.append(1)
        session.execute(sa.text("SELECT nonsense"))

    with app.app_context(), pytest.raises(OperationalError):
        transact(work)
    assert len(attempts) == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql_locks_only_the_given_name(app: Flask) -> None:
    def held(session: Session) -> list[bool]:
        keys = [transactions.lock_key(name) for name in ("user_1", "user_2")]
        return [not session.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(key))) for key in keys]

    def work(session: Session) -> None:
        lock(session, "user_1")
        with db.sessionmaker() as other:
            assert held(other) == [True, False]

    with app.app_context():
        transact(work)
        transact(lambda session: None)
        with db.sessionmaker() as other:
            assert held(other) == [False, False]
