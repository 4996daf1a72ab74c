"""A PostgreSQL server for the tests only, started from the installed programs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

OPTIONS = {
    "listen_addresses": "",
    "max_connections": "200",
    "fsync": "off",  # the data doesn't have to survive a crash
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


@dataclass
class PostgreSQL:
    """A running server."""

    folder: Path
    _command: list[str | Path]
    _user: dict[str, Any]
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server, and wait until it accepts connections."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, cwd=self.folder, **self._user
            )
        deadline = time.monotonic() + 30
        while not self.is_up():
            written = (self.folder / "log").read_text(errors="replace")
            assert self._process.poll() is None, written
            assert time.monotonic() < deadline, written
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop the server without waiting for its clients. Does nothing if it isn't running."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)
            self._process = None

    def close_connections(self, name: str) -> None:
        """Close all connections to a database, as a server does with idle ones."""
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname"
        self._execute(f"{others} = '{name}'")

    def url(self, name: str) -> str:
        """The SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """Create a database, yield its name, and drop it afterwards."""
        name = f"test_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name}")
        yield name
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def empty(self, name: str, tables: Sequence[str]) -> None:
        """Delete all rows of a database, and close its other connections."""
        self.close_connections(name)
        self._execute(f"TRUNCATE {', '.join(tables)}", name)

    def is_up(self) -> bool:
        """Whether the server accepts connections."""
        try:
            self._execute("SELECT 1")
        except OperationalError:
            return False
        return True

    def _execute(self, statement: str, database: str = "postgres") -> None:
        engine = sa.create_engine(self.url(database), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql(statement)
        finally:
            engine.dispose()


def reason_to_skip() -> str:
    """The reason why no server can be started; an empty string if one can."""
    if find_spec("psycopg") is None:
        return "not tested on PostgreSQL: psycopg is not installed"
    if _programs() is None:
        return "not tested on PostgreSQL: initdb is not installed (package postgresql)"
    return ""


@contextmanager
def postgresql_server() -> Iterator[PostgreSQL]:
    """Run a server for as long as the context lasts."""
    programs = _programs()
    assert programs is not None, reason_to_skip()
    # Not in pytest's own folder, which other system users can't read, and whose path is too long.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    user = _system_user(folder)
    data = folder / "data"
    options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "-N"]
    make: list[str | Path] = [programs / "initdb", "-D", data, *options]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL, cwd=folder, **user)
    settings = [f"--{name}={value}" for name, value in OPTIONS.items()]
    command: list[str | Path] = [programs / "postgres", "-D", data, "-k", folder, *settings]
    server = PostgreSQL(folder, command, user)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    """The folder of initdb and postgres, which Debian doesn't put on the PATH."""
    found = shutil.which("initdb")
    places = [Path(found)] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return places[-1].resolve().parent if places else None


def _system_user(folder: Path) -> dict[str, Any]:
    """Options to run PostgreSQL as a user other than root, because it refuses to run as root."""
    if os.name == "nt" or os.geteuid() != 0:
        return {}
    shutil.chown(folder, "nobody")
    return {"user": "nobody", "group": "nogroup" if _has_group("nogroup") else "nobody"}


def _has_group(name: str) -> bool:
    import grp

    return any(group.gr_name == name for group in grp.getgrall())
