"""The lock of the scheduled sync: one run at a time, and a dead run loses the lock."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from flask import Flask

from app.clerk_sync import reconciliation, sync_lock
from app.clerk_sync.sync_lock import SILENCE, hold_sync_lock, release_sync_lock
from app.clerk_sync.tables import SyncLock
from app.database import db
from app.transactions import transact
from tests.app_fixtures import ON_BOTH_DATABASES

pytestmark = ON_BOTH_DATABASES


@pytest.fixture(autouse=True)
def _context(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def test_only_one_run_holds_the_lock() -> None:
    assert hold_sync_lock("first")
    assert hold_sync_lock("first")  # renewed
    assert not hold_sync_lock("second")


def test_only_its_holder_can_release_the_lock() -> None:
    hold_sync_lock("first")
    release_sync_lock("second")
    assert not hold_sync_lock("second")
    release_sync_lock("first")
    assert hold_sync_lock("second")


def test_run_that_stops_renewing_loses_the_lock() -> None:
    hold_sync_lock("first")
    seen_at = db.session.get_one(SyncLock, sync_lock.NAME).seen_at - SILENCE * 1.1
    transact(lambda session: session.execute(sa.update(SyncLock).values(seen_at=seen_at)))
    assert hold_sync_lock("second")
    assert not hold_sync_lock("first")


def test_deleting_checkpoints_keeps_the_lock() -> None:
    hold_sync_lock("first")
    reconciliation.forget_checkpoints()
    assert not hold_sync_lock("second")


def test_of_many_runs_at_once_one_gets_the_lock(app: Flask) -> None:
    def take(number: int) -> bool:
        with app.app_context():
            return hold_sync_lock(f"run {number}")

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(16))) == 1
