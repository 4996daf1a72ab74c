"""Signals that follow Clerk's events, after our rows have been committed.

::

    @user_created.connect
    def welcome(app, data, event): ...

``data`` is Clerk's object as JSON, ``event`` the whole :class:`~app.clerk.webhooks.WebhookEvent`. A
receiver that raises is called again when Clerk repeats the delivery, as are all others then.
"""

from __future__ import annotations

import re

from blinker import NamedSignal, Namespace
from flask import Flask

from app.clerk.webhooks import WebhookEvent

from .records import Outcome

_signals = Namespace()


def event_signal(event_type: str) -> NamedSignal:
    """The signal of a type of event, also of those that we keep no rows of.

    :param event_type: Clerk's name, such as ``session.created``.
    """
    return _signals.signal(_name(event_type))


def _name(event_type: str) -> str:
    words = re.sub(r"[A-Z]", lambda capital: f"_{capital[0].lower()}", event_type)
    return words.replace(".", "_")


user_created = event_signal("user.created")
user_updated = event_signal("user.updated")
user_deleted = event_signal("user.deleted")
organization_created = event_signal("organization.created")
organization_updated = event_signal("organization.updated")
organization_deleted = event_signal("organization.deleted")
organization_membership_created = event_signal("organizationMembership.created")
organization_membership_updated = event_signal("organizationMembership.updated")
organization_membership_deleted = event_signal("organizationMembership.deleted")


def is_awaited(app: Flask, event: WebhookEvent, outcome: Outcome) -> bool:
    """Whether there is something to tell, and somebody to tell it.

    That somebody came is told also where we had the row already; a change only where it was news.
    """
    told = {Outcome.APPLIED, Outcome.UNKNOWN}
    if event.type.endswith(".created"):
        told.add(Outcome.OLDER)
    signal = _signals.get(_name(event.type))
    return outcome in told and signal is not None and any(signal.receivers_for(app))


def send(app: Flask, event: WebhookEvent) -> None:
    """Call everybody who asked for this type of event.

    :raises Exception: whatever a receiver raised; those after it were not called.
    """
    event_signal(event.type).send(app, data=event.data, event=event)
