"""A storm of webhooks while workers are killed: the tables still end up equal to Clerk's data.

By default it has a few hundred events. 20,000 events of 1,000 users take some minutes:

    STORM_EVENTS=20000 pytest tests/data/storm -s
"""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.accounts.models import Membership, Organization, User
from app.clerk_sync.tables import WebhookDelivery
from app.database import db
from tests.app_fixtures import ON_BOTH_DATABASES

from .delivering import deliver_all, make_storm
from .history import make_history
from .server import Killer, gunicorn
from .wsgi import AWAITED

EVENTS = int(os.environ.get("STORM_EVENTS", "300"))
KILL_EVERY = 50
SEED = int(os.environ.get("STORM_SEED", time.time_ns() % 1_000_000))

NOTES = {
    "sqlite": """
        CREATE TRIGGER note_{table}_{verb} AFTER {verb} ON {table} BEGIN
            INSERT INTO storm_writes VALUES (new.id, new.clerk_updated_at);
        END""",
    "postgresql": """
        CREATE TRIGGER note_{table}_{verb} AFTER {verb} ON {table}
        FOR EACH ROW EXECUTE FUNCTION storm_note()""",
}
FUNCTION = """
    CREATE FUNCTION storm_note() RETURNS trigger AS $$ BEGIN
        INSERT INTO storm_writes VALUES (new.id, new.clerk_updated_at);
        RETURN NULL;
    END $$ LANGUAGE plpgsql"""


@pytest.fixture
def watched_app(app: Flask) -> Iterator[Flask]:
    """The app, with triggers in its database that record every version that is written."""
    with app.app_context(), db.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE storm_writes (id TEXT, version BIGINT)")
        connection.exec_driver_sql("CREATE TABLE storm_signals (delivery TEXT)")
        dialect = connection.dialect.name
        if dialect == "postgresql":
            connection.exec_driver_sql(FUNCTION)
        for table in ("users", "organizations", "memberships"):
            for verb in ("INSERT", "UPDATE"):
                connection.exec_driver_sql(NOTES[dialect].format(table=table, verb=verb))
    yield app
    if dialect == "postgresql":  # whose database other tests use next
        with app.app_context(), db.engine.begin() as connection:
            connection.exec_driver_sql("DROP FUNCTION storm_note CASCADE")
            connection.exec_driver_sql("DROP TABLE storm_writes, storm_signals")


@ON_BOTH_DATABASES
@pytest.mark.skipif(shutil.which("pgrep") is None, reason="pgrep, which finds workers, is missing")
def test_tables_equal_clerks_data(watched_app: Flask, environ: dict[str, str], tmp_path: Path) -> None:
    history = make_history(EVENTS, EVENTS // 20, SEED)
    storm = make_storm(history.events, SEED)
    with gunicorn(environ, tmp_path) as (url, master):
        killer = Killer(master, KILL_EVERY, SEED)
        answers = deliver_all(url, storm, killer.note_accepted)
    print(f"\nseed {SEED}: {len(storm):,} deliveries, {killer.kills} workers killed, {answers}")
    assert killer.kills == answers["200"] // KILL_EVERY
    with watched_app.app_context():
        assert tables() == history.tables()
        noted = db.session.execute(sa.select(WebhookDelivery.id, WebhookDelivery.outcome)).all()
        assert sorted(id for id, _ in noted) == sorted(event.id for event in history.events)
        assert {outcome for _, outcome in noted} <= {"applied", "older", "gone"}
        assert applied_twice() == []
        check_signals(history.events, {id for id, outcome in noted if outcome == "gone"}, killer)


def tables() -> dict[str, dict[str, tuple[Any, ...]]]:
    """All rows, in the form of :meth:`.history.History.tables`."""
    users: Any = sa.select(User.id, User.email, User.first_name, User.created_at, User.clerk_updated_at)
    organizations = sa.select(
        Organization.id,
        Organization.name,
        Organization.slug,
        Organization.created_at,
        Organization.clerk_updated_at,
    )
    memberships = sa.select(
        Membership.id,
        Membership.organization_id,
        Membership.user_id,
        Membership.role,
        Membership.created_at,
        Membership.clerk_updated_at,
    )
    queries: dict[str, Any] = {
        "users": users,
        "organizations": organizations,
        "memberships": memberships,
    }
    return {name: dict(map(_row, db.session.execute(query))) for name, query in queries.items()}


def _row(row: Any) -> tuple[str, tuple[Any, ...]]:
    id, *values, created_at, version = row
    return id, (*values, round(created_at.timestamp() * 1000), version)


def applied_twice() -> list[Any]:
    """Versions of a row that were written more than once."""
    query = """SELECT id, version FROM storm_writes WHERE version > 0
               GROUP BY id, version HAVING count(*) > 1"""
    return list(db.session.execute(sa.text(query)))


def check_signals(events: list[Any], gone: set[str], killer: Killer) -> None:
    """Check that every signal was sent, and sent again only if a worker was killed."""
    got = Counter(db.session.scalars(sa.text("SELECT delivery FROM storm_signals")))
    awaited = {event.id for event in events if event.type in AWAITED} - gone
    assert set(got) == awaited
    again = sum(times - 1 for times in got.values())
    assert again <= killer.kills * 4, "a signal was sent again although no worker was killed"
