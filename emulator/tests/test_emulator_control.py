"""The control API, for tests and commands."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from clerk_emulator import EmulatorConfig
from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import Event, Session, User
from clerk_emulator.testing import Browser, error_of
from clerk_emulator.verifications import send_message


class Control:
    """Calls the control API with a secret key."""

    def __init__(self, emulator: Flask, secret_key: str) -> None:
        self.http = emulator.test_client()
        self.headers = {"Authorization": f"Bearer {secret_key}"}

    def send(self, method: str, path: str, **body: Any) -> TestResponse:
        url = f"/emulator{path}"
        sent: dict[str, Any] = {"json": body} if body else {}
        return self.http.open(url, method=method, headers=self.headers, **sent)


@pytest.fixture
def control(emulator: Flask, config: EmulatorConfig) -> Control:
    return Control(emulator, config.secret_key)


@pytest.mark.parametrize("secret", ["", "sk_test_other", "sk_test_exampl", "sk_test_examplee"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/settings"),
        ("PATCH", "/settings"),
        ("PUT", "/settings"),
        ("DELETE", "/settings"),
        ("GET", "/inbox"),
        ("DELETE", "/inbox"),
        ("GET", "/clock"),
        ("POST", "/clock"),
        ("DELETE", "/clock"),
        ("POST", "/seeds"),
        ("DELETE", "/state"),
        ("GET", "/webhooks"),
    ],
)
def test_a_wrong_secret_key_is_rejected(
    emulator: Flask, ada: Browser, clerk: LocalClerk, secret: str, method: str, path: str
) -> None:
    assert Control(emulator, secret).send(method, path).status_code == 401
    assert clerk.store.count(User) == 1


def test_settings_are_changed_and_reset(control: Control) -> None:
    changed = control.send("PATCH", "/settings", organizations={"enabled": True}).get_json()
    assert changed["organizations"]["enabled"] is True
    control.send("PATCH", "/settings", sign_up={"mode": "waitlist"})
    control.send("PATCH", "/settings", organizations={"enabled": None})
    settings = control.send("GET", "/settings").get_json()
    assert settings["organizations"]["enabled"] is False
    assert settings["sign_up"]["mode"] == "waitlist"
    control.send("PUT", "/settings", billing={"enabled": True})
    settings = control.send("GET", "/settings").get_json()
    assert (settings["sign_up"]["mode"], settings["billing"]["enabled"]) == ("public", True)
    assert control.send("DELETE", "/settings").get_json()["billing"]["enabled"] is False


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_an_invalid_setting_is_rejected(control: Control, method: str) -> None:
    answer = control.send(method, "/settings", sign_up={"mode": "closed"})
    assert error_of(answer)[:2] == (422, "form_param_value_invalid")
    assert "sign_up.mode is 'closed'" in answer.get_json()["errors"][0]["long_message"]


def test_the_inbox_has_every_message(control: Control, clerk: LocalClerk) -> None:
    for to in ("ada@example.com", "grace@example.com"):
        send_message(clerk, to, "Your code", "It is 424242.", code="424242")
    everything = control.send("GET", "/inbox").get_json()
    (message,) = control.send("GET", "/inbox?to=ada@example.com").get_json()["data"]
    assert [found["to"] for found in everything["data"]] == ["grace@example.com", "ada@example.com"]
    assert (message["kind"], message["code"]) == ("email", "424242")
    assert control.send("DELETE", "/inbox?to=ada@example.com").get_json()["deleted"] == 1
    assert control.send("GET", "/inbox").get_json()["total_count"] == 1


def test_moving_the_clock_ends_sessions_and_survives_a_restart(
    control: Control, ada: Browser, clerk: LocalClerk
) -> None:
    before = control.send("GET", "/clock").get_json()["now"]
    after = control.send("POST", "/clock", advance_seconds=8 * 24 * 3600).get_json()
    assert after["now"] - before == 8 * 24 * 3_600_000
    assert ada.client()["sessions"] == []
    assert control.send("POST", "/clock", at=before).get_json()["offset_seconds"] == 0
    control.send("POST", "/clock", advance_seconds=60)
    assert clerk.store.setting("clock_offset") == "60000"
    assert control.send("DELETE", "/clock").get_json()["offset_seconds"] == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"advance_seconds": "60"},
        {"advance_seconds": True},
        {"advance_seconds": 1e300},
        {"at": None},
        {"at": -1e14},
        {"at": 1, "advance_seconds": 1},
        {"seconds": 1},
    ],
)
def test_invalid_values_do_not_move_the_clock(
    control: Control, clerk: LocalClerk, body: dict[str, Any]
) -> None:
    assert control.send("POST", "/clock", **body).status_code == 422
    assert clerk.offset == 0


def test_emptying_the_state_keeps_the_keys(
    control: Control, ada: Browser, clerk: LocalClerk
) -> None:
    keys = clerk.signer.jwks()
    control.send("POST", "/clock", advance_seconds=60)
    assert control.send("DELETE", "/state").get_json()["deleted"] is True
    assert [clerk.store.count(kind) for kind in (User, Session, Event)] == [0, 0, 0]
    assert (clerk.offset, clerk.signer.jwks()) == (0, keys)


def test_webhooks_are_listed_with_their_bodies(control: Control, ada: Browser) -> None:
    answer = control.send("GET", "/webhooks").get_json()
    newest = answer["data"][0]
    assert answer["total_count"] == 2  # the user, the session
    assert (newest["type"], newest["status"], newest["log"]) == ("session.created", "pending", [])
    assert newest["body"]["data"]["object"] == "session"


def test_seeds_in_the_body_are_loaded(control: Control, browser: Browser) -> None:
    seeds = {"users": [{"email_address": "grace@example.com", "password": "compiler 1952"}]}
    answer = control.send("POST", "/seeds", **seeds)
    assert answer.get_json() == {
        "object": "seeds",
        "users": 1,
        "organizations": 0,
        "invitations": 0,
    }
    assert browser.sign_in("grace@example.com", "compiler 1952").status_code == 200


def test_seeds_without_a_file_are_an_error(control: Control) -> None:
    assert error_of(control.send("POST", "/seeds"))[:2] == (422, "seeds_invalid")
