"""A lock that lets only one scheduled sync run at a time, even if a run dies holding it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.transactions import insert_into, transact

from .tables import SyncLock

NAME = "sync"

SILENCE = timedelta(minutes=10)
"""A run that hasn't renewed its lock for this long is presumed dead. It renews after each page."""


def hold_sync_lock(run_id: str) -> bool:
    """Take the lock, or renew it.

    :param run_id: a UUID that the run has chosen.
    :returns: False if another run holds it.
    """
    now = datetime.now(UTC)
    is_free = (SyncLock.seen_at < now - SILENCE) | (SyncLock.run_id == run_id)

    def take(session: Session) -> bool:
        insert = insert_into(session, SyncLock).values(name=NAME, run_id=run_id, seen_at=now)
        taken = insert.on_conflict_do_update(
            index_elements=["name"], set_={"run_id": run_id, "seen_at": now}, where=is_free
        )
        return session.execute(taken.returning(SyncLock.name)).first() is not None

    return transact(take)


def release_sync_lock(run_id: str) -> None:
    """Let another run take the lock. Does nothing if this run no longer holds it."""
    ours = sa.delete(SyncLock).where(SyncLock.name == NAME, SyncLock.run_id == run_id)
    transact(lambda session: session.execute(ours))
