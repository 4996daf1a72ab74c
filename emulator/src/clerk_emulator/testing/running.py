"""A local Clerk for one test: users, organizations, messages, webhooks and time under control."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, TypeVar
from wsgiref.types import WSGIApplication

from flask.testing import FlaskClient
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from ..app import create_emulator
from ..clerk import EXTENSION, LocalClerk
from ..handshakes import directives
from ..memberships import add_member
from ..organization_changes import NewOrganization, create_organization
from ..resources import (
    Client,
    Event,
    Message,
    Organization,
    OrganizationMembership,
    Resource,
    Session,
    User,
)
from ..server import RequestHandler
from ..session_tokens import session_token
from ..sessions import Visitor, new_client, start_session, touch_session, user_sessions
from ..settings import InstanceSettings
from ..users import normalize_email
from ..webhooks import DELIVERED, PENDING, WebhookSender, sign
from .clients import Backend, example_config

R = TypeVar("R", bound=Resource)


class OpenPage(Protocol):
    """The type of the fixture ``browser_page``."""

    def __call__(self, user: User | None = None, organization: Organization | None = None) -> Any:
        """Open a page in a new browser context.

        :param user: signed in there; None: no user.
        :param organization: the user's active organization; None: the personal account.
        :returns: a Playwright ``Page`` whose base URL is the app.
        """


class RunningClock:
    """The real time in Unix milliseconds, plus the time that has been skipped."""

    def __init__(self) -> None:
        self._skipped = 0

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 + self._skipped

    def skip(self, seconds: float) -> None:
        """Move the clock forward."""
        self._skipped += round(seconds * 1000)


class RunningClerk:
    """One Clerk instance, empty at first, that an app reaches over HTTP.

    Changes made here follow the same rules as requests of Clerk's own clients, and cause the same
    webhook events. The objects returned are copies: read them again after a change.

    :param local: the instance, served at its ``config.own_url``.
    :param backend: calls the instance's Backend API.
    :param clock: the clock of ``local``.
    """

    def __init__(self, local: LocalClerk, backend: Backend, clock: RunningClock) -> None:
        self._local = local
        self._backend = backend
        self._clock = clock
        self._events: dict[str, dict[str, Any]] = {}
        self._wake_sender: Callable[[], None] = lambda: None
        local.on_event = self._note_events

    @property
    def url(self) -> str:
        """The emulator's address, without a trailing slash: the app's Clerk proxy URL."""
        return self._local.config.own_url

    @property
    def api_url(self) -> str:
        """The base URL of the Backend API, without ``/v1``: ``CLERK_API_URL`` of Clerk's SDKs."""
        return f"{self.url}/api"

    @property
    def environ(self) -> dict[str, str]:
        """Environment variables of an app that uses this instance."""
        config = self._local.config
        return {
            "CLERK_PUBLISHABLE_KEY": config.publishable_key,
            "CLERK_SECRET_KEY": config.secret_key,
            "CLERK_EMULATOR_URL": config.own_url,
            "CLERK_WEBHOOK_SIGNING_SECRET": config.webhook_signing_secret or "",
        }

    def now(self) -> float:
        """Clerk's time in Unix seconds. Pass this function to the app as its clock."""
        return self._clock() / 1000

    def advance(self, seconds: float) -> None:
        """Move Clerk's clock forward: tokens expire, sessions end, codes become invalid."""
        self._clock.skip(seconds)

    def settings(self, **tables: Any) -> InstanceSettings:
        """Change settings of the instance, for this test.

        :param tables: as in a settings file: ``organizations={"enabled": True}``.
        :returns: all settings, with the change.
        :raises SettingsError: if a setting is unknown or has a wrong value.
        """
        with self._local.store.transaction():
            return self._local.source.switch(tables)

    def users(self) -> list[User]:
        """Return all users, oldest first."""
        return self._local.store.find(User)

    def create_user(
        self,
        email: str = "ada@example.com",
        *,
        password: str | None = None,
        organization: Organization | None = None,
        role: str | None = None,
        **more: Any,
    ) -> User:
        """Create a user with a verified email address.

        :param password: None: the user signs in with an email code.
        :param organization: an organization that the user joins.
        :param role: the user's role in ``organization``; None: the instance's default role.
        :param more: other fields of Clerk's ``POST /v1/users``: ``first_name``,
            ``public_metadata``, …
        :raises RuntimeError: if Clerk's rules forbid it.
        """
        body: dict[str, Any] = {"email_address": [normalize_email(email)]} | more
        if password is None:
            body["skip_password_requirement"] = True
        else:
            body |= {"password": password, "skip_password_checks": True}
        user = self._get(User, self._send("POST", "/users", **body)["id"])
        if organization is not None:
            self.add_member(organization, user, role)
        return user

    def update_user(self, user: User, **changes: Any) -> User:
        """Change a user.

        :param changes: fields of Clerk's ``PATCH /v1/users/{user_id}``: ``first_name``,
            ``public_metadata``, …
        :returns: the user, with the changes.
        :raises RuntimeError: if the user doesn't exist or Clerk's rules forbid the change.
        """
        self._send("PATCH", f"/users/{user.id}", **changes)
        return self._get(User, user.id)

    def delete_user(self, user: User) -> None:
        """Delete a user, their sessions and memberships.

        :raises RuntimeError: if the user doesn't exist.
        """
        self._send("DELETE", f"/users/{user.id}")

    def organizations(self) -> list[Organization]:
        """Return all organizations, oldest first."""
        return self._local.store.find(Organization)

    def create_organization(
        self, name: str = "Acme", *, created_by: User | None = None, **more: Any
    ) -> Organization:
        """Create an organization. Enables organizations for the instance first, if necessary.

        :param created_by: the user that becomes its admin; None: it has no members yet.
        :param more: ``slug``, ``max_allowed_memberships``, ``public_metadata``,
            ``private_metadata``.
        :raises ClerkError: if Clerk's rules forbid it.
        """
        if not self._local.settings.organizations.enabled:
            self.settings(organizations={"enabled": True})
        with self._local.store.transaction():
            return create_organization(self._local, NewOrganization(name, **more), created_by)

    def update_organization(self, organization: Organization, **changes: Any) -> Organization:
        """Change an organization.

        :param changes: fields of Clerk's ``PATCH /v1/organizations/{organization_id}``: ``name``,
            ``slug``, ``public_metadata``, …
        :returns: the organization, with the changes.
        :raises RuntimeError: if the organization doesn't exist or Clerk's rules forbid the change.
        """
        self._send("PATCH", f"/organizations/{organization.id}", **changes)
        return self._get(Organization, organization.id)

    def delete_organization(self, organization: Organization) -> None:
        """Delete an organization and its memberships.

        :raises RuntimeError: if the organization doesn't exist.
        """
        self._send("DELETE", f"/organizations/{organization.id}")

    def memberships(
        self, *, organization: Organization | None = None, user: User | None = None
    ) -> list[OrganizationMembership]:
        """Return memberships, oldest first.

        :param organization: only memberships of this organization; None: of every organization.
        :param user: only memberships of this user; None: of every user.
        """
        wanted = {"organization_id": organization, "user_id": user}
        ids: dict[str, Any] = {
            name: owner.id for name, owner in wanted.items() if owner is not None
        }
        return self._local.store.find(OrganizationMembership, **ids)

    def add_member(
        self, organization: Organization, user: User, role: str | None = None
    ) -> OrganizationMembership:
        """Add a user to an organization.

        :param role: such as ``org:admin``; None: the instance's default role.
        :raises ClerkError: if Clerk's rules forbid it.
        """
        role = role or self._local.settings.organizations.default_role
        with self._local.store.transaction():
            return add_member(self._local, organization, user, role)

    def change_role(self, organization: Organization, user: User, role: str) -> None:
        """Change a member's role.

        :param role: such as ``org:admin``.
        :raises RuntimeError: if the user isn't a member or Clerk's rules forbid the change.
        """
        self._send("PATCH", _membership_path(organization, user), role=role)

    def remove_member(self, organization: Organization, user: User) -> None:
        """Remove a user from an organization.

        :raises RuntimeError: if the user isn't a member or Clerk's rules forbid it.
        """
        self._send("DELETE", _membership_path(organization, user))

    def sessions(self, user: User) -> list[Session]:
        """Return the sessions in which a user is signed in, newest first."""
        with self._local.store.transaction():
            return user_sessions(self._local, user)

    def revoke_session(self, session: Session) -> None:
        """End a session, as Clerk's dashboard does. Tokens issued before stay valid for a minute.

        :raises RuntimeError: if the session doesn't exist.
        """
        self._send("POST", f"/sessions/{session.id}/revoke")

    def sign_in(
        self, client: FlaskClient, user: User, organization: Organization | None = None
    ) -> Session:
        """Sign a user in: give a test client of the app the cookies of a new session.

        :param organization: the active organization; None: the personal account.
        """
        browser, session = self._start_session(user, organization)
        for name, value in self._cookies(browser).items():
            client.set_cookie(name, value)
        return session

    def session_token(self, user: User, organization: Organization | None = None) -> str:
        """Return a session token for ``Authorization: Bearer``, valid for 60 seconds.

        :param organization: the active organization; None: the personal account.
        """
        _, session = self._start_session(user, organization)
        return session_token(self._local, session, self._local.app_origin)

    def cookies_for(self, user: User, organization: Organization | None = None) -> dict[str, str]:
        """Return the cookies of a browser in which a user has just signed in, by name.

        :param organization: the active organization; None: the personal account.
        """
        return self._cookies(self._start_session(user, organization)[0])

    def _cookies(self, browser: Client) -> dict[str, str]:
        """Return the cookies that Clerk and Clerk.js keep in a browser, by name."""
        pairs = (
            line.partition(";")[0].partition("=")
            for line in directives(self._local, browser, self._local.app_origin)
        )
        return {name: value for name, _, value in pairs if value}

    def inbox(self, to: str | None = None) -> list[Message]:
        """Return the emails and text messages that Clerk would have sent, oldest first.

        Each has ``subject``, ``body``, and the ``code`` or ``link`` it contains.

        :param to: an email address or a phone number; None: messages to every recipient.
        """
        messages = self._local.store.find(Message)
        return [message for message in messages if to is None or message.to == to.lower()]

    @property
    def webhooks(self) -> list[dict[str, Any]]:
        """Every webhook event so far, oldest first: ``type``, ``data``, …"""
        return list(self._events.values())

    def deliver_webhooks(self, client: FlaskClient) -> None:
        """Send waiting webhook events to a test client of the app, signed and in order.

        :raises RuntimeError: if the app doesn't accept one.
        """
        path = self._local.settings.webhooks.path
        for event in self._local.store.find(Event, status=PENDING):
            answer = client.post(path, data=event.body, headers=self._headers(event))
            _accepted(answer)
            event.status = DELIVERED
            self._local.store.put(event)

    @contextmanager
    def serve(self, app: WSGIApplication, port: int = 0) -> Iterator[str]:
        """Serve an app that uses this instance. The emulator sends its webhooks there.

        :param port: 0: any free port.
        :returns: the app's address.
        """
        with serving(app, port) as port:
            self._local.config = replace(self._local.config, app_url=f"http://localhost:{port}")
            with self._sending_webhooks():
                yield self._local.config.app_url

    @contextmanager
    def _sending_webhooks(self) -> Iterator[None]:
        """Deliver webhook events to the app's address in the background, with retries."""
        sender = WebhookSender(self._local)
        self._wake_sender, self._local.on_event = self._local.on_event, self._note_events
        sender.start()
        try:
            yield
        finally:
            sender.stop()

    def _send(self, method: str, path: str, **body: Any) -> Any:
        return _accepted(self._backend.send(method, path, **body))

    def _get(self, kind: type[R], id: str) -> R:
        found = self._local.store.get(kind, id)
        assert found is not None  # noqa: S101 - the Backend API has just answered with it
        return found

    def _start_session(
        self, user: User, organization: Organization | None
    ) -> tuple[Client, Session]:
        with self._local.store.transaction():
            browser = new_client(self._local)
            visitor = Visitor("test", "127.0.0.1")
            session = start_session(self._local, browser, user, "password", visitor)
            active = organization.id if organization else ""
            touch_session(self._local, browser, session, active)
        return browser, session

    def _headers(self, event: Event) -> dict[str, str]:
        now = int(self.now())
        secrets = self._local.config.webhook_secrets
        return {
            "Content-Type": "application/json",
            "svix-id": event.id,
            "svix-timestamp": str(now),
            "svix-signature": " ".join(
                sign(secret, event.id, now, event.body) for secret in secrets
            ),
        }

    def _note_events(self) -> None:
        for event in self._local.store.find(Event):
            self._events.setdefault(event.id, json.loads(event.body))
        self._wake_sender()


@contextmanager
def running_clerk(folder: Path, *, port: int = 0, **config: Any) -> Iterator[RunningClerk]:
    """Run a local Clerk in this process, served over HTTP from a thread. It needs no pytest.

    :param folder: for the state file.
    :param port: 0: any free port.
    :param config: other fields of :class:`~clerk_emulator.EmulatorConfig`, such as ``app_url``,
        ``publishable_key`` or ``seeds``; keys default to an example instance's. With ``app_url``,
        webhook events are delivered to the app there; it may start later.
    :raises RefusalError: if the configuration or one of its files can't be used.
    """
    clock = RunningClock()
    emulator = create_emulator(example_config(folder, **config), clock)
    local: LocalClerk = emulator.extensions[EXTENSION]
    try:
        with serving(emulator, port) as port:
            local.config = replace(local.config, port=port)
            clerk = RunningClerk(local, Backend(emulator, local.config.secret_key), clock)
            with clerk._sending_webhooks() if "app_url" in config else nullcontext():
                yield clerk
    finally:
        local.store.close()


@contextmanager
def serving(app: WSGIApplication, port: int = 0) -> Iterator[int]:
    """Serve a WSGI app on 127.0.0.1, from a thread.

    :param port: 0: any free port.
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


def _membership_path(organization: Organization, user: User) -> str:
    return f"/organizations/{organization.id}/memberships/{user.id}"


def _accepted(answer: TestResponse) -> Any:
    if answer.status_code >= 400:
        raise RuntimeError(f"{answer.request.path} answered {answer.status}: {answer.text[:500]}")
    return answer.get_json(silent=True)
