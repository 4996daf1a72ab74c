"""Transactions that stay right when many workers write at once, on SQLite and PostgreSQL."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.database import BEGIN_IMMEDIATE, Base, db

T = TypeVar("T")

PAUSES = (0.02, 0.1, 0.4)
"""Seconds before each further attempt, give or take half."""

# SQLite: busy, locked. PostgreSQL: serialization failure, deadlock, lock not available.
_SQLITE_CODES = frozenset({5, 6})
_SQLSTATES = frozenset({"40001", "40P01", "55P03"})


def transact(work: Callable[[Session], T]) -> T:
    """Do something in a transaction of its own, so that no view's work is committed half done.

    Tried again where the database says that only the moment was bad, so ``work`` must do the same
    when it is called again.

    :param work: gets the session, and commits nothing itself.
    :raises sqlalchemy.exc.SQLAlchemyError: it could not be done; nothing has been.
    """
    for pause in PAUSES:
        try:
            return _attempt(work)
        except DBAPIError as error:
            if not _may_pass(error):
                raise
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - not a secret
    return _attempt(work)


def _attempt(work: Callable[[Session], T]) -> T:
    with db.sessionmaker.begin() as session:
        # SQLite: the lock to write at once. Asking for it after a read may fail without waiting.
        session.connection(execution_options={BEGIN_IMMEDIATE: True})
        return work(session)


def _may_pass(error: DBAPIError) -> bool:
    sqlite_code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    sqlstate = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or sqlite_code in _SQLITE_CODES or sqlstate in _SQLSTATES


def lock(session: Session, *names: str) -> None:
    """Let nobody else pass with one of these names until the transaction ends.

    On PostgreSQL; a writer on SQLite is alone anyway.

    :param names: such as the ids of what is to be changed, whether rows of them exist or not.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    # Sorted, so that no two transactions wait for each other.
    for key in sorted({lock_key(name) for name in names}):
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


def lock_key(name: str) -> int:
    """The number by which PostgreSQL locks a name."""
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


def insert_into(session: Session, model: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that can say ``ON CONFLICT``, which both databases write the same way."""
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(model)
    return sqlite.insert(model)
