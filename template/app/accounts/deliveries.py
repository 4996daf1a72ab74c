"""What Clerk delivers, taken in once: delivery, change and signal."""

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

from app.clerk.webhooks import WebhookEvent as Delivery
from app.transactions import insert_into, transact

from . import signals
from .models import Membership, Organization, User, WebhookEvent
from .payloads import InvalidRecord, Json, read_id
from .records import Outcome, apply_membership, apply_organization, apply_user, delete_record

log = logging.getLogger(__name__)

CLAIM = timedelta(seconds=15)
"""As long as Clerk waits for an answer. Who has not sent the signal by then has died over it."""

WAITS = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds between looks whether another worker is through with the same delivery."""

Rule = Callable[[Session, Json], Outcome]


def _deletion(model: type[User] | type[Organization] | type[Membership]) -> Rule:
    return lambda session, data: delete_record(session, model, read_id(data.get("id")))


RULES: dict[str, Rule] = {
    "user.created": apply_user,
    "user.updated": apply_user,
    "user.deleted": _deletion(User),
    "organization.created": apply_organization,
    "organization.updated": apply_organization,
    "organization.deleted": _deletion(Organization),
    "organizationMembership.created": apply_membership,
    "organizationMembership.updated": apply_membership,
    "organizationMembership.deleted": _deletion(Membership),
}


class Turn(Enum):
    """Who sends the signal of a delivery."""

    NOBODY = "sent already, in a queue, or nothing to send"
    OURS = "ours"
    THEIRS = "another worker is at it"


def take_in(delivery: Delivery, body: str) -> Turn:
    """Note a delivery and apply what it says, in one transaction, once.

    :param delivery: a verified one.
    :param body: the JSON that came, kept where nothing can be made of it.
    :returns: OURS: call :func:`dispatch` now.
    """
    turn = transact(partial(_take_in, delivery, body))
    for wait in WAITS:
        if turn is not Turn.THEIRS:
            break
        time.sleep(wait)
        turn = transact(partial(_take_in, delivery, body))
    return turn


def dispatch(delivery: Delivery) -> None:
    """Send the signal now, or by ``app.extensions["send_signal"]``, for those who have a queue.

    :raises Exception: it was neither sent nor taken on; Clerk must come again.
    """
    current_app.extensions.get("send_signal", send_signal)(delivery)


def send_signal(delivery: Delivery) -> None:
    """Send the signal, and note that it is sent.

    :raises Exception: a receiver's; the next attempt of Clerk's sends the signal again.
    """
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    try:
        signals.send(app, delivery)
    except Exception:
        _note(delivery, signal_claimed_at=None)
        raise
    _note(delivery, signal_handled_at=datetime.now(UTC))


def _take_in(delivery: Delivery, body: str, session: Session) -> Turn:
    noted = insert_into(session, WebhookEvent).values(
        id=delivery.delivery_id, type=_plain(delivery.type)[:255], outcome=Outcome.UNKNOWN
    )
    noted = noted.on_conflict_do_nothing()
    if session.execute(noted.returning(WebhookEvent.id)).first() is None:
        return _turn_of_repeated(delivery, session)
    outcome = _apply(delivery, session)
    turn = _first_turn(delivery, outcome)
    now = datetime.now(UTC)
    is_odd = outcome in (Outcome.UNKNOWN, Outcome.INVALID)
    _update(
        session,
        WebhookEvent.id == delivery.delivery_id,
        outcome=outcome,
        payload=_plain(body) if is_odd else None,
        signal_claimed_at=now if turn is Turn.OURS else None,
        signal_handled_at=now if turn is Turn.NOBODY else None,
    )
    return turn


def _apply(delivery: Delivery, session: Session) -> Outcome:
    rule = RULES.get(delivery.type)
    if rule is None:
        return Outcome.UNKNOWN
    try:
        return rule(session, delivery.data)
    except InvalidRecord as error:
        # Coming again would not better it.
        log.error("Nothing can be made of delivery %s: %s", delivery.delivery_id, error)
        return Outcome.INVALID


def _first_turn(delivery: Delivery, outcome: Outcome) -> Turn:
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    return Turn.OURS if signals.is_awaited(app, delivery, outcome) else Turn.NOBODY


def _turn_of_repeated(delivery: Delivery, session: Session) -> Turn:
    now = datetime.now(UTC)
    unsent = (WebhookEvent.id == delivery.delivery_id) & WebhookEvent.signal_handled_at.is_(None)
    claimed_at = WebhookEvent.signal_claimed_at
    free = unsent & (claimed_at.is_(None) | (claimed_at < now - CLAIM))
    if _update(session, free, signal_claimed_at=now):
        return Turn.OURS
    # A claim from the future, whatever the clocks of our machines say: a queue has taken it on.
    busy = unsent & (claimed_at <= now + CLAIM)
    is_busy = session.scalar(sa.select(WebhookEvent.id).where(busy)) is not None
    return Turn.THEIRS if is_busy else Turn.NOBODY


def _note(delivery: Delivery, **values: Any) -> None:
    which = WebhookEvent.id == delivery.delivery_id
    transact(lambda session: _update(session, which, **values))


def _update(session: Session, which: sa.ColumnElement[bool], **values: Any) -> int:
    """Change noted deliveries; returns how many there were."""
    statement = sa.update(WebhookEvent).where(which).values(**values)
    return cast(CursorResult[Any], session.execute(statement)).rowcount


def _plain(text: str) -> str:
    """A text that both databases take."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")
