"""Our rows, whatever events arrive and in whatever order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.accounts.models import Membership, Organization, User
from app.clerk_sync.signals import event_signal
from app.clerk_sync.tables import Tombstone, WebhookDelivery
from app.database import db
from tests.app_fixtures import ALICE, ON_BOTH_DATABASES

from .deliveries import ACME, deleted, deliver, event, membership, stored

pytestmark = ON_BOTH_DATABASES

BOB: dict[str, Any] = {**ALICE, "id": "user_bob", "first_name": "Bob"}
JOINED = event("organizationMembership.created", membership())


def newer(data: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A later version of the same object."""
    return {**data, **changes, "updated_at": data["updated_at"] + 1000}


def outcome(app: Flask, id: str) -> str | None:
    """The recorded outcome of a delivery."""
    noted = stored(app, WebhookDelivery, id)
    return noted.outcome if noted else None


def test_all_columns_of_a_user(app: Flask, client: FlaskClient) -> None:
    data = {
        **ALICE,
        "username": "alice",
        "primary_phone_number_id": "idn_2",
        "phone_numbers": [{"id": "idn_2", "phone_number": "+15555550100"}],
        "banned": True,
        "created_at": 1_600_000_000_123,
    }
    deliver(client, event("user.created", data))
    user = stored(app, User, ALICE["id"])
    assert user
    assert (user.email, user.username, user.phone_number) == (
        "alice@example.com",
        "alice",
        "+15555550100",
    )
    assert (user.banned, user.locked, user.deleted_at) == (True, False, None)
    assert user.created_at.isoformat() == "2020-09-13T12:26:40.123000+00:00"


def test_membership_may_arrive_first(app: Flask, client: FlaskClient) -> None:
    assert deliver(client, JOINED).status_code == 200
    with app.app_context():
        row = db.session.get_one(Membership, "orgmem_1")
        assert (row.user.name, row.user.email) == ("Alice Example", "seen@example.com")
        assert (row.organization.name, row.role) == ("Acme", "org:member")
        assert (row.user.clerk_updated_at, row.organization.clerk_updated_at) == (0, 0)
    deliver(client, event("user.created", ALICE))
    deliver(client, event("organization.created", ACME))
    user = stored(app, User, ALICE["id"])
    organization = stored(app, Organization, "org_acme")
    assert user
    assert organization
    assert (user.email, user.clerk_updated_at) == ("alice@example.com", ALICE["updated_at"])
    assert organization.clerk_updated_at == ACME["updated_at"]


def test_partial_record_changes_no_complete_row(app: Flask, client: FlaskClient) -> None:
    deliver(client, event("user.created", ALICE))
    deliver(client, JOINED)
    user = stored(app, User, ALICE["id"])
    assert user
    assert user.email == "alice@example.com"


@pytest.mark.parametrize(
    ("kind", "id", "late"),
    [
        ("user", ALICE["id"], [event("user.created", ALICE), event("user.updated", newer(ALICE))]),
        (
            "organization",
            ACME["id"],
            [event("organization.created", ACME), event("organization.updated", newer(ACME))],
        ),
        ("user", ALICE["id"], [JOINED]),
        ("organization", ACME["id"], [JOINED]),
        ("organizationMembership", "orgmem_1", [JOINED]),
    ],
)
def test_deleted_record_never_returns(
    app: Flask, client: FlaskClient, kind: str, id: str, late: list[Any]
) -> None:
    deliver(client, deleted(kind, id))
    for one in late:
        assert deliver(client, one).status_code == 200
        assert outcome(app, one.id) == "gone"
    with app.app_context():
        rows = [db.session.get(model, id) for model in (User, Organization, Membership)]
        assert rows == [None, None, None]
        assert db.session.get(Membership, "orgmem_1") is None
        assert db.session.get(Tombstone, id)


@pytest.mark.parametrize(("kind", "id"), [("user", ALICE["id"]), ("organization", ACME["id"])])
def test_memberships_are_deleted_with_their_user_or_organization(
    app: Flask, client: FlaskClient, kind: str, id: str
) -> None:
    deliver(client, JOINED)
    deliver(client, deleted(kind, id))
    assert stored(app, Membership, "orgmem_1") is None


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_user_who_joins_again_has_the_later_membership(
    app: Flask, client: FlaskClient, order: tuple[int, ...]
) -> None:
    again = membership("orgmem_2", role="org:admin", created_at=1_696_000_000_000)
    events = [JOINED, event("organizationMembership.created", again)]
    for number in order:
        assert deliver(client, events[number]).status_code == 200
    deliver(client, event("organizationMembership.updated", newer(JOINED.data)))
    with app.app_context():
        user = db.session.get_one(User, ALICE["id"])
        assert [row.id for row in user.memberships] == ["orgmem_2"]
    deliver(client, deleted("organizationMembership", "orgmem_1"))
    assert stored(app, Membership, "orgmem_2")


def test_soft_deletion_keeps_the_rows(environ: dict[str, str]) -> None:
    app = create_app(environ | {"CLERK_DELETIONS": "soft"})
    client = app.test_client()
    again = event("organizationMembership.created", membership("orgmem_2"))
    for one in (JOINED, deleted("organizationMembership", "orgmem_1"), again):
        assert deliver(client, one).status_code == 200
    deliver(client, event("user.created", ALICE))
    deliver(client, deleted("user", ALICE["id"]))
    deliver(client, event("user.updated", newer(ALICE)))
    user = stored(app, User, ALICE["id"])
    assert user
    assert user.deleted_at
    assert user.email == "alice@example.com"
    for id in ("orgmem_1", "orgmem_2"):
        gone = stored(app, Membership, id)
        assert gone
        assert gone.deleted_at
    with app.app_context():
        assert db.session.get_one(Organization, "org_acme").members == []


def test_relationships(app: Flask, client: FlaskClient) -> None:
    deliver(client, JOINED)
    deliver(client, event("organizationMembership.created", membership("orgmem_2", user=BOB)))
    with app.app_context():
        acme = db.session.get_one(Organization, "org_acme")
        assert {user.id for user in acme.members} == {ALICE["id"], "user_bob"}
        assert {row.user.first_name for row in acme.memberships} == {"Alice", "Bob"}
        assert db.session.get_one(User, "user_bob").organizations == [acme]


INVALID: list[dict[str, Any]] = [
    {},
    {"id": None},
    {"id": 5},
    {"id": "user_\0"},
    {"id": "x" * 65},
    {"id": "user 1"},
    {"id": "org_1", "organization": None, "public_user_data": []},
    membership(user={**ALICE, "id": "\ud800"}),
]


def test_invalid_event_is_recorded(app: Flask, client: FlaskClient) -> None:
    for data in INVALID:
        invalid = event("organizationMembership.created", data)
        assert deliver(client, invalid).status_code == 200
        assert outcome(app, invalid.id) == "invalid"


ODD: list[dict[str, Any]] = [
    {"first_name": "x" * 5000},
    {"first_name": "a\0b", "last_name": "\ud800"},
    {"first_name": {"a": 1}, "email_addresses": "none"},
    {"updated_at": 10**30, "created_at": -(10**30)},
    {"updated_at": 1.5, "created_at": "yesterday"},
    {"updated_at": True, "created_at": 10**15},
    {"updated_at": 253_402_300_800_000, "created_at": 253_402_300_799_999},
    {"banned": "yes", "phone_numbers": [None, {"id": None, "phone_number": "+1" * 99}]},
]


def test_odd_values_are_made_to_fit(app: Flask, client: FlaskClient) -> None:
    for number, odd in enumerate(ODD):
        data = {**ALICE, "id": f"user_{number}", **odd}
        assert deliver(client, event("user.created", data)).status_code == 200
        assert stored(app, User, data["id"])


def test_unknown_event_is_only_recorded_for_a_receiver(app: Flask, client: FlaskClient) -> None:
    unknown = event("weather\0.changed" + "!" * 300, {"id": "w_1", "wind": "\0"})
    assert deliver(client, unknown).status_code == 200
    assert outcome(app, unknown.id) is None

    def hear(app: Flask, data: dict[str, Any], event: object) -> None:
        assert data["id"] == "w_1"

    with event_signal(unknown.type).connected_to(hear):
        assert deliver(client, unknown).status_code == 200
    assert outcome(app, unknown.id) == "unknown"


def test_applied_event_without_a_receiver_is_settled(app: Flask, client: FlaskClient) -> None:
    created = event("user.created", ALICE)
    deliver(client, created)
    noted = stored(app, WebhookDelivery, created.id)
    assert noted
    assert noted.outcome == "applied"
    assert noted.signal_handled_at


def test_new_deliveries_delete_old_ones(app: Flask, client: FlaskClient) -> None:
    now = datetime.now(UTC)
    old, recent = now - timedelta(days=31), now - timedelta(days=29)
    common = {"type": "user.updated", "outcome": "applied"}
    with app.app_context():
        for number in range(5):
            db.session.add(
                WebhookDelivery(id=f"old {number}", received_at=old, signal_handled_at=old, **common)
            )
        db.session.add(WebhookDelivery(id="waiting", received_at=old, **common))
        db.session.add(WebhookDelivery(id="recent", received_at=recent, signal_handled_at=recent, **common))
        db.session.commit()
    left = []
    for number in range(4):
        deliver(client, event("user.created", {**ALICE, "id": f"user_{number}"}))
        with app.app_context():
            ids = db.session.scalars(sa.select(WebhookDelivery.id)).all()
        left.append(sum(id.startswith("old") for id in ids))
    assert left == [3, 1, 0, 0]
    assert {"waiting", "recent"} <= set(ids)
