"""Signing in with settings or accounts that differ from the defaults."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import EmailAddress, Message, PhoneNumber, User
from clerk_emulator.testing import PASSWORD, Browser, ManualClock, error_of

NUMBER = "+15555550100"
IDENTIFIERS = {
    "attributes": {
        "phone_number": {
            "enabled": True,
            "used_for_first_factor": True,
            "first_factors": ["phone_code"],
        },
        "username": {"enabled": True, "used_for_first_factor": True},
    }
}

BY_WHATSAPP = {
    "enabled": True,
    "used_for_first_factor": True,
    "first_factors": ["phone_code"],
    "channels": ["sms", "whatsapp"],
}


@pytest.fixture
def user(ada: Browser, clerk: LocalClerk) -> User:
    """Ada, who also has a number and a username."""
    user = clerk.store.get(User, ada.session()["user"]["id"])
    assert user is not None
    user.username = "lovelace"
    phone = PhoneNumber("idn_phone", clerk.now, clerk.now, user.id, NUMBER, verified=True)
    user.primary_phone_number_id = phone.id
    clerk.store.put(phone)
    clerk.store.put(user)
    return user


@pytest.fixture
def stranger(emulator: Flask, user: User) -> Browser:
    """A browser in which Ada is not signed in."""
    return Browser(emulator)


def begin(browser: Browser, identifier: str, **form: str) -> dict[str, Any]:
    answer = browser.post("/client/sign_ins", identifier=identifier, **form)
    sign_in: dict[str, Any] = answer.get_json()["response"]
    return sign_in


def ways(sign_in: dict[str, Any]) -> list[str]:
    return [factor["strategy"] for factor in sign_in["supported_first_factors"]]


@pytest.mark.parametrize("identifier", ["ADA@example.com ", "+1 (555) 555-0100", "LoveLace"])
def test_a_user_has_several_identifiers(
    stranger: Browser, user: User, clerk: LocalClerk, identifier: str
) -> None:
    clerk.source.replace(IDENTIFIERS)
    sign_in = begin(stranger, identifier, password=PASSWORD)
    assert sign_in["supported_identifiers"] == ["email_address", "phone_number", "username"]
    assert sign_in["status"] == "complete"
    assert stranger.session()["user"]["id"] == user.id


@pytest.mark.parametrize("identifier", [NUMBER, "lovelace", "not an address"])
def test_only_enabled_attributes_identify_users(stranger: Browser, identifier: str) -> None:
    answer = stranger.post("/client/sign_ins", identifier=identifier)
    assert error_of(answer) == (422, "form_param_format_invalid", "identifier")


def test_a_number_gets_an_sms(stranger: Browser, clerk: LocalClerk) -> None:
    clerk.source.replace(IDENTIFIERS)
    sign_in = begin(stranger, NUMBER, strategy="phone_code")
    path = f"/client/sign_ins/{sign_in['id']}/attempt_first_factor"
    assert sign_in["first_factor_verification"]["channel"] == "sms"
    assert clerk.store.first(Message, to=NUMBER) is not None
    stranger.post(path, strategy="phone_code", code="424242")
    assert stranger.client()["last_authentication_strategy"] == "phone_code"


def test_a_code_can_be_sent_by_another_channel(stranger: Browser, clerk: LocalClerk) -> None:
    clerk.source.replace({"attributes": {"phone_number": BY_WHATSAPP}})
    sign_in = begin(stranger, NUMBER, strategy="phone_code", channel="whatsapp")
    assert sign_in["first_factor_verification"]["channel"] == "whatsapp"
    path = f"/client/sign_ins/{sign_in['id']}/prepare_first_factor"
    wrong = stranger.post(path, strategy="phone_code", channel="pigeon")
    assert error_of(wrong) == (422, "form_param_value_invalid", "channel")
    answer = stranger.post(path, strategy="phone_code").get_json()["response"]
    assert answer["first_factor_verification"]["channel"] == "sms"


def test_a_username_does_not_reveal_the_address(stranger: Browser, clerk: LocalClerk) -> None:
    clerk.source.replace(IDENTIFIERS)
    sign_in = begin(stranger, "lovelace")
    assert "ada@example.com" not in str(sign_in["supported_first_factors"])
    assert "reset_password_phone_code" in ways(sign_in)


def test_a_password_is_reset_by_sms(stranger: Browser, clerk: LocalClerk) -> None:
    clerk.source.replace(IDENTIFIERS)
    strategy = "reset_password_phone_code"
    path = f"/client/sign_ins/{begin(stranger, NUMBER, strategy=strategy)['id']}"
    stranger.post(f"{path}/attempt_first_factor", strategy=strategy, code="424242")
    stranger.post(f"{path}/reset_password", password="another horse 8")
    assert len(stranger.client()["sessions"]) == 1


def test_the_new_password_has_to_meet_the_rules(stranger: Browser, clerk: LocalClerk) -> None:
    clerk.source.replace({"password": {"min_length": 20}})
    strategy = "reset_password_email_code"
    path = f"/client/sign_ins/{begin(stranger, 'ada@example.com', strategy=strategy)['id']}"
    stranger.post(f"{path}/attempt_first_factor", strategy=strategy, code="424242")
    answer = stranger.post(f"{path}/reset_password", password="another horse 8")
    assert error_of(answer)[1] == "form_password_length_too_short"


def test_a_code_is_sent_only_to_the_users_own_address(
    stranger: Browser, emulator: Flask, clerk: LocalClerk
) -> None:
    eve = Browser(emulator)
    eve.sign_up("eve@example.com")
    foreign = clerk.store.first(EmailAddress, email_address="eve@example.com")
    assert foreign is not None
    path = f"/client/sign_ins/{begin(stranger, 'ada@example.com')['id']}/prepare_first_factor"
    answer = stranger.post(path, strategy="email_code", email_address_id=foreign.id)
    assert error_of(answer)[1] == "strategy_for_user_invalid"


def test_the_code_of_another_sign_in_is_rejected(stranger: Browser, clerk: LocalClerk) -> None:
    begin(stranger, "ada@example.com", strategy="email_code")
    path = f"/client/sign_ins/{begin(stranger, 'ada@example.com')['id']}/attempt_first_factor"
    answer = stranger.post(path, strategy="email_code", code="424242")
    assert error_of(answer)[1] == "verification_missing"


def test_a_code_for_signing_in_does_not_reset_the_password(stranger: Browser) -> None:
    sign_in = begin(stranger, "ada@example.com", strategy="email_code")
    path = f"/client/sign_ins/{sign_in['id']}/attempt_first_factor"
    answer = stranger.post(path, strategy="reset_password_email_code", code="424242")
    assert error_of(answer)[1] == "strategy_for_user_invalid"


def test_another_browser_cannot_continue(emulator: Flask, stranger: Browser) -> None:
    sign_in = begin(stranger, "ada@example.com", strategy="email_code")
    path = f"/client/sign_ins/{sign_in['id']}/attempt_first_factor"
    answer = Browser(emulator).post(path, strategy="email_code", code="424242")
    assert error_of(answer)[:2] == (404, "resource_not_found")


def test_a_code_expires(stranger: Browser, clock: ManualClock) -> None:
    path = f"/client/sign_ins/{begin(stranger, 'ada@example.com', strategy='email_code')['id']}"
    clock.forward(seconds=10 * 60)
    answer = stranger.post(f"{path}/attempt_first_factor", strategy="email_code", code="424242")
    assert error_of(answer)[:2] == (400, "verification_expired")


def test_attempts_are_limited(stranger: Browser) -> None:
    path = f"/client/sign_ins/{begin(stranger, 'ada@example.com', strategy='email_code')['id']}"
    for _ in range(5):
        stranger.post(f"{path}/attempt_first_factor", strategy="email_code", code="1")
    shown = stranger.get(path).get_json()["response"]["first_factor_verification"]
    assert shown["attempts"] == 5
    answer = stranger.post(f"{path}/attempt_first_factor", strategy="email_code", code="424242")
    assert error_of(answer)[1] == "verification_failed"


@pytest.mark.parametrize(("field", "code"), [("banned", "user_banned"), ("locked", "user_locked")])
def test_a_banned_or_locked_user_cannot_complete_a_sign_in(
    stranger: Browser, user: User, clerk: LocalClerk, field: str, code: str
) -> None:
    path = f"/client/sign_ins/{begin(stranger, 'ada@example.com', strategy='email_code')['id']}"
    setattr(user, field, True)
    clerk.store.put(user)
    late = stranger.post(f"{path}/attempt_first_factor", strategy="email_code", code="424242")
    assert error_of(late)[:2] == (403, code)
    assert error_of(stranger.sign_in("ada@example.com"))[:2] == (403, code)
    assert stranger.client()["sessions"] == []


def test_a_compromised_password_is_rejected(stranger: Browser, clerk: LocalClerk) -> None:
    clerk.source.replace({"password": {"compromised": [PASSWORD]}})
    answer = stranger.sign_in("ada@example.com")
    assert error_of(answer) == (422, "form_password_pwned", "password")


def test_a_password_marked_as_compromised_has_to_be_replaced(
    stranger: Browser, user: User, clerk: LocalClerk
) -> None:
    user.password_compromised = True
    clerk.store.put(user)
    answer = stranger.sign_in("ada@example.com")
    assert error_of(answer) == (422, "form_password_compromised", "password")
    path = f"/client/sign_ins/{begin(stranger, 'ada@example.com', strategy='email_code')['id']}"
    stranger.post(f"{path}/attempt_first_factor", strategy="email_code", code="424242")
    assert stranger.session()["tasks"] == [{"key": "reset-password"}]


def test_passwords_are_not_offered_while_disabled(stranger: Browser, clerk: LocalClerk) -> None:
    clerk.source.replace({"attributes": {"password": {"enabled": False, "required": False}}})
    assert ways(begin(stranger, "ada@example.com")) == ["email_code"]
    assert error_of(stranger.sign_in("ada@example.com"))[1] == "strategy_for_user_invalid"


PROTECTED = {"sign_in": {"enumeration_protection": True}}


def shape(browser: Browser, identifier: str, **form: str) -> str:
    """A sign-in without the values that differ every time."""
    sign_in = begin(browser, identifier, **form)
    factors = sign_in["supported_first_factors"]
    hidden = [sign_in["id"], identifier] + [f.get("email_address_id", "-") for f in factors]
    text = str({name: value for name, value in sign_in.items() if name != "abandon_at"})
    for secret in hidden:
        text = text.replace(secret, "…")
    return text


@pytest.mark.parametrize("form", [{}, {"strategy": "email_code"}])
def test_enumeration_protection_hides_who_has_an_account(
    stranger: Browser, clerk: LocalClerk, form: dict[str, str]
) -> None:
    clerk.source.replace(PROTECTED)
    assert shape(stranger, "ada@example.com", **form) == shape(stranger, "eve@example.com", **form)
    assert clerk.store.first(Message, to="eve@example.com") is None


@pytest.mark.parametrize("identifier", ["ada@example.com", "eve@example.com"])
@pytest.mark.parametrize(
    ("strategy", "code"),
    [
        ("password", "form_password_or_identifier_incorrect"),
        ("email_code", "form_code_incorrect"),
        ("reset_password_email_code", "form_code_incorrect"),
    ],
)
def test_errors_do_not_reveal_who_has_an_account(
    stranger: Browser, clerk: LocalClerk, identifier: str, strategy: str, code: str
) -> None:
    clerk.source.replace(PROTECTED)
    path = f"/client/sign_ins/{begin(stranger, identifier)['id']}"
    stranger.post(f"{path}/prepare_first_factor", strategy=strategy)
    form = {"strategy": strategy, "password": "wrong", "code": "1"}
    assert error_of(stranger.post(f"{path}/attempt_first_factor", **form))[:2] == (422, code)


@pytest.mark.parametrize("code", ["424242", "", "none"])
def test_no_code_signs_in_an_unknown_user(stranger: Browser, clerk: LocalClerk, code: str) -> None:
    clerk.source.replace(PROTECTED)
    path = f"/client/sign_ins/{begin(stranger, 'eve@example.com', strategy='email_code')['id']}"
    answer = stranger.post(f"{path}/attempt_first_factor", strategy="email_code", code=code)
    assert error_of(answer)[1] == "form_code_incorrect"
    assert stranger.client()["sessions"] == []


def test_enumeration_protection_lets_existing_users_sign_in(
    stranger: Browser, clerk: LocalClerk
) -> None:
    clerk.source.replace(PROTECTED)
    assert stranger.sign_in("ada@example.com").get_json()["response"]["status"] == "complete"


def test_a_browser_may_have_several_users(ada: Browser, clerk: LocalClerk) -> None:
    clerk.source.replace({"sessions": {"multi_session": True}})
    path = f"/client/sign_ups/{ada.begin_sign_up('eve@example.com')['id']}"
    ada.post(f"{path}/prepare_verification", strategy="email_code")
    ada.post(f"{path}/attempt_verification", strategy="email_code", code="424242")
    assert len(ada.client()["sessions"]) == 2
    answer = ada.sign_in("ada@example.com")
    assert error_of(answer)[:2] == (400, "identifier_already_signed_in")


def test_an_address_that_needs_no_verification_identifies_its_first_owner(
    browser: Browser, emulator: Flask, clerk: LocalClerk
) -> None:
    clerk.source.replace({"attributes": {"email_address": {"verify_at_sign_up": False}}})
    browser.begin_sign_up("eve@example.com")
    other = Browser(emulator)
    assert other.sign_in("eve@example.com").get_json()["response"]["status"] == "complete"
    clerk.source.replace({})
    answer = Browser(emulator).sign_in("eve@example.com")
    assert error_of(answer)[1] == "form_identifier_not_found"


def test_a_disabled_attribute_identifies_no_user(stranger: Browser, clerk: LocalClerk) -> None:
    clerk.source.replace({"attributes": {"email_address": {"enabled": False}}})
    shown = stranger.get("/environment").get_json()["user_settings"]["attributes"]
    assert shown["email_address"]["used_for_first_factor"] is False
    answer = stranger.sign_in("ada@example.com")
    assert error_of(answer)[1] == "form_param_format_invalid"
