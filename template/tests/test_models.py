"""Users, organizations and memberships as rows of this app."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from flask_login import current_user

from app.accounts import Membership, Organization, User
from app.clerk import session_required
from app.database import db

if TYPE_CHECKING:
    from clerk_emulator.testing import User as ClerkUser


@pytest.fixture
def acme(app: Flask) -> Flask:
    """The app with two users, Ada and Bob, who belong to the organization Acme."""
    with app.app_context():
        db.session.add(Organization(id="org_acme", name="Acme", slug="acme"))
        for name in ("ada", "bob"):
            db.session.add(User(id=f"user_{name}", first_name=name.capitalize()))
        db.session.flush()
        for name, role in (("ada", "org:admin"), ("bob", "org:member")):
            ids = {"organization_id": "org_acme", "user_id": f"user_{name}"}
            db.session.add(Membership(id=f"orgmem_{name}", role=role, **ids))
        db.session.commit()
    return app


def test_a_user_has_organizations(acme: Flask) -> None:
    with acme.app_context():
        ada = db.session.get_one(User, "user_ada")
        assert [organization.name for organization in ada.organizations] == ["Acme"]
        assert [membership.role for membership in ada.memberships] == ["org:admin"]


def test_an_organization_has_members(acme: Flask) -> None:
    with acme.app_context():
        organization = db.session.get_one(Organization, "org_acme")
        assert {user.name for user in organization.members} == {"Ada", "Bob"}
        assert {m.user.name: m.role for m in organization.memberships} == {
            "Ada": "org:admin",
            "Bob": "org:member",
        }


def test_a_membership_marked_as_deleted_gives_access_to_nothing(acme: Flask) -> None:
    with acme.app_context():
        db.session.get_one(Membership, "orgmem_ada").deleted_at = datetime.now(UTC)
        db.session.commit()
        ada = db.session.get_one(User, "user_ada")
        organization = db.session.get_one(Organization, "org_acme")
        assert not ada.memberships
        assert not ada.organizations
        assert [user.name for user in organization.members] == ["Bob"]
        assert [membership.user.name for membership in organization.memberships] == ["Bob"]


@pytest.mark.parametrize(("model", "id"), [(User, "user_ada"), (Organization, "org_acme")])
def test_memberships_are_deleted_with_what_they_belong_to(
    acme: Flask, model: type[User | Organization], id: str
) -> None:
    with acme.app_context():
        db.session.execute(sa.delete(model).where(model.id == id))
        assert db.session.get(Membership, "orgmem_ada") is None


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ({"first_name": "Ada", "last_name": "Lovelace", "username": "ada"}, "Ada Lovelace"),
        ({"last_name": "Lovelace"}, "Lovelace"),
        ({"username": "ada", "email": "ada@example.com"}, "ada"),
        ({"email": "ada@example.com"}, "ada@example.com"),
        ({}, "you"),
    ],
)
def test_a_user_always_has_a_name(columns: dict[str, str], name: str) -> None:
    assert User(id="user_1", **columns).name == name


def test_a_row_is_created_when_a_view_needs_it(
    site: Flask, signed_in: FlaskClient, ada: ClerkUser
) -> None:
    site.add_url_rule("/address", view_func=session_required(lambda: current_user.email))
    assert signed_in.get("/address").text == "ada@example.com"
    with site.app_context():
        assert db.session.get_one(User, ada.id).first_name == "Ada"


def test_times_keep_their_time_zone(acme: Flask) -> None:
    with acme.app_context():
        created = db.session.get_one(User, "user_ada").created_at
        assert created.utcoffset() == timedelta(0)
        assert abs(datetime.now(UTC) - created) < timedelta(minutes=1)
