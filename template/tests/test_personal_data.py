"""Personal data is erased and exported: the hooks, and the commands that call them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.accounts import User
from app.clerk import BackendApi, BackendApiError
from app.clerk_sync import clerk_sync_of
from app.database import db
from tests.conftest import flask_clerk

if TYPE_CHECKING:
    from clerk_emulator.testing import RunningClerk
    from clerk_emulator.testing import User as ClerkUser


@pytest.fixture
def erased(site: Flask, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The IDs that the hook was asked to erase."""
    ids: list[str] = []
    monkeypatch.setattr(clerk_sync_of(site), "erase", lambda session, user_id: ids.append(user_id))
    return ids


@pytest.fixture(autouse=True)
def _row(visitor: FlaskClient, clerk: RunningClerk, ada: ClerkUser) -> None:
    """Create Ada's row."""
    clerk.deliver_webhooks(visitor)


def has_row(site: Flask, user: ClerkUser) -> bool:
    """Return whether a user has a row."""
    with site.app_context():
        return db.session.get(User, user.id) is not None


def test_the_hook_is_called_when_an_account_is_deleted_in_clerk(
    site: Flask, visitor: FlaskClient, clerk: RunningClerk, ada: ClerkUser, erased: list[str]
) -> None:
    clerk.delete_user(ada)
    clerk.deliver_webhooks(visitor)
    assert erased == [ada.id]


def test_nothing_is_deleted_when_the_hook_fails(
    site: Flask,
    visitor: FlaskClient,
    clerk: RunningClerk,
    ada: ClerkUser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(session: object, user_id: str) -> None:
        raise LookupError("an invoice is still open")

    monkeypatch.setattr(clerk_sync_of(site), "erase", fail)
    clerk.delete_user(ada)
    with pytest.raises(LookupError):
        clerk.deliver_webhooks(visitor)
    assert has_row(site, ada)


@pytest.mark.parametrize("email", [True, False])
def test_delete_user_deletes_the_account_and_the_row(
    site: Flask, clerk: RunningClerk, ada: ClerkUser, erased: list[str], email: bool
) -> None:
    result = flask_clerk(site, "delete-user", "Ada@example.com" if email else ada.id, "--yes")
    assert result.exit_code == 0, result.output
    assert not has_row(site, ada)
    assert erased == [ada.id]
    assert clerk.users() == []


def test_delete_user_asks_first(site: Flask, ada: ClerkUser, erased: list[str]) -> None:
    assert flask_clerk(site, "delete-user", ada.id, answer="n\n").exit_code == 1
    assert has_row(site, ada)
    assert not erased


def test_delete_user_changes_nothing_when_clerk_refuses(
    site: Flask, ada: ClerkUser, erased: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(api: BackendApi, user_id: str) -> None:
        raise BackendApiError(503, "unavailable", "Clerk is down")

    monkeypatch.setattr(BackendApi, "delete_user", refuse)
    assert flask_clerk(site, "delete-user", ada.id, "--yes").exit_code == 1
    assert has_row(site, ada)
    assert not erased


def test_export_user_includes_what_the_hook_returns(
    site: Flask, ada: ClerkUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: dict[str, Any] = {"notes": ["Grüße"]}
    monkeypatch.setattr(clerk_sync_of(site), "export", lambda session, user_id: notes)
    exported = json.loads(flask_clerk(site, "export-user", "ada@example.com").stdout)
    assert exported["user_id"] == ada.id
    assert exported["clerk"]["user"]["first_name"] == "Ada"
    assert exported["app"]["user"]["email"] == "ada@example.com"
    assert exported["app"]["notes"] == ["Grüße"]


def test_export_user_writes_a_file_that_only_its_owner_can_read(
    site: Flask, ada: ClerkUser, tmp_path: Path
) -> None:
    path = tmp_path / "ada.json"
    assert flask_clerk(site, "export-user", ada.id, "--output", str(path)).exit_code == 0
    assert path.stat().st_mode & 0o777 == 0o600
    assert flask_clerk(site, "export-user", ada.id, "--output", str(path)).exit_code == 1


def test_an_unknown_user_is_an_error(site: Flask, erased: list[str]) -> None:
    assert flask_clerk(site, "delete-user", "user_unknown", "--yes").exit_code == 1
    assert flask_clerk(site, "export-user", "unknown@example.com").exit_code == 1
