"""Transactions that stay correct while many workers write at once, on SQLite and PostgreSQL."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.database import db
from app.sqlite import BEGIN_IMMEDIATE

T = TypeVar("T")

PAUSES = (0.02, 0.1, 0.4)
"""Seconds before each retry, plus or minus half."""

# SQLite: busy, locked. PostgreSQL: serialization failure, deadlock, lock not available.
_SQLITE_CODES = frozenset({5, 6})
_SQLSTATES = frozenset({"40001", "40P01", "55P03"})


def transact(work: Callable[[Session], T]) -> T:
    """Run a function in a transaction of its own, separate from the view's session.

    It's retried if the database reports a temporary conflict, so ``work`` must do the same when it
    is called again.

    :param work: receives the transaction's session, and doesn't commit it.
    :returns: what ``work`` returned.
    :raises sqlalchemy.exc.SQLAlchemyError: all attempts failed; nothing has changed.
    """
    for pause in PAUSES:
        try:
            return _attempt(work)
        except DBAPIError as error:
            if not _is_temporary(error):
                raise
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - not a secret
    return _attempt(work)


def _attempt(work: Callable[[Session], T]) -> T:
    with db.sessionmaker.begin() as session:
        # SQLite: take the write lock now. Asking for it after a read can fail without waiting.
        session.connection(execution_options={BEGIN_IMMEDIATE: True})
        return work(session)


def _is_temporary(error: DBAPIError) -> bool:
    sqlite_code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    sqlstate = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or sqlite_code in _SQLITE_CODES or sqlstate in _SQLSTATES


def lock(session: Session, *names: str) -> None:
    """Make other transactions that lock one of these names wait until this one ends.

    Only PostgreSQL needs it: SQLite has one writer at a time.

    :param names: such as the IDs of rows to change, which need not exist yet.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    # Sorted, so that no two transactions wait for each other.
    for key in sorted({lock_key(name) for name in names}):
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


def lock_key(name: str) -> int:
    """The number of PostgreSQL's advisory lock for a name."""
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


def insert_into(session: Session, model: type[Any]) -> postgresql.Insert | sqlite.Insert:
    """An INSERT with ``ON CONFLICT``, for the session's database.

    :param model: a mapped class.
    """
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(model)
    return sqlite.insert(model)
