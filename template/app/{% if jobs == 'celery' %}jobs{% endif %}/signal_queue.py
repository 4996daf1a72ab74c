"""Sends the signals of Clerk's webhooks from a Celery worker.

The request that receives a delivery claims its signal and passes the time of the claim,
``signal_claimed_at``, to the task as a token. A task only sends the signal while the delivery still
has that claim. If the request dies before it responds to Clerk, its claim expires; Clerk's next
attempt makes a new claim and queues a new task, and the old task does nothing.

Once the task is queued, or a worker has started it, ``signal_queued_at`` is set as well. From then
on, Clerk's further attempts get a 200.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from celery import Task
from flask import current_app

from app.clerk.webhooks import WebhookEvent
from app.clerk_sync.deliveries import update_delivery
from app.clerk_sync.signals import call_receivers
from app.clerk_sync.tables import WebhookDelivery

from .broker import LONGEST_PAUSE, celery

log = logging.getLogger(__name__)

ATTEMPTS = 50
"""Retries, after 5, 10, 20 … seconds and then every LONGEST_PAUSE: more than seven hours."""

FIRST_PAUSE = 5
"""Seconds before the first retry."""

IS_UNHANDLED = WebhookDelivery.signal_handled_at.is_(None)
IS_NOT_QUEUED = WebhookDelivery.signal_queued_at.is_(None)


def enqueue_signal(event: WebhookEvent) -> None:
    """Queue the signal of a delivery that this request has claimed.

    :raises kombu.exceptions.OperationalError: the broker can't be reached; the claim is released.
    """
    token = datetime.now(UTC)
    id, has_claim = event.delivery_id, WebhookDelivery.signal_claimed_at == token
    if not update_delivery(id, IS_UNHANDLED, IS_NOT_QUEUED, signal_claimed_at=token):
        return  # this request was so slow that another one has queued the signal meanwhile
    try:
        send_signal.delay(id, event.type, event.data, token.isoformat())
    except Exception:
        # Unless a worker has the task anyway, and only the broker's confirmation was lost.
        update_delivery(id, IS_UNHANDLED, IS_NOT_QUEUED, has_claim, signal_claimed_at=None)
        raise
    update_delivery(id, IS_UNHANDLED, has_claim, signal_queued_at=token)


# The name stays if this module moves, so that tasks queued before an update are still found.
@celery.task(name="app.jobs.deliveries.send_signal", bind=True, max_retries=ATTEMPTS)
def send_signal(
    self: Task[Any, None], delivery_id: str, type: str, data: dict[str, Any], token: str
) -> None:
    """Call the receivers of a delivery's signal, unless another task does; retry if one fails.

    :param token: the time of the claim that this task belongs to, in ISO 8601.
    """
    claimed_at = datetime.fromisoformat(token)
    is_ours = IS_UNHANDLED & (WebhookDelivery.signal_claimed_at == claimed_at)
    if not update_delivery(delivery_id, is_ours, signal_queued_at=claimed_at):
        log.info("The signal of %s has been sent, or belongs to another task.", delivery_id)
        return
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    try:
        call_receivers(app, WebhookEvent(delivery_id, type, data))
    except Exception as error:
        retries = self.request.retries or 0
        if retries >= ATTEMPTS:  # released, so that a replay from Clerk's dashboard is taken
            update_delivery(delivery_id, is_ours, signal_claimed_at=None, signal_queued_at=None)
            raise
        pause = min(FIRST_PAUSE * 2 ** min(retries, 10), LONGEST_PAUSE)
        raise self.retry(exc=error, countdown=pause) from error
    update_delivery(delivery_id, is_ours, signal_handled_at=datetime.now(UTC))
