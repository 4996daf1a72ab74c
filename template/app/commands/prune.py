"""``flask clerk prune-events``: delete old webhook deliveries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import click
import sqlalchemy as sa
from flask.cli import with_appcontext
from sqlalchemy import CursorResult

from app.clerk_sync.tables import WebhookDelivery
from app.transactions import transact


@click.command("prune-events")
@click.option(
    "--older-than",
    "days",
    type=click.IntRange(min=7),  # Clerk repeats a delivery for some days
    default=30,
    show_default=True,
    help="Age in days.",
)
@with_appcontext
def prune_events(days: int) -> None:
    """Delete old rows of webhook_events at once; new deliveries also delete some of them.

    Deliveries whose signals haven't been sent stay, and so does the record of deleted users and
    organizations.
    """
    old = sa.delete(WebhookDelivery).where(
        WebhookDelivery.received_at < datetime.now(UTC) - timedelta(days=days),
        WebhookDelivery.signal_handled_at.is_not(None),
    )
    deleted = cast("CursorResult[Any]", transact(lambda session: session.execute(old))).rowcount
    click.echo(f"Deleted {deleted:,} deliveries.")
