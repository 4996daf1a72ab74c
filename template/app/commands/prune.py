"""``flask clerk prune-events``: delete old webhook deliveries."""

from __future__ import annotations

from datetime import timedelta

import click
from flask.cli import with_appcontext

from app.clerk_sync.deliveries import delete_old
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
    age = timedelta(days=days)
    deleted = transact(lambda session: delete_old(session, age, limit=None))
    click.echo(f"Deleted {deleted:,} deliveries.")
