"""Clerk's webhooks keep users, organizations and memberships up to date."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.accounts import Organization, User
from app.database import Base, db

if TYPE_CHECKING:
    from clerk_emulator.testing import RunningClerk
    from clerk_emulator.testing import User as ClerkUser

M = TypeVar("M", bound=Base)

ADA = {"id": "user_ada", "first_name": "Ada", "updated_at": 1_700_000_000_000}
DELETED = {"id": "user_ada", "object": "user", "deleted": True}


def stored(app: Flask, model: type[M], id: str) -> M | None:
    """Return a row as the database has it now."""
    with app.app_context():
        return db.session.get(model, id)


def deliver(
    client: FlaskClient,
    type: str,
    data: dict[str, Any],
    *,
    id: str = "msg_1",
    secret: bytes = b"",
    age: int = 0,
) -> int:
    """Send an event as Clerk does, and return the status of the response.

    Source: https://docs.svix.com/receiving/verifying-payloads/how-manual

    :param id: of the delivery; Clerk sends the same one when it retries.
    :param secret: signs the delivery; by default, the app's.
    :param age: seconds since the delivery was signed.
    """
    body = json.dumps({"type": type, "object": "event", "data": data})
    sent = int(time.time()) - age
    [own] = client.application.config["SETTINGS"].webhook_secrets or [b"none"]
    mac = hmac.new(secret or own, f"{id}.{sent}.{body}".encode(), hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(mac).decode()}"
    headers = {"svix-id": id, "svix-timestamp": str(sent), "svix-signature": signature}
    return client.post("/webhooks/clerk", data=body, headers=headers).status_code


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
    user = stored(site, User, ada.id)
    assert user
    assert user.first_name == "Augusta"


def test_rows_are_deleted(
    site: Flask, visitor: FlaskClient, clerk: RunningClerk, ada: ClerkUser
) -> None:
    clerk.deliver_webhooks(visitor)
    clerk.delete_user(ada)
    clerk.deliver_webhooks(visitor)
    assert stored(site, User, ada.id) is None


def test_with_soft_deletion_the_row_stays(environ: dict[str, str]) -> None:
    app = create_app(environ | {"CLERK_DELETIONS": "soft"})
    client = app.test_client()
    deliver(client, "user.created", ADA)
    deliver(client, "user.deleted", DELETED, id="msg_2")
    user = stored(app, User, "user_ada")
    assert user
    assert user.deleted_at


def test_an_older_event_changes_nothing(app: Flask, client: FlaskClient) -> None:
    older = ADA | {"first_name": "Wrong", "updated_at": 1_600_000_000_000}
    assert deliver(client, "user.updated", ADA) == 200
    assert deliver(client, "user.updated", older, id="msg_2") == 200
    user = stored(app, User, "user_ada")
    assert user
    assert user.first_name == "Ada"


def test_a_deleted_user_does_not_come_back(app: Flask, client: FlaskClient) -> None:
    assert deliver(client, "user.deleted", DELETED) == 200
    assert deliver(client, "user.created", ADA, id="msg_2") == 200
    assert stored(app, User, "user_ada") is None


def test_an_event_of_another_type_is_accepted(client: FlaskClient) -> None:
    assert deliver(client, "email.created", {"id": "ema_1"}) == 200


@pytest.mark.parametrize("forgery", [{"secret": b"another secret"}, {"age": 600}, {"age": -600}])
def test_a_forged_or_replayed_delivery_is_refused(
    app: Flask, client: FlaskClient, forgery: dict[str, Any]
) -> None:
    assert deliver(client, "user.created", ADA, **forgery) == 400
    assert stored(app, User, "user_ada") is None


def test_an_unsigned_delivery_is_refused(client: FlaskClient) -> None:
    answer = client.post("/webhooks/clerk", json={"type": "user.created", "data": ADA})
    assert answer.status_code == 400


def test_without_a_signing_secret_clerk_is_asked_to_retry(environ: dict[str, str]) -> None:
    client = create_app(environ | {"CLERK_WEBHOOK_SIGNING_SECRET": ""}).test_client()
    assert deliver(client, "user.created", ADA) == 503
