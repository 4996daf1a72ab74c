"""The format of errors: ``message`` is as short as Clerk's, ``long_message`` is for people."""

from __future__ import annotations

from typing import Any

from clerk_emulator.testing import Browser


def wrong_code(browser: Browser) -> dict[str, Any]:
    form = {"email_address": "eve@example.com", "password": "correct horse battery staple"}
    sign_up = browser.post("/client/sign_ups", **form).get_json()["response"]["id"]
    at = f"/client/sign_ups/{sign_up}"
    browser.post(f"{at}/prepare_verification", strategy="email_code")
    answer = browser.post(f"{at}/attempt_verification", strategy="email_code", code="000000")
    (error,) = answer.get_json()["errors"]
    found: dict[str, Any] = error
    return found


def test_the_short_message_is_clerks_and_the_long_one_explains_the_fix(browser: Browser) -> None:
    error = wrong_code(browser)
    assert (error["code"], error["message"]) == ("form_code_incorrect", "is incorrect")
    assert error["long_message"] == "Incorrect code. The local Clerk accepts only 424242."
    assert error["meta"] == {"param_name": "code"}


def test_an_error_without_a_short_message_repeats_the_long_one(ada: Browser) -> None:
    answer = ada.post("/me/change_password", current_password="wrong", new_password="x")
    (error,) = answer.get_json()["errors"]
    assert error["message"] == error["long_message"]
