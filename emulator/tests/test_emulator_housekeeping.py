"""Abandoned clients, sign-ins, sign-ups and nonces are deleted."""

from __future__ import annotations

from flask import Flask

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import Client, HandshakeNonce, SignIn, SignUp, Verification
from clerk_emulator.testing import Browser, ManualClock

DAY = 24 * 3600


def counts(clerk: LocalClerk) -> list[int]:
    return [
        clerk.store.count(kind) for kind in (Client, SignIn, SignUp, Verification, HandshakeNonce)
    ]


def leave_traces(emulator: Flask) -> None:
    visitor = Browser(emulator)
    visitor.post("/client/sign_ins")
    visitor.begin_sign_up("grace@example.com")
    visitor.get("/client/handshake", redirect_url="http://localhost:5000/", format="nonce")


def test_after_a_day_only_browsers_with_sessions_stay(
    ada: Browser, emulator: Flask, clerk: LocalClerk, clock: ManualClock
) -> None:
    leave_traces(emulator)
    clock.forward(seconds=DAY + 1)
    Browser(emulator)
    assert counts(clerk) == [2, 0, 0, 0, 0]
    assert ada.session()["user"]["first_name"] is None


def test_nothing_is_deleted_within_a_day(
    emulator: Flask, clerk: LocalClerk, clock: ManualClock
) -> None:
    leave_traces(emulator)
    before = counts(clerk)
    clock.forward(seconds=DAY - 1)
    Browser(emulator)
    assert counts(clerk) == [before[0] + 1, *before[1:]]


def test_it_runs_at_most_once_per_hour(
    emulator: Flask, clerk: LocalClerk, clock: ManualClock
) -> None:
    clock.forward(seconds=DAY)
    Browser(emulator)
    old = SignIn("sia_old", 1, 1, "client_1")
    clerk.store.put(old)
    clock.forward(seconds=3599)
    Browser(emulator)
    assert clerk.store.get(SignIn, "sia_old") is not None
    clock.forward(seconds=1)
    Browser(emulator)
    assert clerk.store.get(SignIn, "sia_old") is None
