"""Signals tell the app what a webhook has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.clerk_sync.signals import event_signal, user_created

if TYPE_CHECKING:
    from clerk_emulator.testing import RunningClerk, User


def test_a_receiver_is_called_for_a_new_user(
    visitor: FlaskClient, clerk: RunningClerk, ada: User
) -> None:
    received: list[str] = []

    def welcome(app: Flask, data: dict[str, Any], event: object) -> None:
        received.append(data["id"])

    with user_created.connected_to(welcome):
        clerk.deliver_webhooks(visitor)
        clerk.deliver_webhooks(visitor)
    assert received == [ada.id]


def test_a_receiver_that_fails_is_called_again(
    visitor: FlaskClient, clerk: RunningClerk, ada: User
) -> None:
    received: list[str] = []

    def fail_once(app: Flask, data: dict[str, Any], event: object) -> None:
        received.append(data["id"])
        if len(received) == 1:
            raise OSError("the mail server is down")

    with user_created.connected_to(fail_once):
        with pytest.raises(OSError, match="mail server"):
            clerk.deliver_webhooks(visitor)
        clerk.deliver_webhooks(visitor)
    assert received == [ada.id, ada.id]


def test_there_is_a_signal_for_every_type_of_event(
    visitor: FlaskClient, clerk: RunningClerk, ada: User
) -> None:
    received: list[str] = []

    def note(app: Flask, data: dict[str, Any], event: object) -> None:
        received.append(data["user_id"])

    with event_signal("session.revoked").connected_to(note):
        clerk.revoke_session(clerk.sign_in(visitor, ada))
        clerk.deliver_webhooks(visitor)
    assert received == [ada.id]
