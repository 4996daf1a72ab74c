"""The rules for passwords, and the errors for one that breaks them."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.testing import Backend, Browser, error_of

STRICT = {
    "min_length": 10,
    "require_special_char": True,
    "require_numbers": True,
    "require_uppercase": True,
    "require_lowercase": True,
}
WRONG = [
    ("Correct hors3!", []),
    ("correct horse", ["no_uppercase", "no_number", "no_special_char"]),
    ("SHORT", ["length_too_short", "no_lowercase", "no_number", "no_special_char"]),
    ("a", ["length_too_short", "no_uppercase", "no_number", "no_special_char"]),
    ("Ä" * 40, ["size_in_bytes_exceeded"]),
]


def codes(answer: Any) -> list[str]:
    if answer.status_code == 200:
        return []
    assert answer.status_code == 422
    return [
        error["code"].removeprefix("form_password_")
        for error in answer.get_json()["errors"]
        if error["meta"] == {"param_name": "password"}
    ]


@pytest.mark.parametrize(("password", "wrong"), WRONG)
def test_all_problems_of_a_password_are_reported_at_once(
    browser: Browser, clerk: LocalClerk, password: str, wrong: list[str]
) -> None:
    clerk.source.replace({"password": STRICT})
    form = {"email_address": "ada@example.com", "password": password}
    assert codes(browser.post("/client/sign_ups", **form)) == wrong


def test_the_backend_api_reports_all_problems_too(backend: Backend, clerk: LocalClerk) -> None:
    clerk.source.replace({"password": STRICT})
    body = {"email_address": ["ada@example.com"], "password": "short"}
    answer = backend.send("POST", "/users", **body)
    assert codes(answer)[0] == "length_too_short"
    assert len(codes(answer)) == 4
    assert backend.send("POST", "/users", **body, skip_password_checks=True).status_code == 200


def test_well_known_passwords_are_rejected_if_enabled(browser: Browser, clerk: LocalClerk) -> None:
    form = {"email_address": "ada@example.com", "password": "password123"}
    assert browser.post("/client/sign_ups", **form).status_code == 200
    clerk.source.replace({"password": {"disable_hibp": False}})
    assert codes(browser.post("/client/sign_ups", **form)) == ["pwned"]
    form["password"] = "welcome"  # too short as well: that error comes first
    assert codes(browser.post("/client/sign_ups", **form)) == ["length_too_short"]


def test_a_well_known_password_has_to_be_replaced(
    browser: Browser, emulator: Flask, clerk: LocalClerk
) -> None:
    browser.sign_up("ada@example.com", "password123")
    clerk.source.replace({"password": {"disable_hibp": False}})
    other = Browser(emulator)
    refused = other.sign_in("ada@example.com", "password123")
    assert error_of(refused) == (422, "form_password_pwned", "password")
    assert error_of(other.sign_in("ada@example.com", "x"))[1] == "form_password_incorrect"
    clerk.source.switch({"password": {"enforce_hibp_on_sign_in": False}})
    assert other.sign_in("ada@example.com", "password123").status_code == 200


def test_the_environment_shows_all_rules(browser: Browser, clerk: LocalClerk) -> None:
    clerk.source.replace({"password": STRICT | {"show_zxcvbn": True, "min_zxcvbn_strength": 3}})
    shown = browser.get("/environment").get_json()["user_settings"]["password_settings"]
    assert STRICT.items() <= shown.items()
    assert "!" in shown["allowed_special_characters"]
    assert (shown["show_zxcvbn"], shown["min_zxcvbn_strength"]) == (True, 3)
    assert (shown["disable_hibp"], shown["enforce_hibp_on_sign_in"]) == (True, True)
    assert "compromised" not in shown
