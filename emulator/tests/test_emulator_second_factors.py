"""The user's own second factors: setting them up, using them, removing them."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.second_factors import totp_code, totp_uri
from clerk_emulator.testing import PASSWORD, Browser, ManualClock, error_of
from clerk_emulator.verifications import CODE

RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
PHONE = "+15555550100"


@pytest.fixture(autouse=True)
def turned_on(clerk: LocalClerk) -> None:
    second = {"enabled": True, "used_for_second_factor": True}
    names = ("phone_number", "authenticator_app", "backup_code")
    clerk.source.replace({"attributes": dict.fromkeys(names, second)})


def app_code(secret: str, clock: ManualClock, steps: int = 0) -> str:
    return totp_code(secret, clock.now // 1000 + 30 * steps)


def set_up(browser: Browser, clock: ManualClock) -> tuple[str, list[str]]:
    """An authenticator app; its secret and the backup codes."""
    secret = browser.post("/me/totp").get_json()["response"]["secret"]
    answer = browser.post("/me/totp/attempt_verification", code=app_code(secret, clock))
    return secret, answer.get_json()["response"]["backup_codes"]


def verify(browser: Browser, step: str = "", **form: str) -> TestResponse:
    return browser.post(f"/client/sessions/{browser.session()['id']}/verify{step}", **form)


def me(browser: Browser) -> dict[str, Any]:
    user: dict[str, Any] = browser.get("/me").get_json()["response"]
    return user


@pytest.mark.parametrize(
    ("at", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_the_standard(at: int, code: str) -> None:
    assert totp_code(RFC_SECRET, at) == code


def test_the_uri_names_the_app_and_the_account() -> None:
    uri = totp_uri(RFC_SECRET, "Acme & Co", "ada@example.com")
    assert uri.startswith("otpauth://totp/Acme%20%26%20Co:ada%40example.com?")
    assert f"secret={RFC_SECRET}" in uri


def test_an_authenticator_app_is_enabled_by_its_first_code(
    ada: Browser, clock: ManualClock
) -> None:
    made = ada.post("/me/totp").get_json()["response"]
    before = me(ada)["totp_enabled"]
    wrong = ada.post("/me/totp/attempt_verification", code="000000")
    right = ada.post("/me/totp/attempt_verification", code=app_code(made["secret"], clock))
    user = me(ada)
    assert made["verified"] is False
    assert made["uri"].startswith("otpauth://")
    assert before is False
    assert error_of(wrong)[:2] == (422, "form_code_incorrect")
    assert right.get_json()["response"]["verified"] is True
    assert right.get_json()["response"]["secret"] is None
    assert len(right.get_json()["response"]["backup_codes"]) == 10
    for name in ("totp_enabled", "two_factor_enabled", "backup_code_enabled"):
        assert user[name] is True
    assert error_of(ada.post("/me/totp"))[1] == "totp_already_enabled"


def test_the_second_factor_is_required_and_reverifies_the_session(
    ada: Browser, clock: ManualClock
) -> None:
    secret, _ = set_up(ada, clock)
    clock.forward(seconds=600)
    refused = ada.post("/me/totp", "DELETE")
    started = verify(ada, level="second_factor").get_json()["response"]
    done = verify(ada, "/attempt_second_factor", strategy="totp", code=app_code(secret, clock))
    assert error_of(refused)[1] == "session_reverification_required"
    assert started["status"] == "needs_second_factor"
    strategies = [factor["strategy"] for factor in started["supported_second_factors"]]
    assert strategies == ["totp", "backup_code"]
    assert done.get_json()["response"]["status"] == "complete"
    assert ada.session()["factor_verification_age"] == [10, 0]
    assert ada.post("/me/totp", "DELETE").status_code == 200
    assert me(ada)["two_factor_enabled"] is me(ada)["backup_code_enabled"] is False


def test_the_first_factor_is_not_enough_for_a_user_with_a_second(
    ada: Browser, clock: ManualClock
) -> None:
    set_up(ada, clock)
    clock.forward(seconds=600)
    verify(ada, level="first_factor")
    verify(ada, "/attempt_first_factor", strategy="password", password=PASSWORD)
    assert error_of(ada.post("/me", "DELETE"))[1] == "session_reverification_required"


def test_both_factors_in_turn(ada: Browser, clock: ManualClock) -> None:
    secret, _ = set_up(ada, clock)
    clock.forward(seconds=600)
    verify(ada, level="multi_factor")
    totp = {"strategy": "totp", "code": app_code(secret, clock)}
    early = verify(ada, "/attempt_second_factor", **totp)
    first = verify(ada, "/attempt_first_factor", strategy="password", password=PASSWORD)
    second = verify(ada, "/attempt_second_factor", **totp)
    assert error_of(early)[1] == "verification_missing"
    assert first.get_json()["response"]["status"] == "needs_second_factor"
    assert second.get_json()["response"]["status"] == "complete"


def test_a_code_of_an_app_is_used_once(ada: Browser, clock: ManualClock) -> None:
    secret, _ = set_up(ada, clock)
    for steps in (0, -1, -2, 2):
        verify(ada)
        code = app_code(secret, clock, steps)
        answer = verify(ada, "/attempt_second_factor", strategy="totp", code=code)
        assert error_of(answer)[1] == "form_code_incorrect"
    verify(ada)
    code = app_code(secret, clock, 1)
    answer = verify(ada, "/attempt_second_factor", strategy="totp", code=code)
    assert answer.get_json()["response"]["status"] == "complete"


def test_a_backup_code_is_used_once(ada: Browser, clock: ManualClock) -> None:
    _, codes = set_up(ada, clock)
    answers = []
    for code in (codes[0], codes[0], codes[1].upper()):
        verify(ada)
        answers.append(verify(ada, "/attempt_second_factor", strategy="backup_code", code=code))
    assert [answer.status_code for answer in answers] == [200, 422, 200]


def test_new_backup_codes_replace_the_old_ones(ada: Browser, clock: ManualClock) -> None:
    early = ada.post("/me/backup_codes/")
    _, old = set_up(ada, clock)
    new = ada.post("/me/backup_codes/").get_json()["response"]["codes"]
    verify(ada)
    answer = verify(ada, "/attempt_second_factor", strategy="backup_code", code=old[0])
    assert error_of(early)[1] == "backup_codes_not_available"
    assert not set(old) & set(new)
    assert error_of(answer)[1] == "form_code_incorrect"


def test_a_number_as_second_factor_is_sent_a_code(ada: Browser, clock: ManualClock) -> None:
    id = ada.post("/me/phone_numbers/", phone_number=PHONE).get_json()["response"]["id"]
    ada.post(f"/me/phone_numbers/{id}/prepare_verification", strategy="phone_code")
    ada.post(f"/me/phone_numbers/{id}/attempt_verification", code=CODE)
    ada.post(f"/me/phone_numbers/{id}", "PATCH", reserved_for_second_factor="true")
    clock.forward(seconds=600)
    verify(ada)
    early = verify(ada, "/attempt_second_factor", strategy="phone_code", code=CODE)
    verify(ada, "/prepare_second_factor", strategy="phone_code", phone_number_id=id)
    done = verify(ada, "/attempt_second_factor", strategy="phone_code", code=CODE)
    assert error_of(early)[1] == "strategy_for_user_invalid"
    assert done.get_json()["response"]["status"] == "complete"


def test_another_users_authenticator_app_is_rejected(
    emulator: Flask, ada: Browser, clock: ManualClock
) -> None:
    set_up(ada, clock)
    bob = Browser(emulator)
    bob.sign_up("bob@example.com")
    secret, codes = set_up(bob, clock)
    clock.forward(seconds=60)
    for strategy, code in (("totp", app_code(secret, clock)), ("backup_code", codes[0])):
        verify(ada)
        answer = verify(ada, "/attempt_second_factor", strategy=strategy, code=code)
        assert error_of(answer)[1] == "form_code_incorrect"


def test_an_unconfirmed_authenticator_app_is_ignored(ada: Browser, clock: ManualClock) -> None:
    secret = ada.post("/me/totp").get_json()["response"]["secret"]
    verify(ada, level="multi_factor")
    verify(ada, "/attempt_first_factor", strategy="password", password=PASSWORD)
    code = app_code(secret, clock)
    answer = verify(ada, "/attempt_second_factor", strategy="totp", code=code)
    assert error_of(answer)[1] == "verification_missing"


@pytest.mark.parametrize("code", ["", " ", "12345", "1234567", "abcdef", "\uff11" * 6])
def test_a_malformed_code_is_rejected(ada: Browser, code: str) -> None:
    ada.post("/me/totp")
    answer = ada.post("/me/totp/attempt_verification", code=code)
    assert answer.status_code == 422
    assert me(ada)["totp_enabled"] is False


def test_disabled_features_are_rejected(clerk: LocalClerk, ada: Browser) -> None:
    clerk.source.replace({})
    for path in ("/me/totp", "/me/backup_codes/"):
        assert error_of(ada.post(path))[:2] == (403, "feature_not_enabled")
