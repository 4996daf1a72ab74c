"""``flask clerk sync`` against a local Clerk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask

from app.accounts.models import Membership, Organization, User
from app.clerk import BackendApi, BackendApiError, clerk_of
from app.clerk_sync import clerk_lists, clerk_sync_of, reconciliation
from app.clerk_sync.records import apply_user
from app.clerk_sync.tables import SyncCheckpoint, Tombstone
from app.commands.sync import sync_command
from app.database import db
from app.transactions import transact
from clerk_emulator.testing import RunningClerk
from tests.app_fixtures import ON_BOTH_DATABASES

pytestmark = ON_BOTH_DATABASES

Run = Callable[..., Result]


@pytest.fixture
def run(site: Flask, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command with pages of 5 that overlap by 2, and let even new rows be missing."""
    monkeypatch.setattr(clerk_lists, "PAGE_SIZE", 5)
    monkeypatch.setattr(clerk_lists, "OVERLAP", 2)
    monkeypatch.setattr("app.clerk_sync.clerk_lists.sleep", lambda seconds: None)
    monkeypatch.setattr(reconciliation, "SETTLED", -reconciliation.SETTLED)
    runner = site.test_cli_runner()
    return lambda *options: runner.invoke(sync_command, options)


@pytest.fixture
def crowd(clerk: RunningClerk) -> RunningClerk:
    """Clerk with twelve users, three of them in two organizations."""
    acme, globex = clerk.create_organization("Acme"), clerk.create_organization("Globex")
    for number in range(12):
        clerk.create_user(f"user{number}@example.com", first_name=f"User {number}")
    for user in clerk.users()[:3]:
        clerk.add_member(acme, user)
        clerk.add_member(globex, user, "org:admin")
    return clerk


def tables(app: Flask) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of the three tables that follow Clerk."""
    with app.app_context(), db.sessionmaker() as session:
        return {
            model.__tablename__: sorted(
                (tuple(row) for row in session.execute(sa.select(*model.__table__.columns))),
                key=lambda row: str(row),
            )
            for model in (User, Organization, Membership)
        }


def change_rows(app: Flask, *statements: sa.Executable) -> None:
    """Change rows without Clerk, as a person or a bug might."""
    with app.app_context():
        for statement in statements:
            transact(lambda session, statement=statement: session.execute(statement))  # type: ignore[misc]


def test_empty_database_is_filled(site: Flask, crowd: RunningClerk, run: Run) -> None:
    result = run()
    assert result.exit_code == 0, result.output
    assert "users: 12 in Clerk; 12 added, 0 changed, 0 deleted" in result.output
    assert "organizations: 2 in Clerk; 2 added" in result.output
    assert "memberships: 6 in Clerk; 6 added" in result.output
    filled = tables(site)
    assert [len(rows) for rows in filled.values()] == [12, 2, 6]
    assert "12 in Clerk; 0 added, 0 changed, 0 deleted" in run().output
    assert tables(site) == filled


def test_changed_rows_are_corrected(site: Flask, crowd: RunningClerk, run: Run) -> None:
    run()
    right = tables(site)
    with site.app_context():
        ids = list(db.session.scalars(sa.select(User.id).order_by(User.created_at)))
    change_rows(
        site,
        sa.delete(User).where(User.id == ids[1]),
        sa.update(User).where(User.id == ids[5]).values(email="typed@example.com"),
        sa.update(User).where(User.id == ids[6]).values(clerk_updated_at=0, first_name="Late"),
        sa.update(Organization).where(Organization.slug == "acme").values(name="Akme"),
        sa.update(Membership).where(Membership.user_id == ids[2]).values(role="org:owner"),
    )
    wrong = tables(site)
    dry = run("--dry-run").output
    assert f"+ {ids[1]} user1@example.com" in dry
    assert f"~ {ids[5]} email typed@example.com → user5@example.com" in dry
    assert "users: 12 in Clerk; 1 to add, 2 to change, 0 to delete" in dry
    assert tables(site) == wrong
    assert "users: 12 in Clerk; 1 added, 2 changed, 0 deleted" in run().output
    assert tables(site) == right


def test_accounts_deleted_in_clerk_are_deleted_for_good(site: Flask, crowd: RunningClerk, run: Run) -> None:
    run()
    with site.app_context():
        ids = list(db.session.scalars(sa.select(User.id).order_by(User.created_at)))
    people, acme = crowd.users(), crowd.organizations()[0]
    (left,) = crowd.memberships(organization=acme, user=people[1])
    crowd.delete_user(people[0])
    crowd.delete_user(people[11])
    crowd.remove_member(acme, people[1])
    assert f"- {ids[11]}\n" in run("--dry-run").output
    output = run().output
    assert "users: 10 in Clerk; 0 added, 0 changed, 2 deleted" in output
    assert "memberships: 3 in Clerk; 0 added, 0 changed, 1 deleted" in output
    with site.app_context():
        assert {ids[0], ids[11], left.id} == set(db.session.scalars(sa.select(Tombstone.id)))
        assert transact(lambda session: apply_user(session, {"id": ids[0]})) == "gone"
        remaining = db.session.scalars(sa.select(Membership.user_id).order_by(Membership.user_id))
        assert sorted(remaining) == sorted([ids[1], ids[2], ids[2]])


def test_interrupted_run_continues_where_it_stopped(
    site: Flask, crowd: RunningClerk, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, asked = BackendApi.page, []

    def failing(api: BackendApi, path: str, **query: Any) -> Any:
        asked.append((path, query.get("offset")))
        if path == "/users" and query["offset"] >= 6:
            raise BackendApiError(503, "unavailable", "Clerk is down")
        return page(api, path, **query)

    with monkeypatch.context() as context:
        context.setattr(BackendApi, "page", failing)
        result = run("--force")
    assert result.exit_code == 1
    assert "to continue from here" in result.output
    assert asked.count(("/users", 6)) == clerk_lists.ATTEMPTS
    with site.app_context():
        assert db.session.get(SyncCheckpoint, "users")
        assert db.session.scalar(sa.select(sa.func.count()).select_from(User)) == 8
    result = run()
    assert "users: continuing after 8" in result.output
    assert "users: 12 in Clerk; 4 added" in result.output
    with site.app_context():
        assert db.session.get(SyncCheckpoint, "users") is None


def test_deletions_while_reading_hide_no_user(
    site: Flask, crowd: RunningClerk, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, people = BackendApi.page, crowd.users()

    def moving(api: BackendApi, path: str, **query: Any) -> Any:
        found = page(api, path, **query)
        if path == "/users" and query.get("offset") == 0:
            for user in crowd.users()[:-8]:
                crowd.delete_user(user)
        return found

    monkeypatch.setattr(BackendApi, "page", moving)
    run("--force")
    with site.app_context():
        kept = set(db.session.scalars(sa.select(User.id)))
    assert {user.id for user in people[4:]} <= kept


def test_retry_after_is_respected(
    site: Flask, crowd: RunningClerk, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    page = BackendApi.page

    def busy(api: BackendApi, path: str, **query: Any) -> Any:
        if len(waits) < 3:
            raise BackendApiError(429, "too_many_requests", "rate limit exceeded", retry_after=7)
        return page(api, path, **query)

    monkeypatch.setattr(BackendApi, "page", busy)
    monkeypatch.setattr("app.clerk_sync.clerk_lists.sleep", waits.append)
    assert "12 added" in run("--force").output
    assert waits == [7, 7, 7]


def test_database_of_another_instance_is_rejected(site: Flask, crowd: RunningClerk, run: Run) -> None:
    with site.app_context():
        for number in range(13):
            data = {"id": f"user_else{number}", "created_at": 1, "updated_at": 1}
            transact(lambda session, data=data: apply_user(session, data))  # type: ignore[misc]
    before = tables(site)
    result = run()
    assert result.exit_code == 1
    assert "Of 13 users in this database, Clerk knows 0" in result.output
    assert tables(site) == before
    assert "12 added, 0 changed, 13 deleted" in run("--force").output


def test_new_row_is_not_treated_as_missing(
    site: Flask, crowd: RunningClerk, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    with site.app_context():
        transact(lambda session: apply_user(session, {"id": "user_new"}))
    result = site.test_cli_runner().invoke(sync_command, ["--force"])
    assert "12 added, 0 changed, 0 deleted" in result.output


def test_instance_without_organizations(site: Flask, clerk: RunningClerk, run: Run) -> None:
    clerk.settings(organizations={"enabled": False})
    clerk.create_user()
    result = run()
    assert result.exit_code == 0
    assert "users: 1 in Clerk; 1 added" in result.output
    assert "memberships: organizations are not enabled in Clerk" in result.output


def test_error_of_clerk_is_shown(site: Flask, run: Run) -> None:
    clerk_of(site).api._secret_key = "sk_test_wrong"
    clerk_of(site).api.renew()
    result = run()
    assert result.exit_code == 1
    assert "Backend API" in result.output


def test_an_object_that_the_database_rejects_stops_no_other(
    site: Flask, crowd: RunningClerk, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    """As with a constraint of the founder's."""
    with site.app_context(), db.engine.begin() as connection:
        connection.exec_driver_sql("CREATE UNIQUE INDEX one_name ON users (first_name)")
    try:
        first, second = crowd.users()[3:5]
        crowd.update_user(second, first_name=first.first_name)
        result = run()
        assert result.exit_code == 0, result.output
        assert "users: 12 in Clerk; 11 added" in result.output
        assert f"{second.id} can't be stored in users" in caplog.text
        assert "@example.com" not in caplog.text
    finally:
        with site.app_context(), db.engine.begin() as connection:
            connection.exec_driver_sql("DROP INDEX one_name")


def test_a_row_that_cannot_be_deleted_stops_no_other(
    site: Flask,
    crowd: RunningClerk,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As with a failing erase hook."""
    assert run().exit_code == 0
    kept, *others = crowd.users()[:3]

    def erase(session: object, user_id: str) -> None:
        if user_id == kept.id:
            raise LookupError("an invoice is still open")

    monkeypatch.setattr(clerk_sync_of(site), "erase", erase)
    for user in (kept, *others):
        crowd.delete_user(user)
    result = run()
    assert result.exit_code == 0, result.output
    assert "0 added, 0 changed, 2 deleted" in result.output
    assert f"{kept.id} can't be deleted from users" in caplog.text
    with site.app_context():
        assert [db.session.get(User, user.id) is None for user in (kept, *others)] == [False, True, True]
