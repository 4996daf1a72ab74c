"""The user's own addresses, numbers and usernames: adding, verifying, removing them."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import EmailAddress, Message, Verification
from clerk_emulator.testing import PASSWORD, Browser, ManualClock, error_of
from clerk_emulator.verifications import CODE

PHONE = "+15555550100"


@pytest.fixture(autouse=True)
def turned_on(clerk: LocalClerk) -> None:
    phone = {"enabled": True, "used_for_second_factor": True, "verifications": ["phone_code"]}
    email = {"required": False, "verifications": ["email_code", "email_link"]}
    clerk.source.replace(
        {
            "attributes": {
                "phone_number": phone,
                "username": {"enabled": True},
                "email_address": email,
            }
        }
    )


def add_email(browser: Browser, address: str) -> str:
    answer = browser.post("/me/email_addresses/", email_address=address)
    id: str = answer.get_json()["response"]["id"]
    return id


def add_phone(browser: Browser, number: str = PHONE, *, verify: bool = True) -> str:
    answer = browser.post("/me/phone_numbers/", phone_number=number)
    id: str = answer.get_json()["response"]["id"]
    if verify:
        browser.post(f"/me/phone_numbers/{id}/prepare_verification", strategy="phone_code")
        browser.post(f"/me/phone_numbers/{id}/attempt_verification", code=CODE)
    return id


def me(browser: Browser) -> dict[str, Any]:
    user: dict[str, Any] = browser.get("/me").get_json()["response"]
    return user


def bob_in(emulator: Flask) -> Browser:
    bob = Browser(emulator)
    bob.sign_up("bob@example.com")
    return bob


def test_a_code_only_verifies_the_address_it_was_sent_to(clerk: LocalClerk, ada: Browser) -> None:
    mine, other = add_email(ada, "b@example.com"), add_email(ada, "c@example.com")
    ada.post(f"/me/email_addresses/{mine}/prepare_verification", strategy="email_code")
    wrong = ada.post(f"/me/email_addresses/{other}/attempt_verification", code=CODE)
    email = clerk.store.get(EmailAddress, other)
    assert email is not None
    email.verification_id = clerk.store.find(Verification, newest_first=True)[0].id
    clerk.store.put(email)
    stolen = ada.post(f"/me/email_addresses/{other}/attempt_verification", code=CODE)
    assert error_of(wrong)[1] == "verification_missing"
    assert error_of(stolen)[1] == "strategy_for_user_invalid"


def test_a_code_is_used_once_and_expires(ada: Browser, clock: ManualClock) -> None:
    path = f"/me/email_addresses/{add_email(ada, 'b@example.com')}"
    ada.post(f"{path}/prepare_verification", strategy="email_code")
    clock.forward(seconds=600)
    late = ada.post(f"{path}/attempt_verification", code=CODE)
    shown = ada.get(path).get_json()["response"]["verification"]["status"]
    ada.post(f"{path}/prepare_verification", strategy="email_code")
    good = ada.post(f"{path}/attempt_verification", code=CODE)
    again = ada.post(f"{path}/attempt_verification", code=CODE)
    assert error_of(late)[1] == "verification_expired"
    assert shown == "expired"
    assert good.get_json()["response"]["verification"]["status"] == "verified"
    assert error_of(again)[1] == "verification_already_verified"


def test_a_link_verifies_the_address_it_was_sent_to(clerk: LocalClerk, ada: Browser) -> None:
    path = f"/me/email_addresses/{add_email(ada, 'b@example.com')}"
    ada.post(f"{path}/prepare_verification", strategy="email_link", redirect_url="/verified")
    before = ada.get(path).get_json()["response"]["verification"]
    by_code = ada.post(f"{path}/attempt_verification", code="")
    (message,) = clerk.store.find(Message, to="b@example.com")
    opened = ada.http.get(message.link)
    after = ada.get(path).get_json()["response"]["verification"]
    assert (before["status"], before["strategy"]) == ("unverified", "email_link")
    assert error_of(by_code)[1] == "strategy_for_user_invalid"
    assert opened.location == "http://localhost:5000/verified?__clerk_status=verified"
    assert (after["status"], after["strategy"]) == ("verified", "email_link")


def test_an_expired_or_replaced_link_is_rejected(
    clerk: LocalClerk, ada: Browser, clock: ManualClock
) -> None:
    path = f"/me/email_addresses/{add_email(ada, 'b@example.com')}"
    for _ in range(2):
        ada.post(f"{path}/prepare_verification", strategy="email_link", redirect_url="/verified")
    old, new = (message.link for message in clerk.store.find(Message, to="b@example.com"))
    ada.http.get(old)
    by_old = ada.get(path).get_json()["response"]["verification"]["status"]
    clock.forward(seconds=600)
    ada.http.get(new)
    too_late = ada.get(path).get_json()["response"]["verification"]["status"]
    assert (by_old, too_late) == ("unverified", "expired")


def test_links_redirect_only_to_the_app(ada: Browser) -> None:
    path = f"/me/email_addresses/{add_email(ada, 'b@example.com')}"
    for wanted in ("https://evil.example", "//evil.example", ""):
        form = {"strategy": "email_link", "redirect_url": wanted}
        assert error_of(ada.post(f"{path}/prepare_verification", **form))[2] == "redirect_url"


@pytest.mark.parametrize(
    ("method", "step", "form"),
    [
        ("GET", "", {}),
        ("POST", "/prepare_verification", {"strategy": "email_code"}),
        ("POST", "/attempt_verification", {"code": CODE}),
        ("DELETE", "", {}),
    ],
)
@pytest.mark.parametrize("kind", ["email_addresses", "phone_numbers"])
def test_identifications_of_other_users_cannot_be_accessed(
    emulator: Flask, ada: Browser, kind: str, method: str, step: str, form: dict[str, str]
) -> None:
    bob = bob_in(emulator)
    id = add_email(bob, "b@example.com") if kind[0] == "e" else add_phone(bob)
    path = f"/me/{kind}/{id}{step}"
    answer = ada.get(path) if method == "GET" else ada.post(path, method, **form)
    assert error_of(answer)[:2] == (404, "resource_not_found")


def test_another_users_number_cannot_become_a_second_factor(emulator: Flask, ada: Browser) -> None:
    id = add_phone(bob_in(emulator))
    patched = ada.post(f"/me/phone_numbers/{id}", "PATCH", reserved_for_second_factor="true")
    primary = ada.post("/me", "PATCH", primary_phone_number_id=id)
    assert (patched.status_code, primary.status_code) == (404, 404)


def test_the_last_identifier_cannot_be_removed(ada: Browser) -> None:
    id = me(ada)["primary_email_address_id"]
    only = ada.post(f"/me/email_addresses/{id}", "DELETE")
    add_phone(ada, verify=False)
    unverified = ada.post(f"/me/email_addresses/{id}", "DELETE")
    phone = add_phone(ada, "+15555550101")
    gone = ada.post(f"/me/email_addresses/{id}", "DELETE")
    last = ada.post(f"/me/phone_numbers/{phone}", "DELETE")
    for answer in (only, unverified, last):
        assert error_of(answer)[:2] == (403, "last_identification_deletion_failed")
    assert gone.status_code == 200
    assert me(ada)["primary_email_address_id"] is None


def test_a_required_address_cannot_be_removed(clerk: LocalClerk, ada: Browser) -> None:
    add_phone(ada)
    clerk.source.switch({"attributes": {"email_address": {"required": True}}})
    answer = ada.post(f"/me/email_addresses/{me(ada)['primary_email_address_id']}", "DELETE")
    assert error_of(answer)[1] == "last_required_identification_deletion_failed"


def test_another_address_replaces_the_primary_one(ada: Browser) -> None:
    first, second = me(ada)["primary_email_address_id"], add_email(ada, "b@example.com")
    ada.post(f"/me/email_addresses/{second}/prepare_verification", strategy="email_code")
    ada.post(f"/me/email_addresses/{second}/attempt_verification", code=CODE)
    ada.post(f"/me/email_addresses/{first}", "DELETE")
    assert me(ada)["primary_email_address_id"] == second


def test_the_first_number_becomes_the_primary_one(ada: Browser) -> None:
    first, second = add_phone(ada), add_phone(ada, "+1 (555) 555-0101")
    before = me(ada)["primary_phone_number_id"]
    ada.post("/me", "PATCH", primary_phone_number_id=second)
    assert (before, me(ada)["primary_phone_number_id"]) == (first, second)


def test_a_number_as_second_factor(clerk: LocalClerk, ada: Browser) -> None:
    clerk.source.switch({"attributes": {"backup_code": {"used_for_second_factor": True}}})
    id, other = add_phone(ada), add_phone(ada, "+15555550101")
    for phone in (id, other):
        answer = ada.post(f"/me/phone_numbers/{phone}", "PATCH", reserved_for_second_factor="true")
        if phone == id:
            codes = answer.get_json()["response"]["backup_codes"]
    ada.post(f"/me/phone_numbers/{other}", "PATCH", default_second_factor="true")
    phones = {phone["id"]: phone for phone in me(ada)["phone_numbers"]}
    assert len(set(codes)) == 10
    assert phones[id]["default_second_factor"] is False
    assert phones[other]["default_second_factor"] is True
    assert me(ada)["two_factor_enabled"] is True
    for phone in (id, other):
        ada.post(f"/me/phone_numbers/{phone}", "DELETE")
    assert me(ada)["two_factor_enabled"] is False
    assert me(ada)["backup_code_enabled"] is False


def test_an_unverified_number_is_no_second_factor(ada: Browser) -> None:
    id = add_phone(ada, verify=False)
    answer = ada.post(f"/me/phone_numbers/{id}", "PATCH", reserved_for_second_factor="true")
    assert answer.status_code == 400
    assert me(ada)["two_factor_enabled"] is False


def test_a_username_is_unique(emulator: Flask, ada: Browser) -> None:
    bob = bob_in(emulator)
    mine = ada.post("/me", "PATCH", username="Ada_L")
    again = ada.post("/me", "PATCH", username="ada_l")
    taken = bob.post("/me", "PATCH", username="ADA_L")
    assert mine.get_json()["response"]["username"] == "ada_l"
    assert again.status_code == 200
    assert error_of(taken) == (422, "form_identifier_exists", "username")


@pytest.mark.parametrize(
    ("username", "code"),
    [
        ("ada", "form_username_invalid_length"),
        ("a" * 65, "form_username_invalid_length"),
        ("ada lovelace", "form_username_invalid_character"),
        ("ada@example.com", "form_username_invalid_character"),
        ("12345", "form_username_needs_non_number_char"),
    ],
)
def test_an_invalid_username_is_rejected(ada: Browser, username: str, code: str) -> None:
    assert error_of(ada.post("/me", "PATCH", username=username)) == (422, code, "username")


@pytest.mark.parametrize("number", ["", "5555550100", "+1555", "+1555555010x", "+" + "1" * 16])
def test_an_invalid_number_is_rejected(ada: Browser, number: str) -> None:
    answer = ada.post("/me/phone_numbers/", phone_number=number)
    assert error_of(answer)[::2] == (422, "phone_number")


def test_a_number_belongs_to_the_user_who_verifies_it(emulator: Flask, ada: Browser) -> None:
    bob, late = bob_in(emulator), []
    for browser in (ada, bob):
        path = f"/me/phone_numbers/{add_phone(browser, verify=False)}"
        browser.post(f"{path}/prepare_verification", strategy="phone_code")
    again = bob.post("/me/phone_numbers/", phone_number=PHONE)
    assert error_of(again)[1] == "form_identifier_exists"
    for browser in (ada, bob):
        id = me(browser)["phone_numbers"][0]["id"]
        late.append(browser.post(f"/me/phone_numbers/{id}/attempt_verification", code=CODE))
    assert late[0].status_code == 200
    assert error_of(late[1])[1] == "form_identifier_exists"
    assert me(bob)["phone_numbers"][0]["verification"]["status"] != "verified"


def test_an_unverified_address_does_not_block_its_owner(emulator: Flask, ada: Browser) -> None:
    add_email(ada, "carol@example.com")
    carol = Browser(emulator)
    user_id = carol.sign_up("carol@example.com")["user"]["id"]
    other = Browser(emulator)
    other.sign_in("carol@example.com")
    assert other.session()["user"]["id"] == user_id


def test_the_number_of_unverified_identifiers_is_limited(ada: Browser) -> None:
    for number in range(10):
        add_email(ada, f"b{number}@example.com")
    answer = ada.post("/me/email_addresses/", email_address="c@example.com")
    assert error_of(answer)[1] == "too_many_unverified_identifications"


def test_disabled_features_are_rejected(clerk: LocalClerk, ada: Browser) -> None:
    clerk.source.replace({})
    phone = ada.post("/me/phone_numbers/", phone_number=PHONE)
    username = ada.post("/me", "PATCH", username="ada_l")
    assert {error_of(answer)[1] for answer in (phone, username)} == {"form_param_unknown"}


def test_immutable_identifiers_cannot_be_changed(clerk: LocalClerk, ada: Browser) -> None:
    clerk.source.switch({"attributes": {"username": {"immutable": True}}})
    assert error_of(ada.post("/me", "PATCH", username="ada_l"))[1] == "action_blocked"


def test_immutable_identifiers_are_set_at_sign_up(clerk: LocalClerk, browser: Browser) -> None:
    clerk.source.switch({"attributes": {"email_address": {"immutable": True, "required": True}}})
    assert browser.sign_up("ada@example.com")["user"]["primary_email_address_id"]


def test_a_sign_up_can_leave_optional_fields_empty(browser: Browser) -> None:
    form = {"email_address": "ada@example.com", "phone_number": "", "username": ""}
    answer = browser.post("/client/sign_ups", password=PASSWORD, **form)
    assert answer.get_json()["response"]["phone_number"] is None
