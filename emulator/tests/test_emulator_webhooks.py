"""Webhooks, delivered to a real server on this machine."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from clerk_emulator import EmulatorConfig, webhooks
from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import Event
from clerk_emulator.testing import Backend, Browser, ManualClock, example_config
from clerk_emulator.webhooks import RETRY_DELAYS_SECONDS, WebhookSender, send_again, sign


@dataclass
class Receiver:
    """The requests that the app's server got, and the status of its responses."""

    url: str
    status: int = 204
    posts: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def types(self) -> list[str]:
        return [json.loads(body)["type"] for _, _, body in self.posts]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.posts.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(found.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    found = Receiver(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def config(config: EmulatorConfig, receiver: Receiver, tmp_path: Path) -> EmulatorConfig:
    settings = tmp_path / "settings.toml"
    settings.write_text('[webhooks]\nevents = ["user.*", "session.*"]\n')
    return example_config(tmp_path, app_url=receiver.url, settings=settings)


@pytest.fixture
def sender(clerk: LocalClerk) -> WebhookSender:
    return WebhookSender(clerk)


def test_the_signature_is_like_svixs(
    ada: Browser, sender: WebhookSender, receiver: Receiver, config: EmulatorConfig
) -> None:
    sender.deliver_due()
    path, headers, body = receiver.posts[0]
    secret = base64.b64decode(str(config.webhook_signing_secret).removeprefix("whsec_"))
    signed = f"{headers['svix-id']}.{headers['svix-timestamp']}.".encode() + body
    digest = hmac.new(secret, signed, hashlib.sha256).digest()
    assert path == "/webhooks/clerk"
    assert headers["svix-signature"] == f"v1,{base64.b64encode(digest).decode()}"


def test_an_event_has_clerks_envelope(
    ada: Browser, sender: WebhookSender, receiver: Receiver, config: EmulatorConfig
) -> None:
    sender.deliver_due()
    event = json.loads(receiver.posts[0][2])
    assert event["object"] == "event"
    assert event["type"] == "user.created"
    assert event["instance_id"] == config.instance_id
    assert event["data"]["email_addresses"][0]["email_address"] == "ada@example.com"


def test_every_change_sends_an_event(
    ada: Browser, backend: Backend, sender: WebhookSender, receiver: Receiver
) -> None:
    session = ada.session()
    ada.post("/me", "PATCH", first_name="Ada")
    ada.post(f"/client/sessions/{session['id']}/end")
    ada.sign_in("ada@example.com")
    backend.send("POST", f"/sessions/{ada.session()['id']}/revoke")
    ada.sign_in("ada@example.com")
    ada.post("/client/sessions", "DELETE")
    backend.send("DELETE", f"/users/{session['user']['id']}")
    sender.deliver_due()
    assert receiver.types() == [
        "user.created",
        "session.created",
        "user.updated",
        "session.ended",
        "session.created",
        "session.revoked",
        "session.created",
        "session.removed",
        "user.deleted",
    ]


def test_the_event_of_a_deleted_user_has_only_the_id(
    ada: Browser, sender: WebhookSender, receiver: Receiver
) -> None:
    id = ada.session()["user"]["id"]
    ada.post("/me", "DELETE")
    sender.deliver_due()
    data = json.loads(receiver.posts[-1][2])["data"]
    assert data == {"object": "user", "id": id, "deleted": True}


def test_a_failed_webhook_is_retried_with_the_same_id(
    ada: Browser, sender: WebhookSender, receiver: Receiver, clock: ManualClock
) -> None:
    receiver.status = 500
    wait = sender.deliver_due()
    receiver.status = 204
    clock.forward(seconds=wait)
    sender.deliver_due()
    ids = [headers["svix-id"] for _, headers, _ in receiver.posts]
    assert wait == RETRY_DELAYS_SECONDS[0]
    assert ids[:2] == ids[2:]


def test_retries_stop_after_the_last_delay(
    ada: Browser, sender: WebhookSender, receiver: Receiver, clerk: LocalClerk, clock: ManualClock
) -> None:
    receiver.status = 500
    for _ in range(len(RETRY_DELAYS_SECONDS) + 1):
        clock.forward(seconds=sender.deliver_due())
    assert {event.status for event in clerk.store.find(Event)} == {"failed"}
    assert len(receiver.posts) == 2 * (len(RETRY_DELAYS_SECONDS) + 1)


def test_a_failed_request_sends_no_event(
    ada: Browser, browser: Browser, sender: WebhookSender, receiver: Receiver
) -> None:
    sender.deliver_due()
    told = len(receiver.posts)
    ada.post("/me/change_password", current_password="wrong", new_password="another horse 8")
    sender.deliver_due()
    assert len(receiver.posts) == told


def test_without_a_secret_nothing_is_sent(tmp_path: Path, clerk: LocalClerk, ada: Browser) -> None:
    before = clerk.store.count(Event)
    clerk.config = example_config(tmp_path, webhook_signing_secret=None)
    ada.post("/me", "PATCH", first_name="Ada")
    assert clerk.store.count(Event) == before


def test_the_log_has_the_apps_response(
    ada: Browser, sender: WebhookSender, receiver: Receiver, clerk: LocalClerk, clock: ManualClock
) -> None:
    receiver.status = 503
    clock.forward(seconds=sender.deliver_due())
    receiver.status = 204
    sender.deliver_due()
    event = clerk.store.find(Event)[0]
    assert (event.type, event.status) == ("user.created", "delivered")
    assert [attempt["status"] for attempt in event.log] == [503, 204]


def test_a_delivered_webhook_can_be_sent_again(
    ada: Browser, sender: WebhookSender, receiver: Receiver, clerk: LocalClerk
) -> None:
    sender.deliver_due()
    send_again(clerk, reversed(clerk.store.find(Event)))
    sender.deliver_due()
    ids = [headers["svix-id"] for _, headers, _ in receiver.posts]
    assert ids[2:] == ids[1::-1]
    assert receiver.types()[2:] == ["session.created", "user.created"]


def test_duplicates_are_sent_at_the_configured_interval(
    ada: Browser, sender: WebhookSender, receiver: Receiver, clerk: LocalClerk
) -> None:
    clerk.source.replace({"webhooks": {"duplicate_every": 2}})
    sender.deliver_due()
    assert receiver.types() == ["user.created", "session.created", "session.created"]


def test_webhooks_wait_while_paused(
    ada: Browser, sender: WebhookSender, receiver: Receiver, clerk: LocalClerk
) -> None:
    clerk.source.replace({"webhooks": {"paused": True}})
    sender.deliver_due()
    assert receiver.posts == []
    clerk.source.replace({"webhooks": {"shuffle": True}})
    sender.deliver_due()
    assert sorted(receiver.types()) == ["session.created", "user.created"]


@pytest.mark.parametrize("path", ["hooks/in", "/hooks/in", "//hooks/in"])
def test_the_path_is_a_setting(
    ada: Browser, sender: WebhookSender, receiver: Receiver, clerk: LocalClerk, path: str
) -> None:
    clerk.source.replace({"webhooks": {"path": path}})
    sender.deliver_due()
    assert {path for path, _, _ in receiver.posts} == {"/hooks/in"}


def test_every_secret_signs_during_a_rotation(
    ada: Browser, sender: WebhookSender, receiver: Receiver, clerk: LocalClerk, tmp_path: Path
) -> None:
    old, new = (f"whsec_{base64.b64encode(text).decode()}" for text in (b"old", b"new"))
    secrets = f"{new}, {old}"
    clerk.config = example_config(tmp_path, app_url=receiver.url, webhook_signing_secret=secrets)
    sender.deliver_due()
    _, headers, body = receiver.posts[0]
    signed = (headers["svix-id"], int(headers["svix-timestamp"]), body.decode())
    assert headers["svix-signature"].split() == [sign(new, *signed), sign(old, *signed)]


def test_only_recent_events_are_kept(
    ada: Browser, sender: WebhookSender, clerk: LocalClerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "KEPT", 1)
    sender.deliver_due()
    assert [event.type for event in clerk.store.find(Event)] == ["session.created"]


def test_moving_the_clock_does_not_change_the_time_of_signatures(
    ada: Browser, sender: WebhookSender, receiver: Receiver, clerk: LocalClerk, clock: ManualClock
) -> None:
    clerk.travel(3_600_000)
    ada.post("/me", "PATCH", first_name="Ada")
    sender.deliver_due()
    _, headers, body = receiver.posts[-1]
    assert int(headers["svix-timestamp"]) == clock() // 1000
    assert json.loads(body)["timestamp"] == clerk.now
