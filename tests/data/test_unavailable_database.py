"""Without its database, the app says so with 503, keeps its other pages up, and recovers by itself."""

from __future__ import annotations

import logging
import shutil
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.cli import FlaskGroup
from flask_login import current_user
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.test import TestResponse

from app import create_app
from app.accounts.models import User
from app.clerk import session_required
from app.database import alembic, db, init_database
from app.database_errors import explain_database_error, is_database_unavailable
from tests.app_fixtures import ALICE, BROWSER, settings_for
from tests.data.deliveries import deliver, event
from tests.local_server import LocalServer
from tests.postgresql import PostgreSQL, postgresql_server, reason_to_skip
from tests.signing import Signer

PASSWORD = "pass-word-1"


class Site:
    """The app in production mode, where errors become responses, with a signed-in browser."""

    def __init__(self, url: str, backend: LocalServer, signer: Signer) -> None:
        self.app = create_app(settings_for(signer, backend, url))
        self.app.add_url_rule("/me", view_func=session_required(lambda: current_user.first_name or ""))
        self.app.add_url_rule("/broken", view_func=self._broken)
        self.app.add_url_rule("/slow", view_func=self._slow)
        self.meanwhile: Callable[[], None] = lambda: None
        self.signer = signer

    def get(self, path: str, **headers: str) -> TestResponse:
        """Request a page as a user who is signed in."""
        client = self.app.test_client()
        client.set_cookie("__clerk_db_jwt", "dvb_1")
        client.set_cookie("__client_uat", str(self.signer.claims()["iat"]))
        client.set_cookie("__session", self.signer.token(sub=ALICE["id"]))
        return client.get(path, headers=BROWSER | headers)

    def _slow(self) -> str:
        db.session.get(User, ALICE["id"])
        self.meanwhile()
        db.session.execute(sa.text("SELECT 1"))
        return ""

    @staticmethod
    def _broken() -> str:
        db.session.execute(sa.text("SELECT * FROM missing"))
        return ""


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgreSQL]:
    """A server that the tests stop and start."""
    if reason := reason_to_skip():
        pytest.skip(reason)
    with postgresql_server() as server:
        yield server


@pytest.fixture
def server_up(own_server: PostgreSQL) -> Iterator[PostgreSQL]:
    """The server, running before and after the test."""
    yield own_server
    own_server.stop()
    own_server.start()


@pytest.fixture
def place(server_up: PostgreSQL, backend: LocalServer, signer: Signer) -> Iterator[Site]:
    """The app on that server, with a row for Alice."""
    with server_up.database() as name:
        site = Site(server_up.url(name), backend, signer)
        with site.app.app_context():
            alembic.upgrade()
        assert site.get("/me").text == "Alice"
        yield site
        with site.app.app_context():
            db.engine.dispose()
        server_up.stop()
        server_up.start()


def test_connections_that_the_server_closed_while_idle_cause_no_error(
    place: Site, server_up: PostgreSQL
) -> None:
    for _ in range(2):
        with ThreadPoolExecutor(8) as pool:
            first = list(pool.map(lambda _: place.get("/me").status_code, range(16)))
        server_up.close_connections(
            str(sa.make_url(place.app.config["SQLALCHEMY_ENGINES"]["default"]["url"]).database)
        )
        assert [place.get("/me").status_code for _ in range(8)] == [200] * 8
        assert first == [200] * 16


def test_a_restarted_server_causes_no_error(place: Site, server_up: PostgreSQL) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: place.get("/me"), range(16)))
    server_up.stop()
    server_up.start()
    assert [place.get("/me").status_code for _ in range(8)] == [200] * 8


def test_while_the_server_is_down(
    place: Site, server_up: PostgreSQL, caplog: pytest.LogCaptureFixture
) -> None:
    server_up.stop()
    caplog.clear()
    page = place.get("/me")
    assert (page.status_code, page.headers["Retry-After"], page.mimetype) == (503, "5", "text/html")
    assert "Not available right now" in page.text
    [record] = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert record.exc_info is None
    assert (
        record.getMessage()
        == "The database can't be used: no server listens at its address. Check DATABASE_URL."
    )
    answer = place.get("/me", Accept="application/json", **{"Sec-Fetch-Dest": "empty"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.get_json()["error"] == "Not available right now"
    for path in ("/", "/healthz", "/login/sso-callback"):
        assert place.get(path).status_code == 200
    webhook = event("user.updated", ALICE | {"first_name": "Alicia", "updated_at": ALICE["updated_at"] + 1})
    refused = deliver(place.app.test_client(), webhook)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    server_up.start()
    assert deliver(place.app.test_client(), webhook).status_code == 200
    assert place.get("/me").text == "Alicia"


def test_a_request_during_which_the_server_stops_is_answered_with_503(
    place: Site, server_up: PostgreSQL, caplog: pytest.LogCaptureFixture
) -> None:
    place.meanwhile = server_up.stop
    assert place.get("/slow").status_code == 503
    assert not [one for one in caplog.records if one.exc_info]


def test_a_page_of_errors_that_needs_the_database_is_replaced(place: Site, server_up: PostgreSQL) -> None:
    name = lambda: {"name": db.session.get_one(User, ALICE["id"]).name}  # noqa: E731
    place.app.template_context_processors[None].append(name)
    server_up.stop()
    page = place.get("/me")
    assert (page.status_code, page.headers["Retry-After"]) == (503, "5")
    assert "Service Unavailable" in page.text


def test_errors_of_the_app_stay_errors(place: Site, caplog: pytest.LogCaptureFixture) -> None:
    page = place.get("/broken")
    assert page.status_code == 500
    assert "Retry-After" not in page.headers
    assert [one for one in caplog.records if one.exc_info]


@pytest.fixture
def silent_address() -> Iterator[str]:
    """The address of a server that never responds."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(16)
        yield f"127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def dropping_address() -> Iterator[str]:
    """The address of a server whose full backlog drops packets."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listening.getsockname())
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        for one in waiting:
            one.close()


@pytest.mark.parametrize("address", ["silent_address", "dropping_address"])
def test_a_server_that_does_not_respond_costs_a_few_seconds(
    request: pytest.FixtureRequest,
    address: str,
    backend: LocalServer,
    signer: Signer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    url = f"postgresql+psycopg://ada:{PASSWORD}@{request.getfixturevalue(address)}/app"
    site = Site(url, backend, signer)
    began = time.monotonic()
    assert site.get("/me").status_code == 503
    assert time.monotonic() - began < 8
    assert "the server doesn't respond" in caplog.text
    assert PASSWORD not in caplog.text


@pytest.mark.parametrize(
    ("query", "seconds"), [("", 3), ("?connect_timeout=20", 20)], ids=["by default", "in DATABASE_URL"]
)
def test_timeouts_of_the_database_url_win(query: str, seconds: int) -> None:
    app = Flask("timeouts")
    init_database(app, f"postgresql+psycopg://localhost/app{query}")
    with app.app_context():
        _, arguments = db.engine.dialect.create_connect_args(db.engine.url)
        options: dict[str, Any] = app.config["SQLALCHEMY_ENGINES"]["default"]["connect_args"]
    assert int({**arguments, **options}["connect_timeout"]) == seconds


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (f"ada:{PASSWORD}@127.0.0.1:1/app", "no server listens at its address"),
        (f"ada:{PASSWORD}@nowhere.invalid/app", "the host name is unknown"),
        (f"ada:x@{PASSWORD}@nowhere.invalid/app", "the host name is unknown"),
        ("/app?host=/nowhere", "no server listens at its address"),
    ],
)
def test_the_reason_contains_no_part_of_the_url(url: str, reason: str) -> None:
    with pytest.raises(SQLAlchemyError) as caught:
        sa.create_engine(f"postgresql+psycopg://{url}").connect()
    assert is_database_unavailable(caught.value)
    assert (
        explain_database_error(caught.value) == f"The database can't be used: {reason}. Check DATABASE_URL."
    )


def test_the_reasons_of_a_running_server(server_up: PostgreSQL) -> None:
    address = sa.make_url(server_up.url("postgres"))
    for url, reason in (
        (address.set(database="nothing"), "the server doesn't have the database"),
        (address.set(username="stranger"), "the server doesn't have the user"),
    ):
        with pytest.raises(SQLAlchemyError) as caught:
            sa.create_engine(url).connect()
        assert is_database_unavailable(caught.value)
        assert reason in explain_database_error(caught.value)


def test_a_full_pool_is_unavailable() -> None:
    assert is_database_unavailable(PoolTimeout("QueuePool limit"))
    assert "Check DATABASE_URL" in explain_database_error(PoolTimeout("QueuePool limit"))


@pytest.mark.parametrize(
    "statement", ["INSERT INTO notes VALUES (NULL)", "SELECT * FROM nothing", "SELECT ("]
)
def test_errors_of_statements_are_the_apps(statement: str, server_up: PostgreSQL) -> None:
    for engine in (sa.create_engine("sqlite://"), sa.create_engine(server_up.url("postgres"))):
        with engine.connect() as connection:
            connection.exec_driver_sql("CREATE TEMPORARY TABLE notes (id INTEGER NOT NULL)")
            with pytest.raises(DBAPIError) as caught:
                connection.exec_driver_sql(statement)
        assert not is_database_unavailable(caught.value)
        engine.dispose()


def test_a_missing_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(click.ClickException, match=r"folder can't be opened.*no/app\.db") as caught:
        init_database(Flask("missing"), f"sqlite:///{tmp_path}/no/app.db")
    assert caught.value.__suppress_context__


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "app.db").write_text("not a database" * 1000)
    with pytest.raises(click.ClickException, match="isn't an SQLite database"):
        init_database(Flask("corrupt"), f"sqlite:///{tmp_path / 'app.db'}")


def test_a_database_that_is_read_only_is_one_sentence(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "app.db")) as connection:
        connection.execute("CREATE TABLE notes (id)")
    with pytest.raises(click.ClickException, match="read-only"):
        init_database(Flask("read-only"), f"sqlite:///file:{tmp_path / 'app.db'}?mode=ro&uri=true")


def test_a_locked_database_is_unavailable_until_it_is_released(
    tmp_path: Path,
    empty_database: Path,
    backend: LocalServer,
    signer: Signer,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.transactions.PAUSES", ())
    shutil.copy(empty_database, tmp_path / "app.db")
    site = Site(f"sqlite:///{tmp_path / 'app.db'}", backend, signer)
    with closing(sqlite3.connect(tmp_path / "app.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert site.get("/me").status_code == 503
        assert "another process has locked the file" in caplog.text
        assert site.get("/").status_code == 200
        other.execute("COMMIT")
    assert site.get("/me").text == "Alice"


def test_a_damaged_database_is_unavailable(
    tmp_path: Path,
    empty_database: Path,
    backend: LocalServer,
    signer: Signer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    shutil.copy(empty_database, tmp_path / "app.db")
    site = Site(f"sqlite:///{tmp_path / 'app.db'}", backend, signer)
    content = (tmp_path / "app.db").read_bytes()
    (tmp_path / "app.db").write_bytes(content[:100] + b"\xff" * (len(content) - 100))
    assert site.get("/me").status_code == 503
    assert "the file is damaged; restore a backup" in caplog.text
    assert site.get("/").status_code == 200


@pytest.mark.parametrize("command", ["current", "upgrade", "revision", "check"])
def test_commands_print_one_sentence(command: str, environ: dict[str, str]) -> None:
    app = create_app(environ | {"DATABASE_URL": f"postgresql+psycopg://ada:{PASSWORD}@127.0.0.1:1/app"})
    commands = FlaskGroup(create_app=lambda: app)
    done = app.test_cli_runner().invoke(
        commands, ["db", command, *(["Notes"] if command == "revision" else [])]
    )
    sentence = "Error: The database can't be used: no server listens at its address. Check DATABASE_URL.\n"
    assert (done.exit_code, done.output) == (1, sentence)


def test_a_locked_database_is_one_sentence_for_migrations(tmp_path: Path, empty_database: Path) -> None:
    shutil.copy(empty_database, tmp_path / "app.db")
    app = Flask("locked")
    init_database(app, f"sqlite:///{tmp_path / 'app.db'}")
    with closing(sqlite3.connect(tmp_path / "app.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        commands = FlaskGroup(create_app=lambda: app)
        done = app.test_cli_runner().invoke(commands, ["db", "downgrade", "base"])
    assert (done.exit_code, "locked the file for too long" in done.output) == (1, True)
