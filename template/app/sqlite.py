"""SQLite: private files, connections, and migrations that keep every row.

Many changes of a table copy it, drop it, and rename the copy. With foreign keys on, dropping it
deletes the rows that refer to it, too. So migrations run in one transaction with foreign keys off,
and are checked at its end (https://www.sqlite.org/lang_altertable.html#otheralter).
"""

from __future__ import annotations

import glob
import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import click
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

BEGIN_IMMEDIATE = "begin_immediate"
"""Execution option of a connection: on SQLite, its transactions take the write lock at once."""

BACKUPS = 3
"""How many backups of a database are kept."""

DANGLING_KEYS = """
SELECT DISTINCT found."table", "from", parent, fkid FROM pragma_foreign_key_check AS found
JOIN pragma_foreign_key_list(found."table") AS key ON key.id = fkid AND seq = 0
"""
"""Foreign keys that refer to missing rows."""


def create_private_file(path: str) -> None:
    """Create a database's file so that only its owner can read it, unless it exists.

    SQLite gives the files ``-wal`` and ``-shm`` next to it the same permissions.
    """
    if path != ":memory:":
        with suppress(OSError):  # SQLite will say what is wrong with the path
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))


def configure_connection(connection: sqlite3.Connection, record: object) -> None:
    """Prepare a new connection."""
    # SQLite checks foreign keys only if told to. With WAL, readers don't wait for a writer.
    connection.execute("PRAGMA busy_timeout = 5000")  # milliseconds
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA secure_delete = ON")  # overwrite what is deleted with zeros


def begin(connection: sa.Connection) -> None:
    """Begin a transaction that has the option ``BEGIN_IMMEDIATE``.

    Python's driver begins others before their first change; until then each SELECT sees the latest
    rows.
    """
    driver = cast(sqlite3.Connection, connection.connection.dbapi_connection)
    is_autocommit = driver.isolation_level is None  # as in Alembic's autocommit_block()
    if connection.get_execution_options().get(BEGIN_IMMEDIATE) and not is_autocommit:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def foreign_keys_off(connection: sa.Connection) -> Iterator[None]:
    """Let transactions begin with the write lock, and change tables without deleting other rows."""
    connection.rollback()  # SQLite ignores the pragma inside a transaction
    connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
    connection.rollback()
    connection.execution_options(**{BEGIN_IMMEDIATE: True})
    try:
        yield
    finally:
        connection.rollback()
        connection.execution_options(**{BEGIN_IMMEDIATE: False})
        connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        connection.rollback()


def keep_rows(migrations: Callable[..., Iterable[Any]], heads: Any, context: Any) -> Iterator[Any]:
    """Back up the database, yield the migrations to run, and check foreign keys after them.

    :param migrations: returns Alembic's steps, given the revisions of the database.
    :param heads: the revisions; none if the database is new.
    :param context: Alembic's ``MigrationContext``, inside the transaction of all steps.
    :raises click.ClickException: there is no backup, or rows refer to rows that are missing now.
    """
    steps = list(migrations(heads, context))
    if heads and steps:
        _back_up(context.connection)
    before = Counter(value for value, _ in _dangling_rows(context.connection))
    yield from steps
    rows = _dangling_rows(context.connection)
    if new := Counter(value for value, _ in rows) - before:
        seen = "; ".join([text for value, text in rows if value in new][:5])
        raise click.ClickException(
            f"Nothing has been migrated, because {sum(new.values())} row(s) would refer to missing "
            f"rows. {seen}. SQLite doesn't follow ON DELETE during a migration, so the migration "
            "must itself delete or change the rows that refer to the rows it deletes."
        )


def _dangling_rows(connection: sa.Connection) -> list[tuple[object, str]]:
    """Values that refer to missing rows, which stay the same if their table is renamed or copied.

    :returns: each with a text that says where it is.
    """
    try:
        keys = connection.exec_driver_sql(DANGLING_KEYS).all()
    except OperationalError as error:  # a foreign key to columns that aren't unique
        return [(str(error.orig), str(error.orig))]
    quote = connection.dialect.identifier_preparer.quote_identifier
    rows: list[tuple[object, str]] = []
    for table, column, parent, key in keys:
        query = (
            f"SELECT child.{quote(column)} FROM pragma_foreign_key_check(?) AS found "  # noqa: S608
            f"LEFT JOIN {quote(table)} AS child ON child.rowid = found.rowid WHERE fkid = ?"
        )
        for value in connection.exec_driver_sql(query, (table, key)).scalars():
            rows.append((value, f"{table}.{column} = {value!r} is not in {parent}"))
    return rows


def _back_up(connection: sa.Connection) -> None:
    """Copy the database to a file next to it, and delete all but the newest copies.

    It's called inside a transaction that has the write lock and hasn't changed anything yet.
    """
    query = "SELECT file FROM pragma_database_list WHERE name = 'main'"
    if not (file := connection.exec_driver_sql(query).scalar()):
        return  # in memory
    partial = Path(f"{file}.partial")
    try:
        _copy(connection.engine, partial)
        backup = partial.replace(f"{file}.backup-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}")
    except (sqlite3.Error, OSError) as error:
        partial.unlink(missing_ok=True)
        raise click.ClickException(
            f"Nothing has been migrated, because {file} can't be backed up first: {error}. "
            "Make room on the disk, or make the folder writable."
        ) from None
    click.echo(f"Backed up the database to {backup}")
    stamp = "-".join("[0-9]" * digits for digits in (8, 6, 6))
    for old in sorted(glob.glob(f"{glob.escape(file)}.backup-{stamp}"))[:-BACKUPS]:
        Path(old).unlink(missing_ok=True)


def _copy(engine: sa.Engine, path: Path) -> None:
    path.unlink(missing_ok=True)  # of a process that was killed
    create_private_file(str(path))
    # A second connection, since SQLite refuses to copy from the one that has the write lock.
    with closing(engine.raw_connection()) as source, closing(sqlite3.connect(path)) as target:
        target.execute("PRAGMA journal_mode = OFF")
        cast(sqlite3.Connection, source.dbapi_connection).backup(target)
