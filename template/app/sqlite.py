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
from typing import Any, NamedTuple, cast

import click
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

BEGIN_IMMEDIATE = "begin_immediate"
"""Execution option of a connection: on SQLite, its transactions take the write lock at once."""

BACKUPS = 3
"""How many backups of a database are kept."""

SHOWN = 5
"""How many rows an error shows."""


class DanglingRow(NamedTuple):
    """A row whose foreign key refers to a missing row."""

    place: str
    """The table and columns of the foreign key."""
    parent: str
    """The table that lacks the row."""
    values: tuple[Any, ...]
    """The columns' values. They stay the same when a migration renames or copies the table."""


def create_private_file(url: sa.URL) -> None:
    """Create a new database's file so that only its owner can read it, whatever the umask is.

    SQLite gives the files ``-wal`` and ``-shm`` next to it the same permissions.
    """
    if url.database and url.database != ":memory:" and "uri" not in url.query:
        with suppress(OSError):  # it exists, or SQLite will say what is wrong with the path
            os.close(os.open(url.database, os.O_CREAT | os.O_EXCL, 0o600))


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
    before = Counter(row.values for row in _dangling_rows(context.connection))
    yield from steps
    rows = _dangling_rows(context.connection)
    if added := Counter(row.values for row in rows) - before:
        new = [row for row in rows if row.values in added]
        raise click.ClickException(_explain(sum(added.values()), new[:SHOWN]))


def _explain(count: int, examples: list[DanglingRow]) -> str:
    seen = "; ".join(
        f"{row.place} = {', '.join(map(repr, row.values))} is not in {row.parent}"
        for row in examples
    )
    return (
        f"Nothing has been migrated, because {count} row(s) would refer to missing rows. {seen}. "
        "SQLite doesn't follow ON DELETE during a migration, so the migration must itself delete "
        "or change the rows that refer to the rows it deletes."
    )


def _dangling_rows(connection: sa.Connection) -> list[DanglingRow]:
    query = 'SELECT DISTINCT "table", parent, fkid FROM pragma_foreign_key_check'
    try:
        keys = connection.exec_driver_sql(query).all()
    except OperationalError as error:  # a foreign key to columns that aren't unique
        return [DanglingRow("", "", (str(error.orig),))]
    return [row for key in keys for row in _dangling_rows_of(connection, *key)]


def _dangling_rows_of(
    connection: sa.Connection, table: str, parent: str, key: int
) -> Iterator[DanglingRow]:
    quote = connection.dialect.identifier_preparer.quote_identifier
    query = 'SELECT "from" FROM pragma_foreign_key_list(?) WHERE id = ? ORDER BY seq'
    names = list(connection.exec_driver_sql(query, (table, key)).scalars())
    columns = ", ".join(f"child.{quote(name)}" for name in names)
    query = (
        f"SELECT {columns} FROM pragma_foreign_key_check(?) AS dangling "  # noqa: S608 - quoted
        f"LEFT JOIN {quote(table)} AS child ON child.rowid = dangling.rowid WHERE fkid = ?"
    )
    for values in connection.exec_driver_sql(query, (table, key)):
        yield DanglingRow(f"{table}.{', '.join(names)}", parent, tuple(values))


def _back_up(connection: sa.Connection) -> None:
    """Copy the database to a file next to it, and delete all but the newest copies.

    It's called inside a transaction that has the write lock and hasn't changed anything yet.
    """
    query = "SELECT file FROM pragma_database_list WHERE name = 'main'"
    if not (file := connection.exec_driver_sql(query).scalar()):
        return  # in memory
    name = glob.escape(file) + ".backup-"
    target, partial = f"{file}.backup-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}", f"{file}.partial"
    try:
        _copy(connection.engine, partial)
        Path(partial).replace(target)
    except (sqlite3.Error, OSError) as error:
        Path(partial).unlink(missing_ok=True)
        raise click.ClickException(
            f"Nothing has been migrated, because {file} could not be backed up first: {error}. "
            "Make room on the disk, or make the folder writable."
        ) from None
    click.echo(f"Backed up the database to {target}")
    stamps = name + "-".join("[0-9]" * digits for digits in (8, 6, 6))
    for old in sorted(glob.glob(stamps))[:-BACKUPS]:
        Path(old).unlink(missing_ok=True)


def _copy(engine: sa.Engine, path: str) -> None:
    Path(path).unlink(missing_ok=True)  # of a process that was killed
    create_private_file(sa.URL.create("sqlite", database=path))
    # A second connection, since SQLite refuses to copy from the one that has the write lock.
    with closing(engine.raw_connection()) as source, closing(sqlite3.connect(path)) as target:
        target.execute("PRAGMA journal_mode = OFF")
        cast(sqlite3.Connection, source.dbapi_connection).backup(target)
