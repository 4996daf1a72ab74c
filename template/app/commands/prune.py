"""``flask clerk prune-events``: forget old deliveries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import click
import sqlalchemy as sa
from flask.cli import with_appcontext
from sqlalchemy import CursorResult

from app.accounts.models import WebhookEvent
from app.transactions import transact


@click.command("prune-events")
@click.option(
    "--older-than",
    "days",
    type=click.IntRange(min=7),  # Clerk repeats a delivery for some days
    default=30,
    show_default=True,
    help="Days since they came.",
)
@with_appcontext
def prune_events(days: int) -> None:
    """Delete old rows of webhook_events, for a daily cron job.

    What is not handled yet stays, and so does the knowledge of what has been deleted.
    """
    old = sa.delete(WebhookEvent).where(
        WebhookEvent.received_at < datetime.now(UTC) - timedelta(days=days),
        WebhookEvent.signal_handled_at.is_not(None),
    )
    pruned = cast("CursorResult[Any]", transact(lambda session: session.execute(old))).rowcount
    click.echo(f"{pruned:,} deliveries forgotten.")
