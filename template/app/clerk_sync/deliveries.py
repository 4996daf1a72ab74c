"""Process each webhook delivery once: record it, apply it to our rows, send its signal.

Recording and applying is one transaction. Sending the signal comes after it, so a worker may die
in between. Three columns of :class:`.tables.WebhookDelivery` say what is left to do:

- ``signal_handled_at`` is set: nothing.
- ``signal_queued_at`` is set: a job queue has the signal, for up to ``QUEUE_LEASE``.
- ``signal_claimed_at`` is set: a request is sending it, or putting it into the queue. After
  ``CLAIM_LEASE`` the request is presumed dead, and Clerk's next attempt claims it again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import partial
from typing import Any, cast

import sqlalchemy as sa
from flask import current_app
from sqlalchemy import CursorResult
from sqlalchemy.orm import Session

from app.clerk.webhooks import WebhookEvent
from app.transactions import insert_into, transact

from .extension import clerk_sync_of
from .payloads import InvalidRecord, Json, read_id
from .records import Outcome, apply_membership, apply_organization, apply_user, delete_record
from .signals import call_receivers, is_signal_due
from .tables import WebhookDelivery

log = logging.getLogger(__name__)

CLAIM_LEASE = timedelta(seconds=15)
"""How long Clerk waits for a response. A worker that hasn't sent the signal by then is presumed
dead."""

QUEUE_LEASE = timedelta(days=1)
"""How long a job queue may take to send a signal, retries included. After that, a delivery that is
replayed from Clerk's dashboard is queued again, in case the queue lost it."""

KEPT = timedelta(days=30)
"""Deliveries older than this are deleted. Clerk repeats a delivery for some days."""

WAITS = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds between checks of whether another worker has finished the same delivery."""


class SignalState(Enum):
    """What the request that received a delivery has to do about its signal."""

    SETTLED = "nothing: it was sent, is in a queue, or isn't due"
    CLAIMED = "send it"
    BUSY = "nothing for now: another worker is sending it"


def _delete_user(session: Session, data: Json) -> Outcome:
    return delete_record(session, clerk_sync_of(current_app).user, read_id(data.get("id")))


def _delete_organization(session: Session, data: Json) -> Outcome:
    return delete_record(session, clerk_sync_of(current_app).organization, read_id(data.get("id")))


def _delete_membership(session: Session, data: Json) -> Outcome:
    return delete_record(session, clerk_sync_of(current_app).membership, read_id(data.get("id")))


EVENT_HANDLERS: dict[str, Callable[[Session, Json], Outcome]] = {
    "user.created": apply_user,
    "user.updated": apply_user,
    "user.deleted": _delete_user,
    "organization.created": apply_organization,
    "organization.updated": apply_organization,
    "organization.deleted": _delete_organization,
    "organizationMembership.created": apply_membership,
    "organizationMembership.updated": apply_membership,
    "organizationMembership.deleted": _delete_membership,
}


def receive_delivery(event: WebhookEvent) -> SignalState:
    """Record a delivery and apply its event, in one transaction, once.

    The event's data is never recorded, since it may be personal: messages contain email addresses
    and codes. Events that concern neither our rows nor a receiver aren't recorded at all.

    :param event: a verified event.
    :returns: if CLAIMED, call :func:`dispatch_signal` now.
    """
    if event.type not in EVENT_HANDLERS and not _is_signal_due(event, Outcome.UNKNOWN):
        return SignalState.SETTLED
    state = transact(partial(_record_and_apply, event))
    for wait in WAITS:
        if state is not SignalState.BUSY:
            break
        time.sleep(wait)
        state = transact(partial(_record_and_apply, event))
    return state


def dispatch_signal(event: WebhookEvent) -> None:
    """Send the signal now, or hand it to the app's job queue if there is one.

    :raises Exception: it was neither sent nor queued; Clerk must deliver the event again.
    """
    enqueue = clerk_sync_of(current_app).enqueue_signal
    (enqueue or send_signal_now)(event)


def send_signal_now(event: WebhookEvent) -> None:
    """Call the receivers, and record that the signal was sent.

    :raises Exception: a receiver raised it; Clerk's next attempt sends the signal again.
    """
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    try:
        call_receivers(app, event)
    except Exception:
        update_delivery(event.delivery_id, signal_claimed_at=None)
        raise
    update_delivery(event.delivery_id, signal_handled_at=datetime.now(UTC))


def update_delivery(id: str, *conditions: sa.ColumnElement[bool], **values: Any) -> bool:
    """Change a recorded delivery in a transaction of its own.

    :param id: the delivery's ID.
    :param conditions: what must be true of its row.
    :returns: whether the row exists and met the conditions.
    """
    return transact(lambda session: _update(session, id, *conditions, **values))


def delete_old(session: Session, age: timedelta = KEPT, limit: int | None = 2) -> int:
    """Delete old deliveries, except those whose signals haven't been sent.

    :param limit: at most this many. By default two, for each new one, so that few remain.
    :returns: how many were deleted.
    """
    old = sa.select(WebhookDelivery.id).where(
        WebhookDelivery.received_at < datetime.now(UTC) - age,
        WebhookDelivery.signal_handled_at.is_not(None),
    )
    old = old.order_by(WebhookDelivery.received_at).limit(limit).with_for_update(skip_locked=True)
    deleted = session.execute(sa.delete(WebhookDelivery).where(WebhookDelivery.id.in_(old)))
    return cast(CursorResult[Any], deleted).rowcount


def _record_and_apply(event: WebhookEvent, session: Session) -> SignalState:
    insert = insert_into(session, WebhookDelivery).values(
        id=event.delivery_id, type=_storable(event.type)[:255], outcome=Outcome.UNKNOWN
    )
    insert = insert.on_conflict_do_nothing()
    if session.execute(insert.returning(WebhookDelivery.id)).first() is None:
        return _claim_again(event.delivery_id, session)
    delete_old(session)
    outcome = _apply(event, session)
    is_due = _is_signal_due(event, outcome)
    now = datetime.now(UTC)
    _update(
        session,
        event.delivery_id,
        outcome=outcome,
        signal_claimed_at=now if is_due else None,
        signal_handled_at=None if is_due else now,
    )
    return SignalState.CLAIMED if is_due else SignalState.SETTLED


def _is_signal_due(event: WebhookEvent, outcome: Outcome) -> bool:
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    return is_signal_due(app, event, outcome)


def _apply(event: WebhookEvent, session: Session) -> Outcome:
    handler = EVENT_HANDLERS.get(event.type)
    if handler is None:
        return Outcome.UNKNOWN
    try:
        return handler(session, event.data)
    except InvalidRecord as error:
        # Delivering it again would not help, so Clerk gets 200.
        log.error("Delivery %s cannot be applied: %s", event.delivery_id, error)
        return Outcome.INVALID


def _claim_again(delivery_id: str, session: Session) -> SignalState:
    """Claim the signal of a repeated delivery, if no worker and no queue is about to send it."""
    now = datetime.now(UTC)
    claimed_at, queued_at = WebhookDelivery.signal_claimed_at, WebhookDelivery.signal_queued_at
    is_unhandled = WebhookDelivery.signal_handled_at.is_(None)
    is_unclaimed = claimed_at.is_(None) | (claimed_at < now - CLAIM_LEASE)
    is_free = (queued_at.is_(None) & is_unclaimed) | (queued_at < now - QUEUE_LEASE)
    claim = {"signal_claimed_at": now, "signal_queued_at": None}
    if _update(session, delivery_id, is_unhandled, is_free, **claim):
        return SignalState.CLAIMED
    busy = sa.select(WebhookDelivery.id).where(
        WebhookDelivery.id == delivery_id, is_unhandled, queued_at.is_(None)
    )
    return SignalState.BUSY if session.scalar(busy) else SignalState.SETTLED


def _update(session: Session, id: str, *conditions: sa.ColumnElement[bool], **values: Any) -> bool:
    which = (WebhookDelivery.id == id, *conditions)
    statement = sa.update(WebhookDelivery).where(*which).values(**values)
    return cast(CursorResult[Any], session.execute(statement)).rowcount > 0


def _storable(text: str) -> str:
    """The text without characters that a database would reject."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")
