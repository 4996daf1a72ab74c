"""Two apps in one process, each with models of its own: the state belongs to the app."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from app import clerk_sync
from app.accounts import models, personal_data
from app.clerk import Clerk
from app.clerk.webhooks import WebhookEvent
from app.clerk_sync import MembershipColumns, OrganizationColumns, UserColumns, clerk_sync_of
from app.clerk_sync.deliveries import receive_delivery
from app.clerk_sync.privacy import Account, export_account
from app.clerk_sync.records import delete_record
from app.database import db, init_database
from app.settings import read_settings
from app.transactions import transact
from tests.app_fixtures import ALICE, ON_BOTH_DATABASES

from .deliveries import deleted, deliver, event, membership, stored

pytestmark = ON_BOTH_DATABASES


class OtherBase(DeclarativeBase):
    """The base of another app's models."""


class Person(UserColumns, OtherBase):
    """Another app's user, with a column of its own."""

    __tablename__ = "users"
    plan: Mapped[str] = mapped_column(default="free", server_default="free")
    memberships: Mapped[list[Seat]] = relationship(viewonly=True)


class Company(OrganizationColumns, OtherBase):
    """Another app's organization."""

    __tablename__ = "organizations"


class Seat(MembershipColumns, OtherBase):
    """Another app's membership, with a table argument in addition to those of the mixin."""

    __tablename__ = "memberships"
    __table_args__ = (
        *MembershipColumns.__table_args__,
        sa.CheckConstraint("role <> 'org:banned'", name="role"),
    )


@pytest.fixture
def erased() -> list[str]:
    """The user IDs that the other app's hook was called with."""
    return []


@pytest.fixture
def other(app: Flask, environ: dict[str, str], erased: list[str]) -> Iterator[Flask]:
    """Another app, with models of its own, on the same database as ``app``."""
    with app.app_context(), db.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE users ADD plan VARCHAR NOT NULL DEFAULT 'free'")
    other = Flask("other")
    settings = read_settings(environ)
    init_database(other, settings.database_url)
    Clerk().init_app(other, settings.clerk)
    clerk_sync.init_app(
        other,
        user=Person,
        organization=Company,
        membership=Seat,
        erase=lambda session, user_id: erased.append(user_id),
        export=export_plan,
        soft_deletion=True,
        webhook_secrets=settings.webhook_secrets,
    )
    yield other
    with app.app_context(), db.engine.begin() as connection:  # which other tests use next
        connection.exec_driver_sql("ALTER TABLE users DROP COLUMN plan")


def export_plan(session: Session, user_id: str) -> dict[str, Any]:
    """What the other app's own column holds."""
    person = session.get(Person, user_id)
    return {"plan": person.plan if person else None}


def test_each_app_has_its_own_models_and_hooks(app: Flask, other: Flask) -> None:
    ours, others = clerk_sync_of(app), clerk_sync_of(other)
    assert (ours.user, ours.organization, ours.membership) == (
        models.User,
        models.Organization,
        models.Membership,
    )
    assert (ours.erase, ours.export) == (personal_data.erase, personal_data.export)
    assert (others.user, others.organization, others.membership) == (Person, Company, Seat)


def test_webhooks_write_the_other_apps_models(other: Flask) -> None:
    client = other.test_client()
    assert deliver(client, event("organizationMembership.created", membership())).status_code == 200
    assert deliver(client, event("user.created", ALICE)).status_code == 200
    with other.app_context():
        person = db.session.get_one(Person, ALICE["id"])
        assert (person.email, person.plan) == ("alice@example.com", "free")
        assert [seat.id for seat in person.memberships] == ["orgmem_1"]
        assert db.session.get_one(Company, "org_acme").name == "Acme"


def test_each_app_deletes_in_its_own_way(app: Flask, other: Flask, erased: list[str]) -> None:
    for_other = {**ALICE, "id": "user_other"}
    deliver(app.test_client(), event("user.created", ALICE))
    deliver(app.test_client(), deleted("user", ALICE["id"]))
    deliver(other.test_client(), event("user.created", for_other))
    deliver(other.test_client(), deleted("user", "user_other"))
    assert erased == ["user_other"]
    assert stored(app, models.User, ALICE["id"]) is None
    person = stored(other, Person, "user_other")
    assert person
    assert person.deleted_at


def test_the_erase_hook_is_called_in_the_transaction(other: Flask, erased: list[str]) -> None:
    """If the deletion fails after the hook, the hook's own changes are rolled back with it."""
    clerk_sync_of(other).erase = rename_and_fail
    with other.app_context():
        created = event("user.created", ALICE)
        receive_delivery(WebhookEvent(created.id, created.type, created.data))
        with pytest.raises(LookupError):
            transact(lambda session: delete_record(session, Person, ALICE["id"]))
        assert db.session.get_one(Person, ALICE["id"]).first_name == ALICE["first_name"]


def rename_and_fail(session: Session, user_id: str) -> None:
    """A hook that raises after it has changed a row."""
    session.execute(sa.update(Person).values(first_name="Erased"))
    raise LookupError("there are open invoices")


def test_the_export_hook_adds_to_the_export(other: Flask) -> None:
    deliver(other.test_client(), event("user.created", ALICE))
    with other.app_context():
        person = db.session.get_one(Person, ALICE["id"])
        exported = export_account(Account(person.id, None, person), None)
    assert exported["app"]["plan"] == "free"
    assert exported["app"]["user"]["plan"] == "free"


def test_an_app_without_models_says_what_is_missing(app: Flask) -> None:
    del app.extensions["clerk_sync"]
    with pytest.raises(RuntimeError, match=r"app\.clerk_sync\.init_app"):
        clerk_sync_of(app)
