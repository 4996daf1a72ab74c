"""One signal is sent for each event, after its rows are committed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from blinker import NamedSignal
from flask import Flask
from flask.testing import FlaskClient

from app.accounts.models import User
from app.clerk.webhooks import WebhookEvent
from app.clerk_sync import deliveries, signals
from app.clerk_sync.tables import WebhookDelivery
from app.database import db
from clerk_emulator.testing import RunningClerk
from tests.app_fixtures import ALICE, ON_BOTH_DATABASES
from tests.tools import ROOT

from .deliveries import deleted, deliver, event, membership, stored

pytestmark = ON_BOTH_DATABASES

CREATED = event("user.created", ALICE)
RENAMED = {**ALICE, "first_name": "Alicia", "updated_at": ALICE["updated_at"] + 1}
UPDATED = event("user.updated", RENAMED)

ReceivedSignals = list[tuple[str, str]]
"""The type of each event, and the ID of its object."""

Listen = Callable[..., ReceivedSignals]


@pytest.fixture
def listen() -> Iterator[Listen]:
    """A function that records the signals it is given, until the test ends."""
    with ExitStack() as stack:

        def listen(*asked: NamedSignal) -> ReceivedSignals:
            received: ReceivedSignals = []

            def record(app: Flask, data: dict[str, Any], event: WebhookEvent) -> None:
                received.append((event.type, data["id"]))

            for signal in asked:
                stack.enter_context(signal.connected_to(record))
            return received

        yield listen


def test_each_type_of_event_has_a_signal(client: FlaskClient, listen: Listen) -> None:
    named = [value for value in vars(signals).values() if isinstance(value, NamedSignal)]
    assert len(named) == 9
    received = listen(*named)
    joined = membership()
    for kind, data in (("user", ALICE), ("organization", joined["organization"])):
        deliver(client, event(f"{kind}.created", data))
        deliver(client, event(f"{kind}.updated", {**data, "updated_at": 1_800_000_000_000}))
    deliver(client, event("organizationMembership.created", joined))
    changed = {**joined, "role": "org:admin", "updated_at": 1_800_000_000_000}
    deliver(client, event("organizationMembership.updated", changed))
    for kind, id in (
        ("organizationMembership", "orgmem_1"),
        ("organization", "org_acme"),
        ("user", ALICE["id"]),
    ):
        deliver(client, deleted(kind, id))
    assert sorted(type for type, _ in received) == sorted(deliveries.EVENT_HANDLERS)


def test_repeated_delivery_sends_one_signal(client: FlaskClient, listen: Listen) -> None:
    received = listen(signals.user_created)
    for _ in range(3):
        assert deliver(client, CREATED).status_code == 200
    assert received == [("user.created", ALICE["id"])]


def test_row_is_committed_before_its_signal(app: Flask, client: FlaskClient) -> None:
    seen = []

    def look(app: Flask, data: dict[str, Any], event: WebhookEvent) -> None:
        seen.append((db.session.get_one(User, data["id"]).name, event.delivery_id))

    with signals.user_created.connected_to(look, app):
        deliver(client, CREATED)
    assert seen == [("Alice Example", CREATED.id)]


def test_created_event_has_a_signal_even_if_the_row_exists(client: FlaskClient, listen: Listen) -> None:
    received = listen(signals.user_created, signals.user_updated)
    deliver(client, UPDATED)
    deliver(client, CREATED)
    deliver(client, event("user.updated", {**RENAMED, "updated_at": 5}))
    assert [type for type, _ in received] == ["user.updated", "user.created"]


def test_late_events_of_a_deleted_user_send_no_signal(client: FlaskClient, listen: Listen) -> None:
    received = listen(signals.user_created, signals.user_updated, signals.user_deleted)
    for one in (deleted("user", ALICE["id"]), CREATED, UPDATED):
        deliver(client, one)
    assert [type for type, _ in received] == ["user.deleted"]


def test_events_without_rows_have_signals_too(client: FlaskClient, listen: Listen) -> None:
    received = listen(signals.event_signal("session.created"))
    deliver(client, event("session.created", {"id": "sess_1"}))
    assert received == [("session.created", "sess_1")]


def test_failed_receiver_is_called_again(app: Flask, client: FlaskClient) -> None:
    app.testing = False
    calls = []

    def fail_once(app: Flask, data: dict[str, Any], event: WebhookEvent) -> None:
        calls.append(data["id"])
        if len(calls) == 1:
            raise RuntimeError("the mail server is down")

    with signals.user_created.connected_to(fail_once):
        assert deliver(client, CREATED).status_code == 500
        with app.app_context():  # a change that applying the event again would overwrite
            db.session.get_one(User, ALICE["id"]).first_name = "Changed"
            db.session.commit()
        assert [deliver(client, CREATED).status_code for _ in range(2)] == [200, 200]
    assert calls == [ALICE["id"]] * 2
    user = stored(app, User, ALICE["id"])
    assert user
    assert user.first_name == "Changed"


def test_sessions_that_end_in_clerk_have_signals(site: Flask, clerk: RunningClerk) -> None:
    received = []

    def note(app: Flask, data: dict[str, Any], event: WebhookEvent) -> None:
        received.append(data["user_id"])

    browser, ada = site.test_client(), clerk.create_user("ada@example.com")
    with signals.event_signal("session.revoked").connected_to(note):
        clerk.revoke_session(clerk.sign_in(browser, ada))
        clerk.deliver_webhooks(browser)
    assert received == [ada.id]


def test_simultaneous_deliveries_send_one_signal(app: Flask, listen: Listen) -> None:
    received = listen(signals.user_created)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: deliver(app.test_client(), CREATED), range(32)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(received) == 1


DIES = """
import json, os, signal, sys
from app import create_app
from app.clerk.webhooks import WebhookEvent
from app.clerk_sync.deliveries import receive_delivery, send_signal_now
from app.clerk_sync.signals import user_created

@user_created.connect
def die(app, data, event):
    os.kill(os.getpid(), signal.SIGKILL)

delivery = WebhookEvent(*json.loads(sys.argv[1]))
with create_app().app_context():
    receive_delivery(delivery)
    send_signal_now(delivery)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_signal_of_a_killed_worker_is_sent_again(
    app: Flask,
    client: FlaskClient,
    environ: dict[str, str],
    listen: Listen,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command = [sys.executable, "-c", DIES, json.dumps(CREATED)]
    died = subprocess.run(command, cwd=ROOT, env={**os.environ, **environ}, check=False)
    assert died.returncode == -9
    assert stored(app, User, ALICE["id"])
    received = listen(signals.user_created)
    monkeypatch.setattr(deliveries, "WAITS", (0,))
    assert deliver(client, CREATED).status_code == 503  # the worker might still be sending it
    monkeypatch.setattr(deliveries, "CLAIM_LEASE", deliveries.CLAIM_LEASE * 0)
    assert deliver(client, CREATED).status_code == 200
    assert deliver(client, CREATED).status_code == 200
    assert received == [("user.created", ALICE["id"])]
    noted = stored(app, WebhookDelivery, CREATED.id)
    assert noted
    assert noted.outcome == "applied"
