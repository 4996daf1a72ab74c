"""``flask clerk delete-user``, ``export-user`` and ``prune-events``, and the app's hooks."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.accounts.models import User
from app.clerk import BackendApi, BackendApiError
from app.clerk_sync import clerk_sync_of
from app.clerk_sync.records import apply_user, delete_record, is_deleted
from app.clerk_sync.tables import Tombstone, WebhookDelivery
from app.commands.people import delete_user, export_user
from app.commands.prune import prune_events
from app.commands.sync import sync_command
from app.database import db
from app.transactions import transact
from clerk_emulator.testing import RunningClerk
from tests.app_fixtures import ON_BOTH_DATABASES
from tests.data.deliveries import stored

pytestmark = ON_BOTH_DATABASES


@pytest.fixture
def ada(site: Flask, clerk: RunningClerk) -> str:
    """The ID of a user who has an account in Clerk, a row here, and an organization."""
    user = clerk.create_user(
        "ada@example.com", first_name="Ada", organization=clerk.create_organization("Acme")
    )
    run(site, sync_command)
    return user.id


@pytest.fixture
def erased(site: Flask, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The user IDs that the app's ``erase`` hook was called with."""
    ids: list[str] = []
    monkeypatch.setattr(clerk_sync_of(site), "erase", lambda session, id: ids.append(id))
    return ids


def run(site: Flask, command: Any, *arguments: str, answer: str = "") -> Any:
    """Run a command of ``flask clerk``."""
    return site.test_cli_runner().invoke(command, list(arguments), input=answer)


def break_clerk(monkeypatch: pytest.MonkeyPatch, *methods: str) -> None:
    """Make these calls of the Backend API fail."""

    def fail(*_: object, **__: object) -> Any:
        raise BackendApiError(503, "unavailable", "Clerk is down")

    for method in methods:
        monkeypatch.setattr(BackendApi, method, fail)


@pytest.mark.parametrize("named_by", ["id", "address"])
def test_account_is_deleted_in_clerk_and_here(
    site: Flask, clerk: RunningClerk, ada: str, erased: list[str], named_by: str
) -> None:
    name = ada if named_by == "id" else "Ada@example.com"
    assert run(site, delete_user, name, answer="n\n").exit_code == 1
    assert stored(site, User, ada)
    result = run(site, delete_user, name, answer="y\n")
    assert (result.exit_code, "Deleted." in result.output) == (0, True)
    assert f"{ada} ada@example.com (exists in Clerk, a row in this database)" in result.output
    assert clerk.users() == []
    assert stored(site, User, ada) is None
    assert stored(site, Tombstone, ada)
    assert erased == [ada]
    # The webhook about the deletion changes nothing.
    clerk.deliver_webhooks(site.test_client())
    assert erased == [ada]


def test_nothing_is_deleted_if_clerk_fails(
    site: Flask, ada: str, erased: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    break_clerk(monkeypatch, "delete_user")
    result = run(site, delete_user, ada, "--yes")
    assert (result.exit_code, "Nothing has been deleted" in result.output) == (1, True)
    assert stored(site, User, ada)
    assert not erased


def test_account_that_exists_only_in_clerk_or_here_is_deleted_as_well(
    site: Flask, clerk: RunningClerk, ada: str, erased: list[str]
) -> None:
    with site.app_context():
        transact(lambda session: apply_user(session, {"id": "user_here", "updated_at": 1}))
    assert run(site, delete_user, "user_here", "--yes").exit_code == 0
    grace = clerk.create_user("grace@example.com").id
    assert "no row in this database" in run(site, delete_user, grace, "--yes").output
    with site.app_context():
        assert is_deleted(db.session, grace)
        assert is_deleted(db.session, "user_here")
    assert erased == ["user_here", grace]
    assert run(site, export_user, "unknown@example.com").exit_code == 1
    result = run(site, delete_user, "user_unknown", "--yes")
    assert (result.exit_code, "No account in Clerk or in this database" in result.output) == (1, True)


def test_failing_hook_stops_the_deletion(
    site: Flask, clerk: RunningClerk, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(session: object, user_id: str) -> None:
        raise LookupError("there are open invoices")

    monkeypatch.setattr(clerk_sync_of(site), "erase", fail)
    with site.app_context(), pytest.raises(LookupError):
        transact(lambda session: delete_record(session, User, ada))
    assert stored(site, User, ada)
    assert stored(site, Tombstone, ada) is None


def test_export_has_all_data(site: Flask, ada: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clerk_sync_of(site), "export", lambda session, id: {"notes": ["ü", datetime.max]})
    exported = json.loads(run(site, export_user, "ada@example.com").stdout)
    assert exported["user_id"] == ada
    assert exported["clerk"]["user"]["first_name"] == "Ada"
    assert exported["clerk"]["organization_memberships"][0]["organization"]["name"] == "Acme"
    assert exported["app"]["user"]["email"] == "ada@example.com"
    assert len(exported["app"]["memberships"]) == 1
    assert exported["app"]["notes"][0] == "ü"

    path = tmp_path / "ada.json"
    assert run(site, export_user, ada, "--output", str(path)).exit_code == 0
    assert json.loads(path.read_text(encoding="utf-8"))["app"] == exported["app"]
    assert path.stat().st_mode & 0o777 == 0o600
    result = run(site, export_user, ada, "--output", str(path))
    assert (result.exit_code, "name of a new file" in result.output) == (1, True)


def test_export_without_clerk(site: Flask, ada: str, monkeypatch: pytest.MonkeyPatch) -> None:
    break_clerk(monkeypatch, "user", "page")
    assert run(site, export_user, ada).exit_code == 1
    exported = json.loads(run(site, export_user, ada, "--local").stdout)
    assert exported["app"]["user"]["id"] == ada
    assert "clerk" not in exported


def test_old_deliveries_are_deleted(site: Flask) -> None:
    now = datetime.now(UTC)
    ages = {"old": 31, "new": 29}
    with site.app_context():
        for name, days in ages.items():
            at = now - timedelta(days=days)
            common = {"type": "user.updated", "outcome": "applied", "received_at": at}
            db.session.add(WebhookDelivery(id=name, signal_handled_at=at, **common))
            db.session.add(WebhookDelivery(id=f"{name}, waiting", **common))
        db.session.commit()
    assert run(site, prune_events, "--older-than", "1").exit_code == 2
    assert "Deleted 1 deliveries." in run(site, prune_events).output
    with site.app_context():
        left = set(db.session.scalars(sa.select(WebhookDelivery.id)))
    assert left == {"old, waiting", "new", "new, waiting"}
