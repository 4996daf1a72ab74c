"""The route that receives Clerk's webhooks."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.accounts.models import User
from tests.app_fixtures import ALICE, ON_BOTH_DATABASES
from tests.data.deliveries import deleted, deliver, deliver_body, event, stored
from tests.protocol.test_webhooks import SECRET, sign

pytestmark = ON_BOTH_DATABASES

CREATED = event("user.created", ALICE)


def test_user_is_created_updated_and_deleted(app: Flask, client: FlaskClient) -> None:
    assert deliver(client, CREATED).status_code == 200
    assert stored(app, User, ALICE["id"])
    newer = {**ALICE, "first_name": "Alicia", "updated_at": ALICE["updated_at"] + 1}
    deliver(client, event("user.updated", newer))
    user = stored(app, User, ALICE["id"])
    assert user
    assert user.first_name == "Alicia"
    deliver(client, deleted("user", ALICE["id"]))
    assert stored(app, User, ALICE["id"]) is None


def test_deletion_of_an_unknown_user_is_accepted(client: FlaskClient) -> None:
    assert deliver(client, deleted("user", "user_9")).status_code == 200


@pytest.mark.parametrize("data", [{}, {"id": None}, {"id": 5}, {"id": ""}])
def test_events_without_an_id_change_nothing(client: FlaskClient, data: dict[str, Any]) -> None:
    assert deliver(client, event("user.created", data)).status_code == 200


def test_unknown_event_is_accepted(client: FlaskClient) -> None:
    assert deliver(client, event("session.created", {"id": "sess_1"})).status_code == 200


@pytest.mark.parametrize(
    ("secret", "age", "hint"),
    [(b"guessed", 0, "CLERK_WEBHOOK_SIGNING_SECRET"), (None, 600, "clock"), (None, -600, "clock")],
)
def test_forged_or_replayed_delivery_is_rejected(
    app: Flask, client: FlaskClient, secret: bytes | None, age: int, hint: str
) -> None:
    body = json.dumps({"type": "user.created", "data": ALICE}).encode()
    headers = sign(body, secret=secret or SECRET, at=int(time.time()) - age)
    response = client.post("/webhooks/clerk", data=body, headers=headers)
    assert response.status_code == 400
    assert hint in response.text
    assert stored(app, User, ALICE["id"]) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b'{"type": "user.created"}',
        b'{"type": 5, "data": {}}',
        b'{"type": "user.created", "data": []}',
        b'{"type": "user.created", "data": {"id": "user_1", "updated_at": NaN}}',
        b"[" * 100_000,
    ],
)
def test_malformed_body_is_rejected(client: FlaskClient, body: bytes) -> None:
    response = deliver_body(client, body)
    assert response.status_code == 400
    assert response.get_json()["error"] == "expected a JSON object with type and data"


@pytest.mark.parametrize("number", ["1e999", "-0", "1E-400", "9" * 4000])
def test_odd_numbers_are_accepted(app: Flask, client: FlaskClient, number: str) -> None:
    for kind in ("user.created", "weather.changed"):
        data = f'{{"id": "user_1", "updated_at": {number}}}'
        body = f'{{"type": "{kind}", "data": {data}}}'.encode()
        assert deliver_body(client, body).status_code == 200
    assert stored(app, User, "user_1")


@pytest.mark.parametrize("id", ["msg 1", "msg_\u00e9", "m" * 256])
def test_unusable_delivery_id_is_rejected(client: FlaskClient, id: str) -> None:
    assert deliver_body(client, b'{"type": "x", "data": {}}', id).status_code == 400


def test_missing_secret_is_answered_with_503(environ: dict[str, str]) -> None:
    from app import create_app

    client = create_app(environ | {"CLERK_WEBHOOK_SIGNING_SECRET": ""}).test_client()
    assert deliver(client, CREATED).status_code == 503


def test_too_large_body_is_rejected(client: FlaskClient) -> None:
    assert client.post("/webhooks/clerk", data=b"x" * (2 * 1024 * 1024)).status_code == 413
