"""A local Clerk that the app's tests have for themselves: people, organizations, mail, time."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from wsgiref.types import WSGIApplication

from flask.testing import FlaskClient
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from .clerk import LocalClerk
from .handshakes import directives
from .memberships import add_member
from .organization_changes import NewOrganization, create_organization
from .resources import Client, Event, Message, Organization, Session, User
from .server import RequestHandler
from .session_tokens import session_token
from .sessions import Visitor, new_client, start_session, touch_session
from .settings import InstanceSettings
from .testing import Backend
from .users import normalize_email
from .webhooks import DELIVERED, PENDING, WebhookSender, sign


class RunningClock:
    """The real time, in unix milliseconds, plus what has been skipped."""

    def __init__(self) -> None:
        self._skipped = 0

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 + self._skipped

    def skip(self, seconds: float) -> None:
        """Let time pass at once."""
        self._skipped += round(seconds * 1000)


class RunningClerk:
    """One Clerk instance, empty at first, that an app reaches over HTTP.

    Whatever it is told to make goes through the same rules as for Clerk's own clients.

    :param local: the instance, served at its ``config.own_url``.
    :param backend: calls its Backend API.
    :param clock: the clock of ``local``.
    """

    def __init__(self, local: LocalClerk, backend: Backend, clock: RunningClock) -> None:
        self.local = local
        self._backend = backend
        self._clock = clock
        self._events: dict[str, dict[str, Any]] = {}
        self._wake_sender: Callable[[], None] = lambda: None
        local.on_event = self._note_events

    @property
    def environ(self) -> dict[str, str]:
        """Settings of an app that belongs to this instance, by the names of its environment."""
        config = self.local.config
        return {
            "CLERK_PUBLISHABLE_KEY": config.publishable_key,
            "CLERK_SECRET_KEY": config.secret_key,
            "CLERK_EMULATOR_URL": config.own_url,
            "CLERK_WEBHOOK_SIGNING_SECRET": config.webhook_signing_secret or "",
        }

    def now(self) -> float:
        """Unix time in seconds, by Clerk's clock. Give it to the app as its own."""
        return self._clock() / 1000

    def advance(self, seconds: float) -> None:
        """Let time pass at once: tokens expire, sessions end, codes are too late."""
        self._clock.skip(seconds)

    def settings(self, **tables: Any) -> InstanceSettings:
        """Switch settings for this test.

        :param tables: as in a settings file: ``organizations={"enabled": True}``.
        :raises SettingsError: if a setting is unknown or has a wrong value.
        """
        with self.local.store.transaction():
            return self.local.source.switch(tables)

    def create_user(
        self,
        email: str = "ada@example.com",
        *,
        password: str | None = None,
        organization: Organization | None = None,
        role: str | None = None,
        **more: Any,
    ) -> User:
        """Make an account with a verified address.

        :param password: None: they sign in by a code.
        :param organization: lets them into this one.
        :param role: theirs in ``organization``; None: the instance's default.
        :param more: whatever Clerk's ``POST /v1/users`` takes: ``first_name``,
            ``public_metadata``, …
        :raises RuntimeError: if Clerk's rules forbid it.
        """
        body: dict[str, Any] = {"email_address": [normalize_email(email)]} | more
        if password is None:
            body["skip_password_requirement"] = True
        else:
            body |= {"password": password, "skip_password_checks": True}
        made = _accepted(self._backend.send("POST", "/users", **body))
        user = self.local.store.get(User, made["id"])
        assert user is not None  # noqa: S101 - it has just been made
        if organization is not None:
            self.add_member(organization, user, role)
        return user

    def create_organization(
        self, name: str = "Acme", *, created_by: User | None = None, **more: Any
    ) -> Organization:
        """Make an organization; switches organizations on, if need be.

        :param created_by: who becomes its admin; None: nobody belongs to it yet.
        :param more: ``slug``, ``max_allowed_memberships``, ``public_metadata``,
            ``private_metadata``.
        :raises ClerkError: if Clerk's rules forbid it.
        """
        if not self.local.settings.organizations.enabled:
            self.settings(organizations={"enabled": True})
        with self.local.store.transaction():
            return create_organization(self.local, NewOrganization(name, **more), created_by)

    def add_member(self, organization: Organization, user: User, role: str | None = None) -> None:
        """Let somebody into an organization.

        :param role: such as ``org:admin``; None: the instance's default.
        """
        role = role or self.local.settings.organizations.default_role
        with self.local.store.transaction():
            add_member(self.local, organization, user, role)

    def sign_in(
        self, client: FlaskClient, user: User, organization: Organization | None = None
    ) -> Session:
        """Sign somebody in, in a test client of the app: afterwards it has real cookies.

        :param organization: the active one; None: their personal account.
        """
        browser, session = self._start_session(user, organization)
        for name, value in self.cookies(browser).items():
            client.set_cookie(name, value)
        return session

    def session_token(self, user: User, organization: Organization | None = None) -> str:
        """A session token for ``Authorization: Bearer``, good for a minute."""
        _, session = self._start_session(user, organization)
        return session_token(self.local, session, self.local.app_origin)

    def cookies_for(self, user: User, organization: Organization | None = None) -> dict[str, str]:
        """The cookies of a browser in which somebody has just signed in."""
        return self.cookies(self._start_session(user, organization)[0])

    def cookies(self, browser: Client) -> dict[str, str]:
        """What Clerk and Clerk.js keep in a browser, by name."""
        pairs = (
            line.partition(";")[0].partition("=")
            for line in directives(self.local, browser, self.local.app_origin)
        )
        return {name: value for name, _, value in pairs if value}

    def inbox(self, to: str | None = None) -> list[Message]:
        """E-mails and SMS that would have been sent, oldest first: ``code`` and ``link`` in each.

        :param to: an address or number; None: everybody's.
        """
        messages = self.local.store.find(Message)
        return [message for message in messages if to is None or message.to == to.lower()]

    @property
    def webhooks(self) -> list[dict[str, Any]]:
        """Every event so far, oldest first: ``type``, ``data``, …"""
        return list(self._events.values())

    def deliver_webhooks(self, client: FlaskClient) -> None:
        """Send what is waiting to the app's webhook address, signed, and in order.

        :raises RuntimeError: if the app refuses one.
        """
        path = self.local.settings.webhooks.path
        for event in self.local.store.find(Event, status=PENDING):
            answer = client.post(path, data=event.body, headers=self._headers(event))
            _accepted(answer)
            event.status = DELIVERED
            self.local.store.put(event)

    @contextmanager
    def serve(self, app: WSGIApplication) -> Iterator[str]:
        """Serve the app that belongs to this instance, which sends its webhooks there.

        :returns: the app's address.
        """
        with serving(app) as port:
            self.local.config = replace(self.local.config, app_url=f"http://localhost:{port}")
            sender = WebhookSender(self.local)
            self._wake_sender, self.local.on_event = self.local.on_event, self._note_events
            sender.start()
            try:
                yield self.local.config.app_url
            finally:
                sender.stop()

    def _start_session(
        self, user: User, organization: Organization | None
    ) -> tuple[Client, Session]:
        with self.local.store.transaction():
            browser = new_client(self.local)
            visitor = Visitor("test", "127.0.0.1")
            session = start_session(self.local, browser, user, "password", visitor)
            active = organization.id if organization else ""
            touch_session(self.local, browser, session, active)
        return browser, session

    def _headers(self, event: Event) -> dict[str, str]:
        now = int(self.now())
        secrets = self.local.config.webhook_secrets
        return {
            "svix-id": event.id,
            "svix-timestamp": str(now),
            "svix-signature": " ".join(
                sign(secret, event.id, now, event.body) for secret in secrets
            ),
        }

    def _note_events(self) -> None:
        for event in self.local.store.find(Event):
            self._events.setdefault(event.id, json.loads(event.body))
        self._wake_sender()


@contextmanager
def serving(app: WSGIApplication, port: int = 0) -> Iterator[int]:
    """Serve an application on this machine, from a thread.

    :param port: 0 takes any free one.
    :returns: the port.
    """
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=RequestHandler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def _accepted(answer: TestResponse) -> Any:
    if answer.status_code >= 400:
        raise RuntimeError(f"{answer.request.path} answered {answer.status}: {answer.text[:500]}")
    return answer.get_json(silent=True)
