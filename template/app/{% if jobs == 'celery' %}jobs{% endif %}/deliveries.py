"""The signals that follow Clerk's webhooks, sent by a worker.

``WebhookEvent.signal_claimed_at`` says who is at a delivery. The request that takes it in claims
it, and gives the task that moment as a token. Once the task is in the queue, or a worker has it,
the claim lies LEASE later, so that Clerk hears 200 if it comes again. If a request dies before it
answers, its claim lapses, the next one puts in a task with a new token, and the old one's is void.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from celery import Task
from flask import current_app
from sqlalchemy import CursorResult
from sqlalchemy.orm import Session

from app.accounts import signals
from app.accounts.models import WebhookEvent
from app.clerk.webhooks import WebhookEvent as Delivery
from app.transactions import transact

from .broker import LONGEST_PAUSE, celery

log = logging.getLogger(__name__)

LEASE = timedelta(days=1)
"""As long as a task may be on its way, all attempts included. If the broker lost everything, a
delivery that is replayed from Clerk's dashboard is taken on again after that."""

ATTEMPTS = 50
"""With pauses of 5, 10, 20 … seconds, up to LONGEST_PAUSE: more than seven hours."""

FIRST_PAUSE = 5
"""Seconds."""


def enqueue(delivery: Delivery) -> None:
    """Let a worker send the signal of a delivery that this request has claimed.

    :raises kombu.exceptions.OperationalError: the broker is away; the claim is given back.
    """
    token = datetime.now(UTC)
    unsent = WebhookEvent.signal_handled_at.is_(None)
    not_in_queue = WebhookEvent.signal_claimed_at <= token
    if not _update(delivery.delivery_id, unsent & not_in_queue, signal_claimed_at=token):
        return  # we took so long that another request was faster
    claimed = unsent & (WebhookEvent.signal_claimed_at == token)
    try:
        send_signal.delay(delivery.delivery_id, delivery.type, delivery.data, token.isoformat())
    except Exception:
        _update(delivery.delivery_id, claimed, signal_claimed_at=None)
        raise
    _update(delivery.delivery_id, claimed, signal_claimed_at=token + LEASE)


@celery.task(bind=True, max_retries=ATTEMPTS)
def send_signal(
    self: Task[Any, None], delivery_id: str, type: str, data: dict[str, Any], token: str
) -> None:
    """Send the signal, unless it was sent already; again after a while if a receiver fails.

    :param token: the claim for which this was put into the queue, as ISO 8601.
    """
    taken = datetime.fromisoformat(token) + LEASE
    ours = WebhookEvent.signal_handled_at.is_(None) & WebhookEvent.signal_claimed_at.in_(
        [datetime.fromisoformat(token), taken]
    )
    if not _update(delivery_id, ours, signal_claimed_at=taken):
        log.info("The signal of %s was sent already, or another task sends it.", delivery_id)
        return
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    try:
        signals.send(app, Delivery(delivery_id, type, data))
    except Exception as error:
        retries = self.request.retries or 0
        if retries >= ATTEMPTS:
            _update(delivery_id, ours, signal_claimed_at=None)  # a replay may try anew
            raise
        pause = min(FIRST_PAUSE * 2 ** min(retries, 10), LONGEST_PAUSE)
        raise self.retry(exc=error, countdown=pause) from error
    _update(delivery_id, ours, signal_handled_at=datetime.now(UTC))


def _update(delivery_id: str, which: sa.ColumnElement[bool], **values: Any) -> int:
    statement = sa.update(WebhookEvent).where(WebhookEvent.id == delivery_id, which).values(values)

    def update(session: Session) -> int:
        return cast(CursorResult[Any], session.execute(statement)).rowcount

    return transact(update)
