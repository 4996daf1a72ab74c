"""Tables that synchronization needs for itself."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, UtcDateTime

from .columns import ID_LENGTH, utc_now


class WebhookDelivery(Base):
    """A verified webhook delivery, recorded so that a repeated one changes nothing.

    It holds no personal data: Clerk's dashboard shows the event of a delivery's ID.

    :mod:`.deliveries` explains how the three ``signal_`` columns work together.
    """

    __tablename__ = "webhook_events"

    id: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    """The delivery's ID, from the header ``svix-id``: the same for every attempt."""
    type: Mapped[str] = mapped_column(sa.String(255))
    """The event's type, such as ``user.created``."""
    outcome: Mapped[str] = mapped_column(sa.String(16))
    """An :class:`~app.clerk_sync.records.Outcome`."""
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, index=True)
    signal_claimed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When a request claimed the sending of the signal. A queued task presents this time."""
    signal_queued_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the signal was handed to a job queue."""
    signal_handled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When all receivers had returned, or when it turned out that no signal is due."""


class Tombstone(Base):
    """The ID of a deleted record. A late event about it is ignored, so the row never returns."""

    __tablename__ = "tombstones"

    id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), primary_key=True)
    deleted_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class SyncCheckpoint(Base):
    """How far an unfinished ``flask clerk sync`` has read one of Clerk's lists."""

    __tablename__ = "sync_checkpoints"

    kind: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    """The list's name, such as ``users``."""
    offset: Mapped[int] = mapped_column(sa.BigInteger)
    """How many objects of the list have been read."""
    last_created_at: Mapped[int] = mapped_column("since", sa.BigInteger)
    """When the last of these objects was created, in Unix milliseconds."""
    is_done: Mapped[bool]
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, onupdate=utc_now)


class SyncLock(Base):
    """A lock that only one run of a job holds at a time. A run that stops renewing it loses it."""

    __tablename__ = "sync_locks"

    name: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    run_id: Mapped[str] = mapped_column(sa.String(36))
    """A UUID that the run has chosen."""
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When the run last renewed the lock."""
