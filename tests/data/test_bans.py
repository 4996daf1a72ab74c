"""`banned`, `locked` and `deleted_at` are true to Clerk, whatever order its events arrive in."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.accounts.models import User
from app.clerk import clerk_of
from app.clerk_sync.clerk_lists import CLERK_LISTS
from app.clerk_sync.reconciliation import reconcile
from tests.app_fixtures import ALICE, ON_BOTH_DATABASES, SignIn
from tests.local_server import LocalServer

from .deliveries import Event, deleted, deliver, event, membership, stored

pytestmark = ON_BOTH_DATABASES

FIRST = ALICE["updated_at"]


def version(number: int, **flags: object) -> dict[str, Any]:
    """Alice as Clerk knows her at a moment."""
    return ALICE | {"banned": False, "locked": False, **flags, "updated_at": FIRST + number}


CREATED = event("user.created", version(0))
BANNED = event("user.updated", version(1, banned=True))
UNBANNED = event("user.updated", version(2))
AGAIN = event("user.updated", version(3, banned=True, locked=True))
JOINED = event("organizationMembership.created", membership())


def flags(app: Flask) -> tuple[bool, bool] | None:
    """Whether Alice's row says that she is banned, and that she is locked."""
    user = stored(app, User, ALICE["id"])
    return (user.banned, user.locked) if user else None


@pytest.mark.parametrize(
    ("history", "result"),
    [
        ((CREATED, BANNED, UNBANNED, JOINED), (False, False)),
        ((CREATED, BANNED, UNBANNED, AGAIN), (True, True)),
    ],
    ids=["unbanned", "banned again"],
)
def test_the_newest_event_decides_in_any_order(
    app: Flask, client: FlaskClient, history: tuple[Event, ...], result: tuple[bool, bool]
) -> None:
    for number, order in enumerate(permutations(history)):
        deliver(client, deleted("user", f"user_{number}"))  # of others: changes nothing
        own = [event(one.type, renamed(one.data, f"user_of_{number}")) for one in order]
        for one in [*own, *own]:
            assert deliver(client, one).status_code == 200
        user = stored(app, User, f"user_of_{number}")
        assert user
        assert (user.banned, user.locked) == result, [one.type for one in order]


def renamed(data: dict[str, Any], user_id: str) -> dict[str, Any]:
    """The same object of another user."""
    if "public_user_data" not in data:
        return data | {"id": user_id}
    return membership(f"orgmem_{user_id}", user=ALICE | {"id": user_id})


def test_a_ban_ends_access_at_once_and_its_end_restores_it(client: FlaskClient, sign_in: SignIn) -> None:
    sign_in()
    for one, expected in ((CREATED, 200), (BANNED, 401), (UNBANNED, 200), (BANNED, 200), (AGAIN, 401)):
        deliver(client, event(one.type, one.data))  # BANNED arrives a second time, and late
        assert client.get("/api/me").status_code == expected


def test_a_deleted_user_stays_deleted(client: FlaskClient, sign_in: SignIn, environ: dict[str, str]) -> None:
    app = create_app(environ | {"CLERK_DELETIONS": "soft"})
    client = app.test_client()
    for one in (CREATED, deleted("user", ALICE["id"]), UNBANNED, JOINED):
        deliver(client, one)
    user = stored(app, User, ALICE["id"])
    assert user
    assert user.deleted_at


@pytest.mark.parametrize("banned", [True, False])
def test_the_first_request_reads_it_from_clerk(
    app: Flask, client: FlaskClient, sign_in: SignIn, backend: LocalServer, banned: bool
) -> None:
    backend.answers[f"GET /v1/users/{ALICE['id']}"] = (200, version(1, banned=banned))
    sign_in()
    assert client.get("/api/me").status_code == (401 if banned else 200)
    assert flags(app) == (banned, False)


@pytest.mark.parametrize("banned", [True, False])
def test_a_sync_repairs_it(app: Flask, client: FlaskClient, backend: LocalServer, banned: bool) -> None:
    deliver(client, event("user.updated", version(5, banned=not banned)))
    backend.answers["GET /v1/users"] = (200, [version(6, banned=banned)])
    with app.app_context():
        list(reconcile(clerk_of(app).api, CLERK_LISTS[0]))
    assert flags(app) == (banned, False)


def test_a_sync_that_read_an_older_list_lifts_no_ban(
    app: Flask, client: FlaskClient, backend: LocalServer
) -> None:
    deliver(client, BANNED)
    backend.answers["GET /v1/users"] = (200, [version(0)])
    with app.app_context():
        list(reconcile(clerk_of(app).api, CLERK_LISTS[0]))
    assert flags(app) == (True, False)


@pytest.mark.parametrize("odd", ["missing", None, "no", 0])
def test_an_event_that_does_not_say_lifts_no_ban(app: Flask, client: FlaskClient, odd: object) -> None:
    deliver(client, BANNED)
    data = version(2, banned=odd)
    if odd == "missing":
        del data["banned"]
    assert deliver(client, event("user.updated", data)).status_code == 200
    assert flags(app) == (True, False)
