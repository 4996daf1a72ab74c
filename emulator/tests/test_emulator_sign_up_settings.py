"""Sign-up with settings that differ from the defaults."""

from __future__ import annotations

from typing import Any

import pytest

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import Message
from clerk_emulator.testing import PASSWORD, Browser, ManualClock, error_of

PHONE: dict[str, Any] = {
    "enabled": True,
    "used_for_first_factor": True,
    "first_factors": ["phone_code"],
    "verifications": ["phone_code"],
    "verify_at_sign_up": True,
}
USERNAME: dict[str, Any] = {"enabled": True, "used_for_first_factor": True}
NUMBER = "+1 (555) 555-0100"


def attributes(clerk: LocalClerk, **named: dict[str, Any]) -> None:
    clerk.source.replace({"attributes": named})


def begin(browser: Browser, **form: str) -> dict[str, Any]:
    sign_up: dict[str, Any] = browser.post("/client/sign_ups", **form).get_json()["response"]
    return sign_up


def verify(browser: Browser, sign_up: dict[str, Any], strategy: str, code: str = "424242") -> Any:
    path = f"/client/sign_ups/{sign_up['id']}"
    browser.post(f"{path}/prepare_verification", strategy=strategy)
    return browser.post(f"{path}/attempt_verification", strategy=strategy, code=code)


def test_a_number_is_verified_by_sms(browser: Browser, clerk: LocalClerk) -> None:
    attributes(clerk, phone_number=PHONE | {"required": True}, email_address={"enabled": False})
    sign_up = begin(browser, phone_number=NUMBER, password=PASSWORD)
    assert sign_up["required_fields"] == ["phone_number", "password"]
    assert sign_up["unverified_fields"] == ["phone_number"]
    done = verify(browser, sign_up, "phone_code").get_json()["response"]
    assert done["status"] == "complete"
    user = browser.session()["user"]
    assert user["phone_numbers"][0]["phone_number"] == "+15555550100"
    assert user["primary_phone_number_id"] == user["phone_numbers"][0]["id"]
    assert user["email_addresses"] == []
    assert clerk.store.first(Message, to="+15555550100") is not None


def test_email_and_number_both_need_verification(browser: Browser, clerk: LocalClerk) -> None:
    attributes(clerk, phone_number=PHONE | {"required": True})
    sign_up = begin(browser, email_address="a@example.com", phone_number=NUMBER, password=PASSWORD)
    assert sign_up["unverified_fields"] == ["email_address", "phone_number"]
    half = verify(browser, sign_up, "email_code").get_json()["response"]
    assert (half["status"], half["unverified_fields"]) == ("missing_requirements", ["phone_number"])
    assert verify(browser, sign_up, "phone_code").get_json()["response"]["status"] == "complete"


def test_the_code_for_the_email_does_not_verify_the_number(
    browser: Browser, clerk: LocalClerk
) -> None:
    attributes(clerk, phone_number=PHONE)
    sign_up = begin(browser, email_address="a@example.com", phone_number=NUMBER, password=PASSWORD)
    path = f"/client/sign_ups/{sign_up['id']}"
    browser.post(f"{path}/prepare_verification", strategy="email_code")
    answer = browser.post(f"{path}/attempt_verification", strategy="phone_code", code="424242")
    assert error_of(answer)[1] == "verification_missing"


def test_passwordless(browser: Browser, clerk: LocalClerk) -> None:
    attributes(clerk, password={"enabled": False, "required": False})
    sign_up = begin(browser, email_address="a@example.com")
    assert sign_up["missing_fields"] == []
    verify(browser, sign_up, "email_code")
    assert browser.session()["user"]["password_enabled"] is False


def test_an_optional_password_may_be_omitted(browser: Browser, clerk: LocalClerk) -> None:
    attributes(clerk, password={"required": False})
    sign_up = begin(browser, email_address="a@example.com")
    assert sign_up["missing_fields"] == []
    assert "password" in sign_up["optional_fields"]


def test_a_username_alone_is_enough(browser: Browser, clerk: LocalClerk) -> None:
    attributes(clerk, username=USERNAME | {"required": True}, email_address={"enabled": False})
    done = begin(browser, username="Lovelace", password=PASSWORD)
    assert done["status"] == "complete"
    assert browser.session()["user"]["username"] == "lovelace"


def test_every_user_needs_an_identifier(browser: Browser, clerk: LocalClerk) -> None:
    attributes(clerk, username=USERNAME, email_address={"required": False})
    assert begin(browser, password=PASSWORD)["missing_fields"] == ["email_address"]
    assert begin(browser, password=PASSWORD, username="lovelace")["missing_fields"] == []


def test_an_address_need_not_be_verified(browser: Browser, clerk: LocalClerk) -> None:
    attributes(clerk, email_address={"verify_at_sign_up": False})
    assert begin(browser, email_address="a@example.com", password=PASSWORD)["status"] == "complete"
    (email,) = browser.session()["user"]["email_addresses"]
    assert email["verification"]["status"] == "unverified"


def test_legal_consent_is_required(browser: Browser, clerk: LocalClerk) -> None:
    clerk.source.replace({"sign_up": {"legal_consent_enabled": True}})
    sign_up = begin(browser, email_address="a@example.com", password=PASSWORD)
    assert sign_up["missing_fields"] == ["legal_accepted"]
    assert verify(browser, sign_up, "email_code").get_json()["response"]["status"] != "complete"
    path = f"/client/sign_ups/{sign_up['id']}"
    refused = browser.post(path, "PATCH", legal_accepted="false").get_json()["response"]
    assert refused["status"] == "missing_requirements"
    browser.post(path, "PATCH", legal_accepted="true", locale="de-DE")
    user = browser.session()["user"]
    assert (user["legal_accepted_at"], user["locale"]) == (clerk.now, "de-DE")


EVERYTHING = {
    "attributes": {"phone_number": PHONE, "username": USERNAME},
    "password": {
        "min_length": 6,
        "max_length": 20,
        "require_special_char": True,
        "require_numbers": True,
        "require_uppercase": True,
        "require_lowercase": True,
        "compromised": ["Password-1"],
    },
}


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"password": "aB-1"}, "form_password_length_too_short"),
        ({"password": "aB-1" * 6}, "form_password_length_too_long"),
        ({"password": "ab-1ab"}, "form_password_no_uppercase"),
        ({"password": "AB-1AB"}, "form_password_no_lowercase"),
        ({"password": "aB-aaa"}, "form_password_no_number"),
        ({"password": "aB1aaa"}, "form_password_no_special_char"),
        ({"password": "Password-1"}, "form_password_pwned"),
        ({"username": "abc"}, "form_username_invalid_length"),
        ({"username": "a" * 65}, "form_username_invalid_length"),
        ({"username": "ada lovelace"}, "form_username_invalid_character"),
        ({"username": "12345"}, "form_username_needs_non_number_char"),
        ({"username": "LOVELACE"}, "form_identifier_exists"),
        ({"phone_number": "12"}, "form_param_format_invalid"),
        ({"phone_number": NUMBER}, "form_identifier_exists"),
    ],
)
def test_invalid_fields_are_named(
    browser: Browser, clerk: LocalClerk, form: dict[str, str], code: str
) -> None:
    clerk.source.replace(EVERYTHING)
    taken = {"username": "lovelace", "phone_number": NUMBER, "email_address": "a@example.com"}
    sign_up = begin(browser, **taken, password="aB-1aB")
    verify(browser, sign_up, "email_code")
    verify(browser, sign_up, "phone_code")
    browser.post("/client/sessions", "DELETE")
    answer = browser.post("/client/sign_ups", **form)
    assert error_of(answer) == (422, code, next(iter(form)))


@pytest.mark.parametrize("field", ["phone_number", "username"])
def test_disabled_fields_are_rejected(browser: Browser, field: str) -> None:
    answer = browser.post("/client/sign_ups", **{field: "+15555550100"})
    assert error_of(answer) == (422, "form_param_unknown", field)


def test_a_code_expires(browser: Browser, clock: ManualClock) -> None:
    path = f"/client/sign_ups/{browser.begin_sign_up('a@example.com')['id']}"
    browser.post(f"{path}/prepare_verification", strategy="email_code")
    clock.forward(seconds=10 * 60)
    shown = browser.get(path).get_json()["response"]["verifications"]["email_address"]
    assert shown["status"] == "expired"
    answer = browser.post(f"{path}/attempt_verification", strategy="email_code", code="424242")
    assert error_of(answer)[:2] == (400, "verification_expired")


def test_attempts_are_limited(browser: Browser) -> None:
    path = f"/client/sign_ups/{browser.begin_sign_up('a@example.com')['id']}"
    browser.post(f"{path}/prepare_verification", strategy="email_code")
    for _ in range(5):
        browser.post(f"{path}/attempt_verification", strategy="email_code", code="1")
    answer = browser.post(f"{path}/attempt_verification", strategy="email_code", code="424242")
    assert error_of(answer)[1] == "verification_failed"


def test_another_address_needs_another_code(browser: Browser) -> None:
    path = f"/client/sign_ups/{browser.begin_sign_up('a@example.com')['id']}"
    browser.post(f"{path}/prepare_verification", strategy="email_code")
    browser.post(path, "PATCH", email_address="b@example.com")
    answer = browser.post(f"{path}/attempt_verification", strategy="email_code", code="424242")
    assert error_of(answer)[1] == "verification_missing"


def test_a_finished_sign_up_cannot_be_changed(ada: Browser, clerk: LocalClerk) -> None:
    clerk.source.replace({"sessions": {"multi_session": True}})
    sign_up = ada.begin_sign_up("b@example.com")
    verify(ada, sign_up, "email_code")
    answer = ada.post(f"/client/sign_ups/{sign_up['id']}", "PATCH", first_name="Eve")
    assert error_of(answer)[0] == 400
