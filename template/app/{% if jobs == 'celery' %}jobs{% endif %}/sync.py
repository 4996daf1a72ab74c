"""``flask clerk sync`` as a job: by hand with ``sync.delay()``, and each night by beat."""

from __future__ import annotations

import logging
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from celery import Task
from flask import current_app
from sqlalchemy.orm import Session

from app.accounts import sync as accounts_sync
from app.accounts.clerk_lists import KINDS, Kind
from app.accounts.clerk_models import SyncCheckpoint
from app.clerk import BackendApi, BackendApiError, clerk_of
from app.transactions import insert_into, transact

from .broker import LONGEST_PAUSE, celery

log = logging.getLogger(__name__)

LOCK = "lock"
"""The row of SyncCheckpoint that says that a run is at work, and since when it was last seen."""

SILENCE = timedelta(minutes=10)
"""A run that was not seen for so long is dead. It shows itself after each page."""

LONGEST_RUN = 6 * 60 * 60
"""Seconds."""


@celery.task(bind=True, max_retries=10, time_limit=LONGEST_RUN)
def sync(self: Task[Any, None]) -> None:
    """Make users, organizations and memberships equal to Clerk's. Only one run at a time.

    A run that fails or dies is taken up from its checkpoint.
    """
    run = uuid.uuid4().int >> 66  # a BIGINT
    if not transact(lambda session: _lock(session, run)):
        log.info("Another sync is at work.")
        if (self.request.delivery_info or {}).get("redelivered"):  # perhaps it is our own, dead
            raise self.retry(countdown=LONGEST_PAUSE)
        return
    try:
        _sync(clerk_of(current_app).api, run)
    except BackendApiError as error:
        pause = min(60 * 2 ** (self.request.retries or 0), LONGEST_PAUSE)
        raise self.retry(exc=error, countdown=pause) from error
    finally:
        ours = (SyncCheckpoint.kind == LOCK) & (SyncCheckpoint.since == run)
        transact(lambda session: session.execute(sa.delete(SyncCheckpoint).where(ours)))


def _sync(api: BackendApi, run: int) -> None:
    accounts_sync.check_instance(api)
    for kind in KINDS:
        _sync_kind(api, kind, run)
    accounts_sync.forget_checkpoints()


def _sync_kind(api: BackendApi, kind: Kind, run: int) -> None:
    start = accounts_sync.starting_point(kind)
    if start is None:
        return  # done before the last run stopped
    changes = 0
    try:
        for step in accounts_sync.reconcile(api, kind, start):
            changes += len(step.differences)
            transact(lambda session: _lock(session, run))
    except BackendApiError as error:
        if error.code != "organization_not_enabled_in_instance":
            raise
    log.info("Sync of %s: %d changes.", kind.name, changes)


def _lock(session: Session, run: int) -> bool:
    """Take the lock, or show that we still have it."""
    now = datetime.now(UTC)
    values = {"kind": LOCK, "offset": 0, "since": run, "is_done": False, "saved_at": now}
    free = (SyncCheckpoint.saved_at < now - SILENCE) | (SyncCheckpoint.since == run)
    taken = insert_into(session, SyncCheckpoint).values(values)
    taken = taken.on_conflict_do_update(
        index_elements=[SyncCheckpoint.kind], set_={"since": run, "saved_at": now}, where=free
    )
    return session.execute(taken.returning(SyncCheckpoint.kind)).first() is not None
