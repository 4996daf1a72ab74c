"""After a person's account has been deleted, no column and no byte of the database is about them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.accounts.models import User
from app.clerk_sync.signals import event_signal
from app.commands.people import delete_user
from app.database import Base, db
from tests.app_fixtures import ON_BOTH_DATABASES
from tests.local_server import LocalServer

from .deliveries import ACME, deleted, deliver, event, membership, stored

pytestmark = ON_BOTH_DATABASES

TRACES = ("grace@example.com", "Graciela", "Hopperstein", "+15550106", "gracehopper", "secret-code-9")
"""What identifies the person, or what was sent to them."""

EMAIL, FIRST, LAST, PHONE, USERNAME, CODE = TRACES

GRACE: dict[str, Any] = {
    "id": "user_grace",
    "first_name": FIRST,
    "last_name": LAST,
    "username": USERNAME,
    "image_url": f"https://img.example.com/{USERNAME}",
    "primary_email_address_id": "idn_1",
    "email_addresses": [{"id": "idn_1", "email_address": EMAIL}],
    "primary_phone_number_id": "idn_2",
    "phone_numbers": [{"id": "idn_2", "phone_number": PHONE}],
    "created_at": 1_690_000_000_000,
    "updated_at": 1_700_000_000_000,
}

# Every type of event at https://clerk.com/docs/guides/development/webhooks/overview, and future ones.
TYPES = [
    f"{kind}.{change}"
    for kind, changes in {
        "email": "created",
        "organization": "created updated",
        "organizationDomain": "created updated deleted",
        "organizationInvitation": "created accepted revoked",
        "organizationMembership": "created updated deleted",
        "paymentAttempt": "created updated",
        "permission": "created updated deleted",
        "role": "created updated deleted",
        "session": "created pending ended removed revoked",
        "sms": "created",
        "subscription": "created updated active pastDue",
        "subscriptionItem": "abandoned active canceled ended freeTrialEnding incomplete pastDue upcoming "
        "updated",
        "user": "created updated",
        "waitlistEntry": "created updated",
        "telegram": "sent",
    }.items()
    for change in changes.split()
]


def data_of(type: str) -> dict[str, Any]:
    """An object of this type that is full of the person's data."""
    kind = type.partition(".")[0]
    if kind == "user":
        return GRACE
    if kind == "organization":
        return ACME | {"created_by": GRACE["id"], "public_metadata": {"contact": TRACES}}
    if kind == "organizationMembership":
        public = {name: GRACE[name] for name in ("first_name", "last_name", "image_url")}
        held = membership(user=GRACE)
        return held | {"public_user_data": {**public, "user_id": GRACE["id"], "identifier": EMAIL}}
    return {
        "id": f"{kind}_1",
        "user_id": GRACE["id"],
        "to_email_address": EMAIL,
        "body": TRACES,
        "user": GRACE,
    }


def found(app: Flask) -> set[str]:
    """The traces in any column of any table."""
    with app.app_context(), db.engine.connect() as connection:
        rows = [
            row for table in Base.metadata.tables.values() for row in connection.execute(sa.select(table))
        ]
    return {trace for trace in TRACES if trace in str(rows)}


def found_in_files(app: Flask, folder: Path) -> set[str]:
    """The traces in the files of an SQLite database whose app has been stopped."""
    with app.app_context():
        db.engine.dispose()
    content = b"".join(file.read_bytes() for file in folder.iterdir() if file.is_file())
    return {trace for trace in TRACES if trace.encode() in content}


@contextmanager
def receivers() -> Iterator[None]:
    """A receiver for every event, so that each is recorded."""

    def hear(app: Flask, data: dict[str, Any], event: object) -> None:
        """Do nothing."""

    for type in (*TYPES, "user.deleted"):
        event_signal(type).connect(hear)
    try:
        yield
    finally:
        for type in (*TYPES, "user.deleted"):
            event_signal(type).disconnect(hear)


@pytest.mark.parametrize("has_receivers", [False, True])
@pytest.mark.parametrize("order", ["as it happened", "deletion first", "twice"])
def test_nothing_is_left_of_a_deleted_account(
    app: Flask, client: FlaskClient, tmp_path: Path, has_receivers: bool, order: str
) -> None:
    events = [event(type, data_of(type)) for type in TYPES]
    last = deleted("user", GRACE["id"])
    orders = {
        "as it happened": [*events, last],
        "deletion first": [last, *events],
        "twice": [*events, last] * 2,
    }
    if has_receivers:
        with receivers():
            answers = [deliver(client, one).status_code for one in orders[order]]
    else:
        answers = [deliver(client, one).status_code for one in orders[order]]
    assert set(answers) == {200}
    assert stored(app, User, GRACE["id"]) is None
    assert found(app) == set()
    assert found_in_files(app, tmp_path) == set()


def test_the_search_finds_what_is_there(
    app: Flask, client: FlaskClient, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    deliver(client, event("user.created", GRACE))
    kept = set(TRACES) - {CODE}
    assert found(app) == kept
    if "sqlite" in request.node.name:
        assert found_in_files(app, tmp_path) == kept


def test_delete_user_leaves_nothing(
    app: Flask, client: FlaskClient, backend: LocalServer, tmp_path: Path
) -> None:
    backend.answers[f"GET /v1/users/{GRACE['id']}"] = (200, GRACE)
    backend.answers["GET /v1/users"] = (200, [GRACE])
    backend.answers[f"DELETE /v1/users/{GRACE['id']}"] = (200, {"deleted": True})
    for type in TYPES:
        deliver(client, event(type, data_of(type)))
    done = app.test_cli_runner().invoke(delete_user, [EMAIL, "--yes"])
    assert done.exit_code == 0, done.output
    assert found(app) == set()
    assert found_in_files(app, tmp_path) == set()


def test_events_that_concern_nothing_here_leave_no_rows(app: Flask, client: FlaskClient) -> None:
    """Strangers cause them by asking Clerk for codes, so they could fill the database."""
    for type in ("email.created", "sms.created", "session.created", "waitlistEntry.created", "telegram.sent"):
        for _ in range(5):
            assert deliver(client, event(type, data_of(type))).status_code == 200
    with app.app_context(), db.engine.connect() as connection:
        rows = {
            name: connection.scalar(sa.select(sa.func.count()).select_from(table))
            for name, table in Base.metadata.tables.items()
        }
    assert set(rows.values()) == {0}
