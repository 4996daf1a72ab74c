"""The second factor at sign-in: authenticator app, backup codes, SMS."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import PhoneNumber, User
from clerk_emulator.second_factors import new_totp_secret, totp_code
from clerk_emulator.testing import PASSWORD, Browser, ManualClock, error_of

SECRET = new_totp_secret()


@pytest.fixture
def user(ada: Browser, clerk: LocalClerk) -> User:
    """Ada, with an authenticator app and two backup codes."""
    user = clerk.store.get(User, ada.session()["user"]["id"])
    assert user is not None
    user.totp_secret, user.totp_verified = SECRET, True
    user.backup_codes = ["abcdefgh", "23456789"]
    clerk.store.put(user)
    return user


@pytest.fixture
def stranger(emulator: Flask, user: User) -> Browser:
    """A browser in which Ada is not signed in."""
    return Browser(emulator)


def begin(browser: Browser) -> dict[str, Any]:
    """Ada's sign-in after the password."""
    sign_in: dict[str, Any] = browser.sign_in("ada@example.com").get_json()["response"]
    return sign_in


def attempt(browser: Browser, sign_in: dict[str, Any], strategy: str, code: str) -> Any:
    path = f"/client/sign_ins/{sign_in['id']}/attempt_second_factor"
    return browser.post(path, strategy=strategy, code=code)


def code_now(clerk: LocalClerk) -> str:
    return totp_code(SECRET, clerk.now // 1000)


def give_phone(clerk: LocalClerk, user: User, **more: Any) -> PhoneNumber:
    phone = PhoneNumber(
        "idn_phone", clerk.now, clerk.now, user.id, "+15555550100", verified=True, **more
    )
    clerk.store.put(phone)
    return phone


def test_the_password_alone_is_not_enough(stranger: Browser) -> None:
    sign_in = begin(stranger)
    assert sign_in["status"] == "needs_second_factor"
    ways = [factor["strategy"] for factor in sign_in["supported_second_factors"]]
    assert ways == ["totp", "backup_code"]
    assert stranger.client()["sessions"] == []


def test_the_authenticator_app_completes_it(stranger: Browser, clerk: LocalClerk) -> None:
    done = attempt(stranger, begin(stranger), "totp", code_now(clerk)).get_json()["response"]
    assert done["status"] == "complete"
    assert done["second_factor_verification"]["status"] == "verified"
    assert stranger.session()["factor_verification_age"] == [0, 0]
    assert stranger.client()["last_authentication_strategy"] == "password"


def test_a_code_of_the_app_works_once(
    emulator: Flask, stranger: Browser, clerk: LocalClerk
) -> None:
    code = code_now(clerk)
    attempt(stranger, begin(stranger), "totp", code)
    thief = Browser(emulator)
    answer = attempt(thief, begin(thief), "totp", code)
    assert error_of(answer) == (422, "form_code_incorrect", "code")
    assert thief.client()["sessions"] == []


def test_a_code_from_a_minute_ago_is_rejected(
    stranger: Browser, clerk: LocalClerk, clock: ManualClock
) -> None:
    code = code_now(clerk)
    clock.forward(seconds=61)
    assert error_of(attempt(stranger, begin(stranger), "totp", code))[1] == "form_code_incorrect"


def test_a_backup_code_is_used_up(emulator: Flask, stranger: Browser, clerk: LocalClerk) -> None:
    attempt(stranger, begin(stranger), "backup_code", "abcdefgh")
    assert stranger.session()["factor_verification_age"] == [0, 0]
    thief = Browser(emulator)
    answer = attempt(thief, begin(thief), "backup_code", "abcdefgh")
    assert error_of(answer)[1] == "form_code_incorrect"


def test_guesses_of_codes_are_limited(stranger: Browser, clerk: LocalClerk) -> None:
    sign_in = begin(stranger)
    for _ in range(5):
        assert error_of(attempt(stranger, sign_in, "totp", "000"))[1] == "form_code_incorrect"
    answer = attempt(stranger, sign_in, "totp", code_now(clerk))
    assert error_of(answer)[:2] == (400, "verification_failed")


def test_an_sms_completes_it(stranger: Browser, user: User, clerk: LocalClerk) -> None:
    phone = give_phone(clerk, user, reserved_for_second_factor=True, default_second_factor=True)
    sign_in = begin(stranger)
    factor = sign_in["supported_second_factors"][1]
    assert factor["phone_number_id"] == phone.id
    assert phone.phone_number not in factor["safe_identifier"]
    path = f"/client/sign_ins/{sign_in['id']}/prepare_second_factor"
    early = attempt(stranger, sign_in, "phone_code", "424242")
    assert error_of(early)[1] == "verification_missing"
    stranger.post(path, strategy="phone_code", phone_number_id=phone.id)
    assert attempt(stranger, sign_in, "phone_code", "424242").status_code == 200
    assert len(stranger.client()["sessions"]) == 1


def test_no_sms_is_sent_to_another_users_number(
    stranger: Browser, user: User, clerk: LocalClerk
) -> None:
    give_phone(clerk, user, reserved_for_second_factor=True)
    path = f"/client/sign_ins/{begin(stranger)['id']}/prepare_second_factor"
    answer = stranger.post(path, strategy="phone_code", phone_number_id="idn_other")
    assert error_of(answer)[1] == "strategy_for_user_invalid"


def test_a_second_factor_number_is_not_a_first_factor(
    stranger: Browser, user: User, clerk: LocalClerk
) -> None:
    attribute = {"enabled": True, "used_for_first_factor": True, "first_factors": ["phone_code"]}
    clerk.source.replace({"attributes": {"phone_number": attribute}})
    give_phone(clerk, user, reserved_for_second_factor=True)
    answer = stranger.post("/client/sign_ins", identifier="+15555550100")
    ways = answer.get_json()["response"]["supported_first_factors"]
    assert [way["strategy"] for way in ways if "phone_number_id" in way] == []


def test_the_second_factor_cannot_come_first(stranger: Browser, clerk: LocalClerk) -> None:
    answer = stranger.post("/client/sign_ins", identifier="ada@example.com")
    sign_in = answer.get_json()["response"]
    refused = attempt(stranger, sign_in, "totp", code_now(clerk))
    assert error_of(refused)[1] == "strategy_for_user_invalid"
    assert stranger.client()["sessions"] == []


def test_a_first_factor_cannot_replace_it(stranger: Browser) -> None:
    path = f"/client/sign_ins/{begin(stranger)['id']}/attempt_first_factor"
    answer = stranger.post(path, strategy="password", password=PASSWORD)
    assert error_of(answer)[:2] == (400, "verification_already_verified")


def test_another_browser_cannot_complete_it(
    emulator: Flask, stranger: Browser, clerk: LocalClerk
) -> None:
    answer = attempt(Browser(emulator), begin(stranger), "totp", code_now(clerk))
    assert error_of(answer)[0] == 404


def test_a_new_password_does_not_replace_it(stranger: Browser, clerk: LocalClerk) -> None:
    strategy = "reset_password_email_code"
    form = {"identifier": "ada@example.com", "strategy": strategy}
    sign_in = stranger.post("/client/sign_ins", **form).get_json()["response"]
    path = f"/client/sign_ins/{sign_in['id']}"
    stranger.post(f"{path}/attempt_first_factor", strategy=strategy, code="424242")
    answer = stranger.post(f"{path}/reset_password", password="another horse 8")
    assert answer.get_json()["response"]["status"] == "needs_second_factor"
    assert attempt(stranger, sign_in, "totp", code_now(clerk)).status_code == 200


NONSENSE: list[tuple[str, str, str]] = [
    ("totp", "", "form_param_nil"),
    ("backup_code", "", "form_param_nil"),
    ("phone_code", "424242", "strategy_for_user_invalid"),
    ("password", "424242", "strategy_for_user_invalid"),
    ("email_code", "424242", "strategy_for_user_invalid"),
    ("", "424242", "strategy_for_user_invalid"),
    ("totp", "424242", "form_code_incorrect"),
    ("totp", "٤٢٤٢٤٢", "form_code_incorrect"),
    ("backup_code", "424242", "form_code_incorrect"),
]


@pytest.mark.parametrize(("strategy", "code", "problem"), NONSENSE)
def test_other_strategies_are_rejected(
    stranger: Browser, strategy: str, code: str, problem: str
) -> None:
    answer = attempt(stranger, begin(stranger), strategy, code)
    status = 400 if problem == "strategy_for_user_invalid" else 422
    assert error_of(answer)[:2] == (status, problem)
