"""In whatever order events arrive, and however often, the tables end up equal to Clerk's data."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.accounts.models import Membership, Organization, User
from app.clerk.webhooks import WebhookEvent
from app.clerk_sync.deliveries import receive_delivery
from app.database import Base, db
from app.transactions import transact
from tests.app_fixtures import ALICE, ON_BOTH_DATABASES

from .deliveries import ACME, Event, deleted, event, membership

pytestmark = ON_BOTH_DATABASES

START = 1_700_000_000_000
PEOPLE = ("user_1", "user_2")
ORGANIZATIONS = ("org_1", "org_2")

Json = dict[str, Any]


class Clerk:
    """Clerk's data, and the events about it."""

    def __init__(self) -> None:
        self.now = START
        self.events: list[Event] = []
        self.users: dict[str, Json] = {}
        self.organizations: dict[str, Json] = {}
        self.memberships: dict[str, Json] = {}

    def happens(self, choice: random.Random) -> None:
        """Make a random change that is possible now."""
        self.now += choice.randint(1, 5)
        user_id, organization_id = choice.choice(PEOPLE), choice.choice(ORGANIZATIONS)
        if choice.random() < 0.5:
            self._change_membership(choice, user_id, organization_id)
        elif choice.random() < 0.5:
            self._change_record(choice, "user", self.users, {**ALICE, "id": user_id})
        else:
            new = {**ACME, "id": organization_id}
            self._change_record(choice, "organization", self.organizations, new)

    def _change_record(self, choice: random.Random, kind: str, held: dict[str, Json], new: Json) -> None:
        id, name = new["id"], "first_name" if kind == "user" else "name"
        if any(past.data["id"] == id and past.type == f"{kind}.deleted" for past in self.events):
            return
        if id not in held:
            held[id] = new | {"created_at": self.now, "updated_at": self.now}
            self.events.append(event(f"{kind}.created", held[id]))
        elif choice.random() < 0.8:
            held[id] = held[id] | {name: f"name {self.now}", "updated_at": self.now}
            self.events.append(event(f"{kind}.updated", held[id]))
        else:
            del held[id]
            self.events.append(deleted(kind, id))
            self._end_all(id)

    def _change_membership(self, choice: random.Random, user_id: str, organization_id: str) -> None:
        user, organization = self.users.get(user_id), self.organizations.get(organization_id)
        if not user or not organization:
            return
        current = [
            held
            for held in self.memberships.values()
            if held["public_user_data"]["user_id"] == user_id
            and held["organization"]["id"] == organization_id
        ]
        if current and choice.random() < 0.5:
            self._end(current[0]["id"])
            return
        kind = "updated" if current else "created"
        id = current[0]["id"] if current else f"orgmem_{self.now}"
        self.memberships[id] = membership(
            id,
            user=user,
            organization=organization,
            role=f"org:role_{self.now}",
            created_at=current[0]["created_at"] if current else self.now,
            updated_at=self.now,
        )
        self.events.append(event(f"organizationMembership.{kind}", self.memberships[id]))

    def _end_all(self, id: str) -> None:
        for held in list(self.memberships.values()):
            if id in (held["public_user_data"]["user_id"], held["organization"]["id"]):
                self._end(held["id"])

    def _end(self, id: str) -> None:
        del self.memberships[id]
        self.events.append(deleted("organizationMembership", id))

    def truth(self) -> dict[str, set[tuple[Any, ...]]]:
        """The rows that our tables should have."""
        return {
            "users": {(u["id"], u["first_name"], u["updated_at"]) for u in self.users.values()},
            "organizations": {(o["id"], o["name"], o["updated_at"]) for o in self.organizations.values()},
            "memberships": {
                (m["id"], m["public_user_data"]["user_id"], m["organization"]["id"], m["role"])
                for m in self.memberships.values()
            },
        }


def rows(app: Flask) -> dict[str, set[tuple[Any, ...]]]:
    """The rows that our tables have, without those marked as deleted."""
    columns: dict[type[User] | type[Organization] | type[Membership], Any] = {
        User: (User.id, User.first_name, User.clerk_updated_at),
        Organization: (Organization.id, Organization.name, Organization.clerk_updated_at),
        Membership: (
            Membership.id,
            Membership.user_id,
            Membership.organization_id,
            Membership.role,
        ),
    }
    with app.app_context():
        return {
            model.__tablename__: {
                tuple(row) for row in db.session.execute(sa.select(*wanted).where(model.deleted_at.is_(None)))
            }
            for model, wanted in columns.items()
        }


def forget_everything(app: Flask) -> None:
    """Empty all tables."""
    with app.app_context(), db.sessionmaker.begin() as session:
        for table in reversed(Base.metadata.sorted_tables):
            session.execute(table.delete())


def apply(app: Flask, event: Event) -> None:
    """Deliver an event, without HTTP."""
    with app.app_context():
        receive_delivery(WebhookEvent(event.id, event.type, event.data))


def history(choice: random.Random, length: int) -> tuple[Clerk, list[Event]]:
    """A random history, and its events in random order, each one to three times."""
    clerk = Clerk()
    for _ in range(length):
        clerk.happens(choice)
    arriving = [past for past in clerk.events for _ in range(choice.randint(1, 3))]
    choice.shuffle(arriving)
    return clerk, arriving


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(choice=st.randoms(use_true_random=False), length=st.integers(1, 25))
def test_events_in_any_order_lead_to_the_same_rows(app: Flask, choice: random.Random, length: int) -> None:
    forget_everything(app)
    clerk, arriving = history(choice, length)
    for one in arriving:
        apply(app, one)
    assert rows(app) == clerk.truth()


@pytest.mark.parametrize("seed", range(3))
def test_many_events_at_once_lead_to_the_same_rows(app: Flask, seed: int) -> None:
    clerk, arriving = history(random.Random(seed), 60)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda one: apply(app, one), arriving))
    assert rows(app) == clerk.truth()


def test_failed_transaction_changes_nothing(app: Flask) -> None:
    created = event("user.created", ALICE)
    with app.app_context():
        with pytest.raises(ZeroDivisionError):
            transact(lambda session: session.execute(sa.delete(User)) and 1 / 0)
        receive_delivery(WebhookEvent(created.id, created.type, created.data))
        with pytest.raises(ZeroDivisionError):
            transact(lambda session: session.execute(sa.delete(User)) and 1 / 0)
        assert db.session.get(User, ALICE["id"])
