"""Webhook events: written in the transaction that caused them, so that none is lost or invented."""

from __future__ import annotations

import json
from typing import Any

from .clerk import LocalClerk
from .resources import Event, new_id


def record_event(clerk: LocalClerk, type: str, data: dict[str, Any]) -> None:
    """Queue one event for the app. Does nothing when no signing secret is configured.

    :param type: Clerk's name, such as ``user.created``.
    :param data: the resource in its Backend API form.
    """
    if not clerk.config.webhook_secrets:
        return
    now = clerk.clock()
    body = {
        "type": type,
        "object": "event",
        "data": data,
        "timestamp": clerk.now,
        "instance_id": clerk.config.instance_id,
    }
    clerk.store.put(
        Event(new_id("msg"), now, now, json.dumps(body), next_attempt_at=now, type=type)
    )
    clerk.on_event()
