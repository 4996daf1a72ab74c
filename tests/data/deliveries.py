"""Deliver events as Clerk does, and read the rows that result."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from itertools import count
from typing import Any, NamedTuple, TypeVar

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import DeclarativeBase
from werkzeug.test import TestResponse

from app.database import db
from tests.app_fixtures import ALICE
from tests.protocol.test_webhooks import SECRET

M = TypeVar("M", bound=DeclarativeBase)

_numbers = count(1)

ACME: dict[str, Any] = {
    "id": "org_acme",
    "name": "Acme",
    "slug": "acme",
    "image_url": "https://img.clerk.com/acme",
    "created_at": 1_690_000_000_000,
    "updated_at": 1_700_000_000_000,
}
"""An organization as the Backend API returns it."""


class Event(NamedTuple):
    """An event in Clerk. All attempts to deliver it have the same ID."""

    id: str
    type: str
    data: dict[str, Any]


def event(kind: str, data: dict[str, Any]) -> Event:
    """A new event, with a delivery ID of its own."""
    return Event(f"msg_{next(_numbers)}", kind, data)


def deleted(kind: str, id: str) -> Event:
    """A deletion event."""
    return event(f"{kind}.deleted", {"id": id, "object": kind, "deleted": True})


def membership(
    id: str = "orgmem_1",
    *,
    user: dict[str, Any] = ALICE,
    organization: dict[str, Any] = ACME,
    role: str = "org:member",
    created_at: int = 1_695_000_000_000,
    updated_at: int = 1_700_000_000_000,
) -> dict[str, Any]:
    """A membership as the Backend API returns it."""
    public = {name: user.get(name) for name in ("first_name", "last_name", "image_url")}
    return {
        "id": id,
        "role": role,
        "organization": organization,
        "public_user_data": {**public, "user_id": user["id"], "identifier": "seen@example.com"},
        "created_at": created_at,
        "updated_at": updated_at,
    }


def sign(body: bytes, id: str, at: int) -> dict[str, str]:
    """Headers as Svix sends them (https://docs.svix.com/receiving/verifying-payloads/how-manual)."""
    mac = hmac.new(SECRET, f"{id}.{at}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(mac).decode()}"
    return {"svix-id": id, "svix-timestamp": str(at), "svix-signature": signature}


def deliver(client: FlaskClient, event: Event) -> TestResponse:
    """Deliver an event, for the first time or again."""
    body = json.dumps({"type": event.type, "object": "event", "data": event.data}).encode()
    return deliver_body(client, body, event.id)


def deliver_body(client: FlaskClient, body: bytes, id: str = "") -> TestResponse:
    """Deliver any bytes, with a valid signature."""
    headers = sign(body, id or f"msg_{next(_numbers)}", int(time.time()))
    return client.post("/webhooks/clerk", data=body, headers=headers)


def stored(app: Flask, model: type[M], id: str) -> M | None:
    """The row with this ID; None if there is none."""
    with app.app_context():
        return db.session.get(model, id)
