"""Sends webhooks as Svix does for Clerk: signed, in the background, again until they arrive."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import random
import sqlite3
import threading
from collections.abc import Iterable
from typing import Any

from .clerk import LocalClerk
from .config import webhook_signing_key
from .resources import Event
from .settings.model import Webhooks

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = (2, 10)
RETRY_DELAYS_SECONDS = (1, 5, 30, 120, 600)
IDLE_SECONDS = 60.0
BUSY_SECONDS = 1.0
KEPT = 1_000
"""How many webhooks are remembered once they have arrived or were given up."""
ANSWER_MAX_LENGTH = 500
PENDING, DELIVERED, FAILED = "pending", "delivered", "failed"


def sign(secret: str, id: str, timestamp: int, body: str) -> str:
    """The ``svix-signature`` header: ``v1,`` + base64 of HMAC-SHA256 over ``id.timestamp.body``.

    :param secret: ``whsec_…``.
    :param timestamp: unix seconds.
    """
    content = f"{id}.{timestamp}.{body}".encode()
    digest = hmac.new(webhook_signing_key(secret), content, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def send_again(clerk: LocalClerk, events: Iterable[Event]) -> None:
    """Put webhooks into the queue once more, in the order given, with the ids they had."""
    now = clerk.clock()
    chosen = list(events)
    for place, event in enumerate(chosen):
        event.status = PENDING
        event.attempts = 0
        event.next_attempt_at = now - len(chosen) + place
        clerk.store.put(event)
    clerk.on_event()


class WebhookSender:
    """Delivers the queued events of one instance, and keeps a log of it."""

    def __init__(self, clerk: LocalClerk) -> None:
        self._clerk = clerk
        self._wake = threading.Event()
        self._stopped = False
        self._delivered = 0
        clerk.on_event = self._wake.set

    def start(self) -> None:
        """Deliver in a background thread from now on."""
        threading.Thread(target=self._run, name="webhooks", daemon=True).start()

    def stop(self) -> None:
        """Let the thread end. What is undelivered stays in the state file for the next start."""
        self._stopped = True
        self._wake.set()

    def _run(self) -> None:
        while not self._stopped:
            try:
                seconds = self.deliver_due()
            except sqlite3.Error:  # the state file is busy, or was just taken away
                log.exception("webhooks are delayed")
                seconds = BUSY_SECONDS
            self._wake.wait(seconds)
            self._wake.clear()

    def deliver_due(self) -> float:
        """Try every event that is due, once.

        :returns: seconds until there is something to do again.
        """
        for event in self._due():
            if self._stopped or self._rules.paused:
                return IDLE_SECONDS
            self._attempt(event)
        self._forget_oldest()
        waiting = self._clerk.store.find(Event, status=PENDING)
        due = min((event.next_attempt_at for event in waiting), default=None)
        if due is None or self._rules.paused:
            return IDLE_SECONDS
        return max(0.0, (due - self._clerk.clock()) / 1000)

    @property
    def _rules(self) -> Webhooks:
        return self._clerk.settings.webhooks

    def _due(self) -> list[Event]:
        now = self._clerk.clock()
        waiting = self._clerk.store.find(Event, status=PENDING)
        due = [event for event in waiting if event.next_attempt_at <= now]
        due.sort(key=lambda event: event.next_attempt_at)
        if self._rules.shuffle:
            random.shuffle(due)
        return due

    def _forget_oldest(self) -> None:
        store = self._clerk.store
        with store.transaction():
            excess = store.count(Event, status=(DELIVERED, FAILED)) - KEPT
            if excess > 0:
                for event in store.find(Event, status=(DELIVERED, FAILED), limit=excess):
                    store.delete(event)

    def _attempt(self, event: Event) -> None:
        attempt = self._post(event)
        arrived = _is_success(attempt)
        if arrived:
            self._delivered += 1
            every = self._rules.duplicate_every
            if every and self._delivered % every == 0:
                self._remember(event.id, self._post(event))
        self._remember(event.id, attempt)

    def _remember(self, id: str, attempt: dict[str, Any]) -> None:
        store = self._clerk.store
        with store.transaction():
            event = store.get(Event, id)
            if event is None:  # the state was emptied meanwhile
                return
            event.log.append(attempt)
            event.updated_at = attempt["at"]
            self._settle(event, attempt)
            store.put(event)

    def _settle(self, event: Event, attempt: dict[str, Any]) -> None:
        problem = attempt["status"] or attempt["answer"]
        if _is_success(attempt):
            event.status = DELIVERED
        elif event.attempts >= len(RETRY_DELAYS_SECONDS):
            log.error("webhook %s given up: %s", event.id, problem)
            event.status = FAILED
        else:
            delay = RETRY_DELAYS_SECONDS[event.attempts]
            log.warning("webhook %s not delivered (%s), again in %d s", event.id, problem, delay)
            event.next_attempt_at = event.updated_at + delay * 1000
        event.attempts += 1

    def _post(self, event: Event) -> dict[str, Any]:
        """Send once; returns when, the status of the answer, and how it begins."""
        now = self._clerk.clock()
        secrets = self._clerk.config.webhook_secrets
        if not secrets:
            problem = "CLERK_WEBHOOK_SIGNING_SECRET is no longer set"
            return {"at": now, "status": None, "answer": problem}
        url = webhook_url(self._clerk)
        timestamp = now // 1000
        signatures = [sign(secret, event.id, timestamp, event.body) for secret in secrets]
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Svix-Webhooks/local-clerk",
            "svix-id": event.id,
            "svix-timestamp": str(timestamp),
            "svix-signature": " ".join(signatures),
        }
        import requests  # late: it takes longer to load than the rest of us

        try:
            with requests.post(
                url,
                data=event.body.encode(),
                headers=headers,
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
                stream=True,
            ) as answer:
                start = next(answer.iter_content(4 * ANSWER_MAX_LENGTH), b"")
        except requests.RequestException as error:
            return {"at": now, "status": None, "answer": f"{url}: {type(error).__name__}"}
        text = start.decode(errors="replace")[:ANSWER_MAX_LENGTH]
        return {"at": now, "status": answer.status_code, "answer": text}


def webhook_url(clerk: LocalClerk) -> str:
    """The address that webhooks are sent to: in the configuration, else the app's and a path."""
    if clerk.config.webhook_url is not None:
        return clerk.config.webhook_url
    return f"{clerk.config.app_url.rstrip('/')}/{clerk.settings.webhooks.path.lstrip('/')}"


def _is_success(attempt: dict[str, Any]) -> bool:
    return attempt["status"] is not None and 200 <= attempt["status"] < 300
