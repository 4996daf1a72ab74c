"""A column for signals in a job queue, and a table of locks for the scheduled sync."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "1795847657"
down_revision = "1795636200"
branch_labels = ("clerk",)
depends_on = None

LEASE = timedelta(days=1)
"""How far a claim used to lie in the future once its signal was in the queue."""

CLAIM = timedelta(seconds=15)
"""Claims up to this far in the future are ordinary ones, by a machine whose clock is ahead."""

EVENTS = sa.table(
    "webhook_events",
    sa.column("id", sa.String()),
    sa.column("signal_claimed_at", sa.DateTime(timezone=True)),
    sa.column("signal_queued_at", sa.DateTime(timezone=True)),
    sa.column("signal_handled_at", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    """Apply the migration."""
    queued_at = sa.Column("signal_queued_at", sa.DateTime(timezone=True), nullable=True)
    op.add_column("webhook_events", queued_at)
    _shift_queued_claims()
    op.create_table(
        "sync_locks",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sync_locks")),
    )
    op.execute("DELETE FROM sync_checkpoints WHERE kind = 'lock'")


def downgrade() -> None:
    """Take the migration back."""
    op.drop_table("sync_locks")
    queued = EVENTS.c.signal_queued_at.is_not(None) & EVENTS.c.signal_handled_at.is_(None)
    for id, queued_at in _select(EVENTS.c.signal_queued_at, queued):
        _update(id, signal_claimed_at=queued_at + LEASE)
    op.drop_column("webhook_events", "signal_queued_at")


def _shift_queued_claims() -> None:
    """Give back to claims of queued signals the time that their tasks know."""
    is_future = EVENTS.c.signal_claimed_at > datetime.now(UTC) + CLAIM
    queued = is_future & EVENTS.c.signal_handled_at.is_(None)
    for id, leased_until in _select(EVENTS.c.signal_claimed_at, queued):
        claimed_at = leased_until - LEASE
        _update(id, signal_claimed_at=claimed_at, signal_queued_at=claimed_at)


def _select(
    column: sa.ColumnElement[datetime], which: sa.ColumnElement[bool]
) -> list[tuple[str, datetime]]:
    query = sa.select(EVENTS.c.id, column).where(which)
    return [(id, value) for id, value in op.get_bind().execute(query)]


def _update(id: str, **values: datetime) -> None:
    op.execute(sa.update(EVENTS).where(EVENTS.c.id == id).values(**values))
