"""Clerk's webhooks keep users, organizations and memberships up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask
from flask.testing import FlaskClient

from app.accounts import Organization, User
from app.database import db

if TYPE_CHECKING:
    from clerk_emulator.testing import RunningClerk
    from clerk_emulator.testing import User as ClerkUser


def stored(app: Flask, user_id: str) -> User | None:
    """Return a user's row as the database has it now."""
    with app.app_context():
        return db.session.get(User, user_id)


def test_rows_of_users_and_organizations_are_created(
    site: Flask, visitor: FlaskClient, clerk: RunningClerk, ada: ClerkUser
) -> None:
    acme = clerk.create_organization("Acme", created_by=ada)
    clerk.deliver_webhooks(visitor)
    with site.app_context():
        user = db.session.get_one(User, ada.id)
        assert (user.email, user.first_name, user.banned) == ("ada@example.com", "Ada", False)
        organization = db.session.get_one(Organization, acme.id)
        assert organization.name == "Acme"
        assert [(m.user_id, m.role) for m in organization.memberships] == [(ada.id, "org:admin")]


def test_rows_are_updated(
    site: Flask, visitor: FlaskClient, clerk: RunningClerk, ada: ClerkUser
) -> None:
    clerk.deliver_webhooks(visitor)
    clerk.update_user(ada, first_name="Augusta")
    clerk.deliver_webhooks(visitor)
    user = stored(site, ada.id)
    assert user
    assert user.first_name == "Augusta"


def test_rows_are_deleted(
    site: Flask, visitor: FlaskClient, clerk: RunningClerk, ada: ClerkUser
) -> None:
    clerk.deliver_webhooks(visitor)
    clerk.delete_user(ada)
    clerk.deliver_webhooks(visitor)
    assert stored(site, ada.id) is None


def test_an_unsigned_delivery_is_refused(app: Flask, client: FlaskClient) -> None:
    event = {"type": "user.created", "data": {"id": "user_ada"}}
    assert client.post("/webhooks/clerk", json=event).status_code == 400
    assert stored(app, "user_ada") is None
