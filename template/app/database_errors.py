"""Errors that mean that the database can't be used right now, as opposed to errors in the app."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# Primary result codes (https://www.sqlite.org/rescode.html).
_SQLITE = {
    sqlite3.SQLITE_BUSY: "another process has locked the file for too long",
    sqlite3.SQLITE_LOCKED: "another connection has locked the file",
    sqlite3.SQLITE_READONLY: "the file or its folder is read-only",
    sqlite3.SQLITE_IOERR: "the disk has failed",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; restore a backup",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_CANTOPEN: "the file or its folder can't be opened. Check DATABASE_URL",
    sqlite3.SQLITE_NOTADB: "the file isn't an SQLite database. Check DATABASE_URL",
}

# SQLSTATEs by how they begin (https://www.postgresql.org/docs/current/errcodes-appendix.html):
# lost connection, read-only after a failover, no resources, shutdown, disk failure.
_SQLSTATES = ("08", "25006", "53", "57P", "58")

# Of messages by PostgreSQL's client, which contain addresses and names, so they aren't shown.
_POSTGRESQL = {
    "password authentication failed|no password supplied": "the server rejected the password",
    'role ".*" does not exist': "the server doesn't have the user",
    'database ".*" does not exist': "the server doesn't have the database",
    "refused|No such file": "no server listens at its address",
    "translate host name|resolve": "the host name is unknown",
    "too many|remaining connection slots": "the server has no free connections",
    "starting up|shutting down|terminating|closed": "the server is stopping or starting",
    "timeout|timed out|unreachable": "the server doesn't respond",
    "SSL|certificate|pg_hba": "the server rejected this kind of connection; check sslmode",
}


def is_database_unavailable(error: BaseException) -> bool:
    """Whether the database can't be used, and the same work may succeed later.

    False for errors in the app, such as a missing table or a violated constraint.
    """
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if (code := getattr(error.orig, "sqlite_errorcode", None)) is not None:
        return code & 0xFF in _SQLITE
    sqlstate = getattr(error.orig, "sqlstate", None)
    if error.connection_invalidated or sqlstate:
        return error.connection_invalidated or str(sqlstate).startswith(_SQLSTATES)
    # Only errors of PostgreSQL's server have an SQLSTATE; its client's are failed connections.
    return isinstance(error, OperationalError) and not isinstance(error.orig, sqlite3.Error)


def explain_database_error(error: SQLAlchemyError) -> str:
    """Say in one sentence why the database can't be used, without secrets or addresses.

    :param error: one for which :func:`is_database_unavailable` is true.
    """
    cause = getattr(error, "orig", None)
    code = getattr(cause, "sqlite_errorcode", None)
    if code is not None:
        return f"The database can't be used: {_SQLITE.get(code & 0xFF, 'SQLite has failed')}."
    matches = (text for part, text in _POSTGRESQL.items() if re.search(part, str(cause)))
    reason = next(matches, type(cause or error).__name__)
    return f"The database can't be used: {reason}. Check DATABASE_URL."


@contextmanager
def explained_database_errors(addition: str = "") -> Iterator[None]:
    """Let a command end with one sentence if the database can't be used.

    :param addition: a second sentence.
    :raises click.ClickException: it can't.
    """
    try:
        yield
    except SQLAlchemyError as error:
        if not is_database_unavailable(error):
            raise
        raise click.ClickException(explain_database_error(error) + addition) from None


class DatabaseCommands(click.Group):
    """A group of commands that use the database."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with explained_database_errors():
            return super().invoke(ctx)
