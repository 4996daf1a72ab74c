"""Registration through the Frontend API, as Clerk's sign-up form does it."""

from __future__ import annotations

import pytest
from flask import Flask

from clerk_emulator.testing import PASSWORD, Browser, error_of


def test_it_requires_the_code_first(browser: Browser) -> None:
    sign_up = browser.begin_sign_up("ada@example.com")
    assert sign_up["status"] == "missing_requirements"
    assert sign_up["missing_fields"] == []
    assert sign_up["unverified_fields"] == ["email_address"]
    assert browser.client()["sessions"] == []


def test_the_code_creates_an_account_and_signs_in(browser: Browser) -> None:
    sign_up = browser.begin_sign_up("Ada@Example.com ")
    path = f"/client/sign_ups/{sign_up['id']}"
    browser.post(f"{path}/prepare_verification", strategy="email_code")
    answer = browser.post(f"{path}/attempt_verification", strategy="email_code", code="424242")
    done = answer.get_json()["response"]
    session = browser.session()
    assert done["status"] == "complete"
    assert done["created_session_id"] == session["id"]
    assert session["user"]["id"] == done["created_user_id"]
    assert session["user"]["email_addresses"][0]["email_address"] == "ada@example.com"


def test_missing_fields_can_follow_later(browser: Browser) -> None:
    sign_up = browser.post("/client/sign_ups", first_name="Ada").get_json()["response"]
    assert sign_up["missing_fields"] == ["email_address", "password"]
    path = f"/client/sign_ups/{sign_up['id']}"
    answer = browser.post(path, "PATCH", email_address="ada@example.com", password=PASSWORD)
    assert answer.get_json()["response"]["missing_fields"] == []


def test_a_finished_sign_up_is_cleared(ada: Browser) -> None:
    assert ada.client()["sign_up"] is None


def test_a_wrong_code_is_refused(browser: Browser) -> None:
    path = f"/client/sign_ups/{browser.begin_sign_up('ada@example.com')['id']}"
    browser.post(f"{path}/prepare_verification", strategy="email_code")
    answer = browser.post(f"{path}/attempt_verification", strategy="email_code", code="111111")
    assert error_of(answer) == (422, "form_code_incorrect", "code")


@pytest.mark.parametrize(
    ("form", "code", "param"),
    [
        ({"email_address": "ada@example.com"}, "form_identifier_exists", "email_address"),
        ({"email_address": "not an address"}, "form_param_format_invalid", "email_address"),
        ({"email_address": ""}, "form_param_nil", "email_address"),
        ({"password": "short"}, "form_password_length_too_short", "password"),
        ({"password": "x" * 73}, "form_password_size_in_bytes_exceeded", "password"),
        ({"first_name": "x" * 257}, "form_param_max_length_exceeded", "first_name"),
        ({"unsafe_metadata": "[1]"}, "form_param_value_invalid", "unsafe_metadata"),
        ({"strategy": "oauth_google"}, "strategy_for_user_invalid", "strategy"),
    ],
)
def test_bad_input_names_the_field(
    emulator: Flask, ada: Browser, form: dict[str, str], code: str, param: str
) -> None:
    answer = Browser(emulator).post("/client/sign_ups", **form)
    status = 400 if code == "strategy_for_user_invalid" else 422
    assert error_of(answer) == (status, code, param)


def test_another_browser_cannot_change_a_sign_up(emulator: Flask, browser: Browser) -> None:
    sign_up = browser.begin_sign_up("ada@example.com")
    answer = Browser(emulator).post(
        f"/client/sign_ups/{sign_up['id']}/prepare_verification", strategy="email_code"
    )
    assert error_of(answer)[:2] == (404, "resource_not_found")
