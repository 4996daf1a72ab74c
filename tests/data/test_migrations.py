"""Migrations: they lead to the models and back, and keep existing rows, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app.accounts.models import User
from app.clerk_sync.tables import SyncCheckpoint, WebhookDelivery
from app.database import alembic, db, init_database, needs_upgrade
from tests.app_fixtures import ON_BOTH_DATABASES
from tests.postgresql import PostgreSQL

REVISIONS = ("1795474930", "1795634800", "1795636200", "1795847657", "1795861657")
"""All migrations, in order. The first one only has users, the fourth one has queued signals."""

FIRST, WITH_WEBHOOKS, WITH_CHECKPOINTS, WITH_QUEUE, WITHOUT_PAYLOADS = REVISIONS

OLD_USER = """
INSERT INTO users (id, email, clerk_updated_at, created_at)
VALUES ('user_1', 'a@example.com', 5, '2026-01-01 00:00:00')
"""

OLD_LOCK = """
INSERT INTO sync_checkpoints (kind, "offset", since, is_done, saved_at)
VALUES ('lock', 0, 77, false, '2026-01-01 00:00:00'), ('users', 5, 88, false, '2026-01-01 00:00:00')
"""

TOKEN = datetime.now(UTC).replace(microsecond=123_456) - timedelta(minutes=1)
"""When a request claimed a signal and queued its task, which contains the same time."""

LEASED = TOKEN + timedelta(days=1)
"""How a queued signal was once stored: as a claim from the future."""

EVENTS = sa.table(
    "webhook_events",
    *(sa.column(name, sa.String()) for name in ("id", "type", "outcome")),
    *(
        sa.column(name, sa.DateTime(timezone=True))
        for name in ("received_at", "signal_claimed_at", "signal_handled_at")
    ),
)

OLD_DELIVERIES = {
    "unclaimed": (None, None),
    "claimed": (TOKEN, None),
    "claimed by a fast clock": (TOKEN + timedelta(seconds=70), None),
    "queued": (LEASED, None),
    "sent": (TOKEN, TOKEN),
    "queued and sent": (LEASED, TOKEN),
}
"""The columns ``signal_claimed_at`` and ``signal_handled_at``."""


@pytest.fixture(params=["sqlite", "postgresql"])
def history(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """An app whose database has no tables."""
    app = Flask("history")
    if request.param == "sqlite":
        init_database(app, f"sqlite:///{tmp_path / 'history.db'}")
        with app.app_context():
            alembic.downgrade("base")
            yield app
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    with server.database() as name:
        init_database(app, server.url(name))
        with app.app_context():
            yield app
            db.engine.dispose()


def execute(statement: str | sa.Executable, *rows: dict[str, object]) -> None:
    """Change the database's current tables, even if the models differ."""
    with db.engine.begin() as connection:
        if isinstance(statement, str):
            statement = sa.text(statement)
        connection.execute(statement, rows or None)


def insert_old_deliveries() -> None:
    """Insert deliveries in every state, as the second migration's tables store them."""
    common = {"type": "user.created", "outcome": "applied", "received_at": TOKEN}
    rows = [
        {"id": id, "signal_claimed_at": claimed, "signal_handled_at": handled, **common}
        for id, (claimed, handled) in OLD_DELIVERIES.items()
    ]
    execute(sa.insert(EVENTS), *rows)


def tables() -> set[str]:
    """All tables except Alembic's own."""
    return set(sa.inspect(db.engine).get_table_names()) - {"alembic_version"}


def test_new_sqlite_file_gets_tables_at_once(tmp_path: Path) -> None:
    app = Flask("new")
    init_database(app, f"sqlite:///{tmp_path / 'new.db'}")
    with app.app_context():
        assert sa.inspect(db.engine).has_table("users")
        assert not needs_upgrade()


def test_database_in_memory_works() -> None:
    app = Flask("memory")
    init_database(app, "sqlite://")
    with app.app_context(), db.engine.connect() as connection:
        assert connection.scalar(sa.text("PRAGMA foreign_keys")) == 1


@ON_BOTH_DATABASES
def test_migrations_and_models_agree(app: Flask) -> None:
    with app.app_context():
        assert alembic.compare_metadata() == []


def test_upgrade_and_downgrade_from_and_to_an_empty_database(history: Flask) -> None:
    assert tables() == set()
    assert needs_upgrade()
    alembic.upgrade()
    assert {"users", "organizations", "memberships", "webhook_events", "tombstones"} <= tables()
    assert not needs_upgrade()
    alembic.downgrade("base")
    assert tables() == set()


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_users_of_every_earlier_revision_are_kept(history: Flask, revision: str) -> None:
    alembic.upgrade(FIRST)
    execute(OLD_USER)
    alembic.upgrade(revision)
    assert needs_upgrade()
    alembic.upgrade()
    assert not needs_upgrade()
    user = db.session.get_one(User, "user_1")
    assert (user.email, user.banned, user.deleted_at) == ("a@example.com", False, None)
    assert user.clerk_updated_at == 0  # so that any event completes the new columns


@pytest.mark.parametrize("revision", [WITH_WEBHOOKS, WITH_CHECKPOINTS])
def test_queued_signals_keep_the_claim_that_their_tasks_contain(history: Flask, revision: str) -> None:
    alembic.upgrade(revision)
    insert_old_deliveries()
    alembic.upgrade()
    rows = {row.id: row for row in db.session.scalars(sa.select(WebhookDelivery))}
    queued = rows.pop("queued")
    assert (queued.signal_claimed_at, queued.signal_queued_at) == (TOKEN, TOKEN)
    for id, row in rows.items():
        assert (row.signal_claimed_at, row.signal_handled_at) == OLD_DELIVERIES[id]
        assert row.signal_queued_at is None


def test_downgrade_restores_queued_signals(history: Flask) -> None:
    alembic.upgrade(WITH_CHECKPOINTS)
    insert_old_deliveries()
    alembic.upgrade()
    alembic.downgrade(WITH_CHECKPOINTS)
    query = sa.select(EVENTS.c.id, EVENTS.c.signal_claimed_at, EVENTS.c.signal_handled_at)
    with db.engine.connect() as connection:
        restored = {row.id: tuple(map(in_utc, row[1:])) for row in connection.execute(query)}
    assert restored == OLD_DELIVERIES


def in_utc(value: datetime | None) -> datetime | None:
    """A time as SQLite or PostgreSQL returned it, with its time zone."""
    return value and (value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC))


def test_stored_event_data_is_removed(history: Flask, tmp_path: Path) -> None:
    alembic.upgrade(WITH_QUEUE)
    insert_old_deliveries()
    execute("UPDATE webhook_events SET payload = 'to ada@example.com' WHERE id = 'sent'")
    alembic.upgrade()
    assert "payload" not in {column["name"] for column in sa.inspect(db.engine).get_columns("webhook_events")}
    assert set(db.session.scalars(sa.select(WebhookDelivery.id))) == set(OLD_DELIVERIES)
    db.engine.dispose()  # writes SQLite's log to its file
    assert not [file for file in tmp_path.glob("*.db") if b"ada@example.com" in file.read_bytes()]


def test_the_lock_is_removed_from_the_table_of_checkpoints(history: Flask) -> None:
    alembic.upgrade(WITH_CHECKPOINTS)
    execute(OLD_LOCK)
    alembic.upgrade()
    [checkpoint] = db.session.scalars(sa.select(SyncCheckpoint))
    assert (checkpoint.kind, checkpoint.offset, checkpoint.last_created_at) == ("users", 5, 88)


def test_downgrade_keeps_users(history: Flask) -> None:
    alembic.upgrade(FIRST)
    execute(OLD_USER)
    execute("CREATE TABLE invoices (user_id VARCHAR(64) REFERENCES users (id) ON DELETE CASCADE)")
    execute("INSERT INTO invoices VALUES ('user_1')")
    alembic.upgrade()
    alembic.downgrade(FIRST)
    with db.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT email FROM users")) == "a@example.com"
        assert connection.scalar(sa.text("SELECT count(*) FROM invoices")) == 1
    execute("DROP TABLE invoices")
