"""``flask clerk sync`` as a job: beat starts it every night, ``sync.delay()`` at any time."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from celery import Task
from flask import current_app

from app.clerk import BackendApi, BackendApiError, clerk_of
from app.clerk_sync import reconciliation
from app.clerk_sync.clerk_lists import CLERK_LISTS, ClerkList
from app.clerk_sync.sync_lock import hold_sync_lock, release_sync_lock

from .broker import LONGEST_PAUSE, celery

log = logging.getLogger(__name__)

LONGEST_RUN = 6 * 60 * 60
"""Seconds."""


@celery.task(bind=True, max_retries=10, time_limit=LONGEST_RUN)
def sync(self: Task[Any, None]) -> None:
    """Make users, organizations and memberships equal to Clerk's, one run at a time.

    After a run that failed or died, the next one continues from its checkpoint.
    """
    run_id = str(uuid.uuid4())
    if not hold_sync_lock(run_id):
        log.info("Another sync is running.")
        # After a worker died, that other run may be this task's own first attempt.
        if (self.request.delivery_info or {}).get("redelivered"):
            raise self.retry(countdown=LONGEST_PAUSE)
        return
    try:
        _sync_everything(clerk_of(current_app).api, run_id)
    except BackendApiError as error:
        pause = min(60 * 2 ** (self.request.retries or 0), LONGEST_PAUSE)
        raise self.retry(exc=error, countdown=pause) from error
    finally:
        release_sync_lock(run_id)


def _sync_everything(api: BackendApi, run_id: str) -> None:
    reconciliation.check_instance(api)
    for clerk_list in CLERK_LISTS:
        _sync_list(api, clerk_list, run_id)
    reconciliation.forget_checkpoints()


def _sync_list(api: BackendApi, clerk_list: ClerkList, run_id: str) -> None:
    start = reconciliation.starting_point(clerk_list)
    if start is None:
        return  # an earlier run has finished this list
    changes = 0
    try:
        for step in reconciliation.reconcile(api, clerk_list, start):
            changes += len(step.differences)
            hold_sync_lock(run_id)
    except BackendApiError as error:
        if error.code != "organization_not_enabled_in_instance":
            raise
    log.info("Sync of %s: %d changes.", clerk_list.name, changes)
