"""Accounts are locked for a while after too many wrong passwords or codes."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import Event, User
from clerk_emulator.second_factors import totp_code
from clerk_emulator.testing import PASSWORD, Backend, Browser, ManualClock, error_of

LIMIT = 3
HOUR = 3600
MFA = {
    "authenticator_app": {
        "enabled": True,
        "used_for_second_factor": True,
        "second_factors": ["totp"],
    },
    "backup_code": {
        "enabled": True,
        "used_for_second_factor": True,
        "second_factors": ["backup_code"],
    },
}
SECRET = "JBSWY3DPEHPK3PXP"


def limit(clerk: LocalClerk, attempts: int = LIMIT, minutes: int = 60, **more: Any) -> None:
    lockout = {"max_attempts": attempts, "duration_in_minutes": minutes}
    clerk.source.replace({"attack_protection": {"user_lockout": lockout}} | more)


@pytest.fixture
def account(ada: Browser, clerk: LocalClerk) -> str:
    """Ada's id, in an instance that locks accounts after three attempts."""
    limit(clerk)
    id: str = ada.session()["user"]["id"]
    return id


@pytest.fixture
def eve(emulator: Flask) -> Browser:
    """Another browser, in which an attacker guesses."""
    return Browser(emulator)


def guess(browser: Browser, times: int = LIMIT) -> list[str]:
    answers = [browser.sign_in("ada@example.com", f"guess {n}") for n in range(times)]
    return [error_of(answer)[1] for answer in answers]


def user_of(backend: Backend, id: str) -> dict[str, Any]:
    user: dict[str, Any] = backend.get(f"/users/{id}").get_json()
    names = ("locked", "lockout_expires_in_seconds", "verification_attempts_remaining")
    return {name: user[name] for name in names}


def test_the_last_wrong_password_locks_the_account(
    account: str, eve: Browser, backend: Backend
) -> None:
    assert guess(eve) == ["form_password_incorrect"] * 2 + ["user_locked"]
    refused = eve.sign_in("ada@example.com")
    (error,) = refused.get_json()["errors"]
    assert (refused.status_code, error["code"]) == (403, "user_locked")
    assert error["meta"] == {"lockout_expires_in_seconds": HOUR}
    assert "try again in 1 hour" in error["long_message"]
    assert user_of(backend, account) == {
        "locked": True,
        "lockout_expires_in_seconds": HOUR,
        "verification_attempts_remaining": 0,
    }


def test_a_lock_does_not_end_sessions(account: str, ada: Browser, eve: Browser) -> None:
    guess(eve)
    assert ada.session()["status"] == "active"


def test_a_wrong_password_leaves_no_sign_in_behind(account: str, eve: Browser) -> None:
    guess(eve, 1)
    assert eve.client()["sign_in"] is None


def test_the_lock_expires(account: str, eve: Browser, backend: Backend, clock: ManualClock) -> None:
    guess(eve)
    clock.forward(seconds=HOUR - 1)
    assert error_of(eve.sign_in("ada@example.com"))[1] == "user_locked"
    clock.forward(seconds=1)
    assert user_of(backend, account)["verification_attempts_remaining"] == LIMIT
    assert guess(eve, LIMIT - 1) == ["form_password_incorrect"] * 2
    assert eve.sign_in("ada@example.com").status_code == 200


def test_the_right_password_resets_the_count(account: str, eve: Browser, backend: Backend) -> None:
    guess(eve, LIMIT - 1)
    assert user_of(backend, account)["verification_attempts_remaining"] == 1
    assert eve.sign_in("ada@example.com").status_code == 200
    assert user_of(backend, account)["verification_attempts_remaining"] == LIMIT


def test_other_accounts_are_not_locked(account: str, eve: Browser, emulator: Flask) -> None:
    grace = Browser(emulator)
    grace.sign_up("grace@example.com")
    guess(eve)
    assert eve.sign_in("grace@example.com").status_code == 200


def test_a_lock_can_be_permanent(
    account: str, eve: Browser, backend: Backend, clerk: LocalClerk, clock: ManualClock
) -> None:
    limit(clerk, minutes=0)
    guess(eve)
    clock.forward(seconds=365 * 24 * HOUR)
    refused = eve.sign_in("ada@example.com")
    assert refused.get_json()["errors"][0]["meta"] == {}
    assert user_of(backend, account)["lockout_expires_in_seconds"] is None
    backend.send("POST", f"/users/{account}/unlock")
    assert eve.sign_in("ada@example.com").status_code == 200


def test_nothing_is_counted_if_lockout_is_disabled(
    account: str, eve: Browser, backend: Backend, clerk: LocalClerk
) -> None:
    clerk.source.replace({"attack_protection": {"user_lockout": {"enabled": False}}})
    assert guess(eve, 12) == ["form_password_incorrect"] * 12
    assert user_of(backend, account) == {
        "locked": False,
        "lockout_expires_in_seconds": None,
        "verification_attempts_remaining": None,
    }


def test_the_server_locks_and_unlocks(
    account: str, eve: Browser, backend: Backend, clock: ManualClock
) -> None:
    locked = backend.send("POST", f"/users/{account}/lock").get_json()
    assert (locked["locked"], locked["lockout_expires_in_seconds"]) == (True, HOUR)
    assert locked["verification_attempts_remaining"] == LIMIT
    assert error_of(eve.sign_in("ada@example.com"))[1] == "user_locked"
    assert backend.send("POST", f"/users/{account}/unlock").get_json()["locked"] is False
    assert eve.sign_in("ada@example.com").status_code == 200


def begin(browser: Browser, strategy: str) -> str:
    form = {"identifier": "ada@example.com"}
    begun = browser.post("/client/sign_ins", **form).get_json()["response"]
    path = f"/client/sign_ins/{begun['id']}"
    browser.post(f"{path}/prepare_first_factor", strategy=strategy)
    return f"{path}/attempt_first_factor"


@pytest.mark.parametrize("strategy", ["email_code", "reset_password_email_code"])
def test_wrong_codes_count(account: str, eve: Browser, strategy: str) -> None:
    path = begin(eve, strategy)
    answers = [eve.post(path, strategy=strategy, code="000000") for _ in range(LIMIT)]
    assert [error_of(answer)[1] for answer in answers][-1] == "user_locked"
    assert error_of(eve.post(path, strategy=strategy, code="424242"))[1] == "user_locked"
    assert eve.client()["sessions"] == []


def test_new_sign_ins_do_not_help(account: str, eve: Browser) -> None:
    for _ in range(LIMIT):
        refused = eve.post(begin(eve, "email_code"), strategy="email_code", code="000000")
    assert error_of(refused)[1] == "user_locked"


@pytest.mark.parametrize("strategy", ["totp", "backup_code"])
def test_wrong_second_factors_count(
    account: str, eve: Browser, clerk: LocalClerk, strategy: str
) -> None:
    limit(clerk, attributes=MFA)
    user = clerk.store.get(User, account)
    assert user is not None
    user.totp_secret, user.totp_verified, user.backup_codes = SECRET, True, ["abcdefgh"]
    clerk.store.put(user)
    begun = eve.sign_in("ada@example.com").get_json()["response"]
    path = f"/client/sign_ins/{begun['id']}/attempt_second_factor"
    answers = [eve.post(path, strategy=strategy, code="000000") for _ in range(LIMIT)]
    assert error_of(answers[-1]) == (403, "user_locked", None)
    right = totp_code(SECRET, clerk.now // 1000)
    assert error_of(eve.post(path, strategy="totp", code=right))[1] == "user_locked"


def test_a_reverification_cannot_be_guessed_either(account: str, ada: Browser) -> None:
    path = f"/client/sessions/{ada.session()['id']}/verify"
    ada.post(path, level="first_factor")
    form = {"strategy": "password", "password": "guess"}
    answers = [ada.post(f"{path}/attempt_first_factor", **form) for _ in range(LIMIT)]
    assert error_of(answers[-1])[1] == "user_locked"
    form["password"] = PASSWORD
    assert error_of(ada.post(f"{path}/attempt_first_factor", **form))[1] == "user_locked"


def test_enumeration_protection_hides_the_lock(
    account: str, eve: Browser, clerk: LocalClerk
) -> None:
    limit(clerk, sign_in={"enumeration_protection": True})
    hidden = "form_password_or_identifier_incorrect"
    assert guess(eve, LIMIT + 1) == [hidden] * (LIMIT + 1)
    assert error_of(eve.sign_in("ada@example.com"))[1] == hidden
    assert error_of(eve.sign_in("nobody@example.com"))[1] == hidden


def test_one_event_is_sent(account: str, eve: Browser, clerk: LocalClerk) -> None:
    before = clerk.store.count(Event, status="pending")
    guess(eve)
    sent = clerk.store.find(Event)[before:]
    assert [event.type for event in sent] == ["user.updated"]
    assert '"locked": true' in sent[0].body


def test_the_environment_includes_it(browser: Browser) -> None:
    shown = browser.get("/environment").get_json()["user_settings"]["attack_protection"]
    assert shown["user_lockout"] == {
        "enabled": True,
        "max_attempts": 10,
        "duration_in_minutes": 60,
    }
    assert shown["email_link"] == {"require_same_client": True}
