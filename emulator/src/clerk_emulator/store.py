"""All state, in one SQLite file: a table per resource, a JSON document per row.

One connection, one lock, one transaction per request: a development server has one user at a
time, and so every request sees and leaves a whole state. WAL keeps that true after ``kill -9``.
"""

# Table and column names are constants of the resource classes; every value is a parameter.
# ruff: noqa: S608

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar
from zlib import crc32

from .config import RefusalError
from .resources import RESOURCES, Resource

R = TypeVar("R", bound=Resource)
Value = str | int | bool | None | tuple[str, ...]
"""What a field is compared with; a tuple: it is any of these."""


FIELDS: dict[type[Resource], frozenset[str]] = {
    kind: frozenset(f.name for f in fields(kind)) for kind in RESOURCES
}
"""Looking them up again for every row would take longer than the query."""


SYNCHRONOUS = "NORMAL"
"""How SQLite waits for the disk. What was answered survives the end of our process anyway."""


class Store:
    """The state file.

    :param path: the SQLite file; it and its folder are made when missing.
    :raises RefusalError: if the file cannot be opened or is not ours.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._create_tables()
        except (OSError, sqlite3.Error) as error:
            raise RefusalError(
                f"The state file {path} can't be used ({error}). Expected a file that is "
                "writable and was created by the local Clerk. Pass another --state, or delete it "
                "to start with no users."
            ) from error

    def _create_tables(self) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
        if self._db.execute("PRAGMA user_version").fetchone() != (SCHEMA_VERSION,):
            for statement in SCHEMA:
                self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def close(self) -> None:
        """Close the file. The store is of no use afterwards."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; other threads wait. An inner one can fail without failing the outer."""
        with self._lock:
            begin, commit, undo = _boundaries(self._depth)
            self._db.execute(begin)
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                for statement in undo:
                    self._db.execute(statement)
                raise
            self._depth -= 1
            self._db.execute(commit)

    def put(self, resource: Resource) -> None:
        """Insert or replace."""
        with self._lock:
            self._db.execute(
                f"INSERT INTO {resource.TABLE} (id, created_at, body) VALUES (?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET body = excluded.body",
                (resource.id, resource.created_at, json.dumps(vars(resource))),
            )

    def get(self, kind: type[R], id: str | None) -> R | None:
        """The resource with that id, if it exists."""
        with self._lock:
            rows = self._db.execute(f"SELECT body FROM {kind.TABLE} WHERE id = ?", (id,))
            row = rows.fetchone()
        return _load(kind, row[0]) if row else None

    def delete(self, resource: Resource) -> None:
        """Forget it; nothing happens when it is gone already."""
        with self._lock:
            self._db.execute(f"DELETE FROM {resource.TABLE} WHERE id = ?", (resource.id,))

    def delete_created_before(self, kind: type[Resource], before: int) -> None:
        """Forget all of a kind that are older.

        :param before: unix milliseconds.
        """
        with self._lock:
            self._db.execute(f"DELETE FROM {kind.TABLE} WHERE created_at < ?", (before,))

    def empty(self) -> None:
        """Forget every resource. The values of the instance as a whole stay."""
        with self.transaction():
            for kind in RESOURCES:
                self._db.execute(f"DELETE FROM {kind.TABLE}")

    def find(
        self,
        kind: type[R],
        *,
        newest_first: bool = False,
        limit: int = -1,
        offset: int = 0,
        **equal: Value,
    ) -> list[R]:
        """Resources whose fields equal the given values, in order of creation."""
        direction = "DESC" if newest_first else "ASC"
        order = f"ORDER BY created_at {direction}, rowid {direction}"
        return self._select(kind, equal, f"{order} LIMIT ? OFFSET ?", (limit, offset))

    def first(self, kind: type[R], **equal: Value) -> R | None:
        """The oldest resource whose fields equal the given values."""
        found = self._select(kind, equal, "ORDER BY created_at, rowid LIMIT 1", ())
        return found[0] if found else None

    def _select(
        self, kind: type[R], equal: dict[str, Value], tail: str, values: tuple[int, ...]
    ) -> list[R]:
        where, wanted = _where(equal)
        with self._lock:
            rows = self._db.execute(
                f"SELECT body FROM {kind.TABLE}{where} {tail}", (*wanted, *values)
            ).fetchall()
        return [_load(kind, body) for (body,) in rows]

    def get_many(self, kind: type[R], ids: Iterable[str]) -> dict[str, R]:
        """Those of these resources that exist, by id; one query, however many they are."""
        with self._lock:
            rows = self._db.execute(
                f"SELECT body FROM {kind.TABLE} WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps(list(ids)),),
            ).fetchall()
        found = [_load(kind, body) for (body,) in rows]
        return {resource.id: resource for resource in found}

    def values(self, kind: type[Resource], *names: str, **equal: Value) -> list[tuple[Any, ...]]:
        """Some fields of the resources that match, in order of creation.

        Takes a fraction of the time of :meth:`find`. True and false come as 1 and 0.
        """
        columns, (where, wanted) = ", ".join(map(_column, names)), _where(equal)
        with self._lock:
            return self._db.execute(
                f"SELECT {columns} FROM {kind.TABLE}{where} ORDER BY created_at, rowid", wanted
            ).fetchall()

    def count_by(self, kind: type[R], name: str, **equal: Value) -> dict[str, int]:
        """How many resources there are for each value of a field, among those that match."""
        where, values = _where(equal)
        group = _column(name)
        with self._lock:
            rows = self._db.execute(
                f"SELECT {group}, count(*) FROM {kind.TABLE}{where} GROUP BY {group}", values
            ).fetchall()
        return {value: int(number) for value, number in rows}

    def count(self, kind: type[R], **equal: Value) -> int:
        """How many resources have fields equal to the given values."""
        where, values = _where(equal)
        with self._lock:
            rows = self._db.execute(f"SELECT count(*) FROM {kind.TABLE}{where}", values)
            (number,) = rows.fetchone()
        return int(number)

    def setting(self, name: str) -> str | None:
        """A value of the instance as a whole, such as its signing key."""
        with self._lock:
            rows = self._db.execute("SELECT value FROM settings WHERE name = ?", (name,))
            row = rows.fetchone()
        return row[0] if row else None

    def set_setting(self, name: str, value: str) -> None:
        """Remember a value of the instance as a whole."""
        with self._lock:
            self._db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))


def _boundaries(depth: int) -> tuple[str, str, tuple[str, ...]]:
    """SQL to begin, commit and undo a transaction at this depth of nesting."""
    if depth == 0:
        return "BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",)
    name = f"level_{depth}"
    return f"SAVEPOINT {name}", f"RELEASE {name}", (f"ROLLBACK TO {name}", f"RELEASE {name}")


def _column(field_name: str) -> str:
    if field_name == "id":
        return field_name  # the primary key is a column, too
    return f"json_extract(body, '$.{field_name}')"


def _schema() -> Iterator[str]:
    """Tables and indexes that are missing; others stay as they are."""
    yield "CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT)"
    for kind in RESOURCES:
        table = kind.TABLE
        yield (
            f"CREATE TABLE IF NOT EXISTS {table} (id TEXT PRIMARY KEY, created_at INTEGER, "
            "body TEXT NOT NULL)"
        )
        # Lists are in this order; without it the last page of a long one takes as long as all.
        yield f"CREATE INDEX IF NOT EXISTS {table}_created_at ON {table} (created_at)"
        for name in kind.INDEXED:
            yield f"CREATE INDEX IF NOT EXISTS {table}_{name} ON {table} ({_column(name)})"


SCHEMA = tuple(_schema())
SCHEMA_VERSION = crc32("".join(SCHEMA).encode()) & 0x7FFF_FFFF
"""Kept in the file: one that has all this already opens in a fraction of the time."""


def _where(equal: dict[str, Value]) -> tuple[str, tuple[str | int | None, ...]]:
    """The condition, and its values. ``json_each`` takes any number of alternatives."""
    conditions = " AND ".join(_condition(name, value) for name, value in equal.items())
    values = (json.dumps(v) if isinstance(v, tuple) else v for v in equal.values())
    return (f" WHERE {conditions}" if equal else ""), tuple(values)


def _condition(name: str, value: Value) -> str:
    if isinstance(value, tuple):
        return f"{_column(name)} IN (SELECT value FROM json_each(?))"
    return f"{_column(name)} IS ?"


def _load(kind: type[R], body: str) -> R:
    known = FIELDS[kind]
    return kind(**{name: value for name, value in json.loads(body).items() if name in known})
