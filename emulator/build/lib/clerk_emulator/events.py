"""Webhook events: written in the transaction that caused them, so that none is lost or invented."""

from __future__ import annotations

import json
from typing import Any

from flask import has_request_context, request

from .clerk import LocalClerk
from .resources import Event, new_id


def record_event(clerk: LocalClerk, type: str, data: dict[str, Any]) -> None:
    """Queue one event for the app. Does nothing when no signing secret is configured.

    :param type: Clerk's name, such as ``user.created``.
    :param data: the resource in its Backend API form.
    """
    if not clerk.config.webhook_secrets or not _is_wanted(clerk, type):
        return
    now = clerk.clock()
    body = {
        "type": type,
        "object": "event",
        "data": data,
        "event_attributes": {"http_request": _cause()},
        "timestamp": clerk.now,
        "instance_id": clerk.config.instance_id,
    }
    clerk.store.put(
        Event(new_id("msg"), now, now, json.dumps(body), next_attempt_at=now, type=type)
    )
    clerk.on_event()


def _is_wanted(clerk: LocalClerk, type: str) -> bool:
    """Whether the app subscribes to such events."""
    wanted = clerk.settings.webhooks.events
    return not wanted or type in wanted or f"{type.partition('.')[0]}.*" in wanted


def _cause() -> dict[str, str]:
    """Who asked for what has happened."""
    if not has_request_context():
        return {"client_ip": "", "user_agent": ""}
    forwarded = request.headers.get("X-Forwarded-For", "").partition(",")[0].strip()
    return {
        "client_ip": forwarded or request.remote_addr or "",
        "user_agent": request.user_agent.string,
    }
