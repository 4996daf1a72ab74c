"""The app that gunicorn runs in a storm, with a receiver that records each signal."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Flask

from app import create_app
from app.clerk.webhooks import WebhookEvent
from app.clerk_sync.signals import event_signal
from app.transactions import transact

AWAITED = ("user.created", "user.deleted", "organizationMembership.created")


def note(app: Flask, data: dict[str, Any], event: WebhookEvent) -> None:
    """Record a signal."""
    statement = sa.text("INSERT INTO storm_signals (delivery) VALUES (:id)")
    transact(lambda session: session.execute(statement, {"id": event.delivery_id}))


def create_noting_app() -> Flask:
    """The app, with the receiver connected."""
    for awaited in AWAITED:
        event_signal(awaited).connect(note)
    return create_app()
