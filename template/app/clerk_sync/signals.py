"""Signals that follow Clerk's webhooks, sent after our rows have been committed.

Connect a receiver in a module that ``create_app()`` imports::

    from app.clerk_sync.signals import user_created

    @user_created.connect
    def send_welcome(app, data, event): ...

``data`` is the Clerk object as JSON, and ``event`` the whole
:class:`~app.clerk.webhooks.WebhookEvent`. If a receiver raises, Clerk delivers the event again and
all of its receivers are called again.
"""

from __future__ import annotations

import re

from blinker import NamedSignal, Namespace
from flask import Flask

from app.clerk.webhooks import WebhookEvent

from .records import Outcome

_signals = Namespace()


def event_signal(event_type: str) -> NamedSignal:
    """The signal of any type of event, including those without rows in our tables.

    :param event_type: Clerk's name, such as ``session.created``
        (https://clerk.com/docs/guides/development/webhooks/overview).
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


def is_signal_due(app: Flask, event: WebhookEvent, outcome: Outcome) -> bool:
    """Whether an event has a signal to send, and a receiver for it.

    A ``created`` event has one even if a request had created the row before. An update only has one
    if it changed the row.
    """
    due = {Outcome.APPLIED, Outcome.UNKNOWN}
    if event.type.endswith(".created"):
        due.add(Outcome.OLDER)
    signal = _signals.get(_name(event.type))
    return outcome in due and signal is not None and any(signal.receivers_for(app))


def call_receivers(app: Flask, event: WebhookEvent) -> None:
    """Call all receivers of the event's signal.

    :raises Exception: a receiver raised it; the receivers after it were not called.
    """
    event_signal(event.type).send(app, data=event.data, event=event)
