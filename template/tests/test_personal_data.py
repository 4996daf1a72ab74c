"""Personal data is erased and exported: when the hooks are called."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.accounts import User
from app.clerk_sync import clerk_sync_of
from app.commands import clerk as clerk_commands
from app.database import db

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


def test_export_user_includes_what_the_hook_returns(
    site: Flask, ada: ClerkUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: dict[str, Any] = {"notes": ["Grüße"]}
    monkeypatch.setattr(clerk_sync_of(site), "export", lambda session, user_id: notes)
    result = site.test_cli_runner().invoke(clerk_commands, ["export-user", "ada@example.com"])
    exported = json.loads(result.stdout)
    assert exported["user_id"] == ada.id
    assert exported["clerk"]["user"]["first_name"] == "Ada"
    assert exported["app"]["user"]["email"] == "ada@example.com"
    assert exported["app"]["notes"] == ["Grüße"]
