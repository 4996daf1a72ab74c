"""Sends webhooks as Svix does for Clerk: signed, in the background, again until they arrive."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import threading

import requests

from .clerk import LocalClerk
from .config import webhook_signing_key
from .resources import Event

log = logging.getLogger(__name__)

WEBHOOK_PATH = "/webhooks/clerk"
TIMEOUT_SECONDS = (2, 10)
RETRY_DELAYS_SECONDS = (1, 5, 30, 120, 600)
IDLE_SECONDS = 60.0


def sign(secret: str, id: str, timestamp: int, body: str) -> str:
    """The ``svix-signature`` header: ``v1,`` + base64 of HMAC-SHA256 over ``id.timestamp.body``.

    :param secret: ``whsec_…``.
    :param timestamp: unix seconds.
    """
    content = f"{id}.{timestamp}.{body}".encode()
    digest = hmac.new(webhook_signing_key(secret), content, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


class WebhookSender:
    """Delivers the queued events of one instance, oldest first."""

    def __init__(self, clerk: LocalClerk) -> None:
        self._clerk = clerk
        self._url = clerk.config.app_url.rstrip("/") + WEBHOOK_PATH
        self._wake = threading.Event()
        self._stopped = False
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
            self._wake.wait(self.deliver_due())
            self._wake.clear()

    def deliver_due(self) -> float:
        """Try every event that is due, once.

        :returns: seconds until there is something to do again.
        """
        for event in self._clerk.store.find(Event):
            if self._stopped:
                break
            if event.next_attempt_at <= self._clerk.now:
                self._attempt(event)
        waiting = self._clerk.store.find(Event)
        due = min((event.next_attempt_at for event in waiting), default=None)
        return IDLE_SECONDS if due is None else max(0.0, (due - self._clerk.now) / 1000)

    def _attempt(self, event: Event) -> None:
        problem = self._post(event)
        if problem is None:
            self._clerk.store.delete(event)
            return
        if event.attempts >= len(RETRY_DELAYS_SECONDS):
            log.error("webhook %s given up: %s", event.id, problem)
            self._clerk.store.delete(event)
            return
        delay = RETRY_DELAYS_SECONDS[event.attempts]
        log.warning("webhook %s not delivered (%s), again in %d s", event.id, problem, delay)
        event.attempts += 1
        event.updated_at = self._clerk.now
        event.next_attempt_at = event.updated_at + delay * 1000
        self._clerk.store.put(event)

    def _post(self, event: Event) -> str | None:
        """Send once; returns what went wrong, or None."""
        secret = self._clerk.config.webhook_signing_secret
        if secret is None:
            return "CLERK_WEBHOOK_SIGNING_SECRET is not set any more"
        timestamp = self._clerk.now // 1000
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Svix-Webhooks/local-clerk",
            "svix-id": event.id,
            "svix-timestamp": str(timestamp),
            "svix-signature": sign(secret, event.id, timestamp, event.body),
        }
        try:
            answer = requests.post(
                self._url,
                data=event.body.encode(),
                headers=headers,
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            return f"{self._url}: {type(error).__name__}"
        arrived = 200 <= answer.status_code < 300
        return None if arrived else f"{self._url} answered {answer.status_code}"
