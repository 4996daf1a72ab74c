"""Sign-ins that become sign-ups: only a verified address reveals whether it has an account."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import Message, SignIn, Verification
from clerk_emulator.testing import PASSWORD, Browser, ManualClock, error_of

CODE = "424242"
NEW = "eve@example.com"
OPTIONAL_PASSWORD = {"attributes": {"password": {"required": False}}}
PHONE = {
    "attributes": {
        "password": {"required": False},
        "email_address": {"required": False},
        "phone_number": {
            "enabled": True,
            "used_for_first_factor": True,
            "first_factors": ["phone_code"],
        },
    }
}
LINKS = {
    "attributes": {
        "password": {"required": False},
        "email_address": {"verifications": ["email_link"], "first_factors": ["email_link"]},
    }
}


@pytest.fixture
def stranger(emulator: Flask, ada: Browser, clerk: LocalClerk) -> Browser:
    """A browser in which no user is signed in. Ada has an account."""
    clerk.source.replace(OPTIONAL_PASSWORD)
    stranger = Browser(emulator)
    stranger.http.set_cookie("__clerk_db_jwt", stranger.dev_browser)
    return stranger


def begin(browser: Browser, identifier: str = NEW, **more: str) -> Any:
    return browser.post(
        "/client/sign_ins", identifier=identifier, sign_up_if_missing="true", **more
    )


def prove(browser: Browser, identifier: str = NEW, strategy: str = "email_code") -> Any:
    """Request a code and enter it."""
    path = f"/client/sign_ins/{begin(browser, identifier).get_json()['response']['id']}"
    browser.post(f"{path}/prepare_first_factor", strategy=strategy)
    return browser.post(f"{path}/attempt_first_factor", strategy=strategy, code=CODE)


def transfer(browser: Browser, **form: str) -> Any:
    return browser.post("/client/sign_ups", transfer="true", **form)


def test_a_verified_address_becomes_an_account(stranger: Browser) -> None:
    answer = prove(stranger)
    assert error_of(answer)[:2] == (422, "sign_up_if_missing_transfer")
    told = answer.get_json()["meta"]["client"]["sign_in"]["first_factor_verification"]
    assert told["status"] == "transferable"
    sign_up = transfer(stranger).get_json()["response"]
    assert sign_up["status"] == "complete"
    (address,) = stranger.session()["user"]["email_addresses"]
    assert (address["email_address"], address["verification"]["status"]) == (NEW, "verified")


def test_an_existing_user_signs_in(stranger: Browser) -> None:
    done = prove(stranger, "ada@example.com").get_json()["response"]
    assert done["status"] == "complete"


def test_until_then_known_and_unknown_addresses_look_the_same(stranger: Browser) -> None:
    shown = []
    for identifier in ("ada@example.com", NEW):
        found = begin(stranger, identifier).get_json()["response"]
        factors = [factor["strategy"] for factor in found["supported_first_factors"]]
        shown.append((found["status"], factors, found["user_data"], found["client_trust_state"]))
    assert shown[0] == shown[1]


def test_missing_fields_are_requested(stranger: Browser, clerk: LocalClerk) -> None:
    clerk.source.replace({})
    prove(stranger)
    sign_up = transfer(stranger).get_json()["response"]
    assert (sign_up["status"], sign_up["missing_fields"]) == ("missing_requirements", ["password"])
    assert sign_up["unverified_fields"] == []
    path = f"/client/sign_ups/{sign_up['id']}"
    done = stranger.post(path, "PATCH", password=PASSWORD).get_json()["response"]
    assert done["status"] == "complete"


def test_a_number_works_too(stranger: Browser, clerk: LocalClerk) -> None:
    clerk.source.replace(PHONE)
    prove(stranger, "+14155550123", "phone_code")
    assert transfer(stranger).get_json()["response"]["status"] == "complete"
    (phone,) = stranger.session()["user"]["phone_numbers"]
    assert phone["verification"]["status"] == "verified"


def test_a_link_works_too(stranger: Browser, clerk: LocalClerk) -> None:
    clerk.source.replace(LINKS)
    sign_in = begin(stranger).get_json()["response"]
    path = f"/client/sign_ins/{sign_in['id']}"
    back = "http://localhost:5000/login"
    stranger.post(f"{path}/prepare_first_factor", strategy="email_link", redirect_url=back)
    link = urlsplit(clerk.store.find(Message)[-1].link)
    answer = stranger.http.get(link.path, query_string=link.query)
    assert "__clerk_status=transferable" in answer.headers["Location"]
    seen = stranger.get(path).get_json()["response"]["first_factor_verification"]
    assert seen["status"] == "transferable"
    assert transfer(stranger).get_json()["response"]["status"] == "complete"


def test_another_address_in_the_same_request_is_not_verified(stranger: Browser) -> None:
    prove(stranger)
    transfer(stranger, email_address="boss@example.com")
    (address,) = stranger.session()["user"]["email_addresses"]
    assert address["email_address"] == NEW


def test_a_wrong_code_verifies_nothing(stranger: Browser) -> None:
    path = f"/client/sign_ins/{begin(stranger).get_json()['response']['id']}"
    stranger.post(f"{path}/prepare_first_factor", strategy="email_code")
    answer = stranger.post(f"{path}/attempt_first_factor", strategy="email_code", code="000000")
    assert error_of(answer)[1] == "form_code_incorrect"
    assert error_of(transfer(stranger))[:2] == (400, "account_transfer_invalid")


def test_it_is_transferred_once(stranger: Browser, clerk: LocalClerk) -> None:
    clerk.source.replace({})
    prove(stranger)
    transfer(stranger)
    assert error_of(transfer(stranger))[1] == "account_transfer_invalid"


def test_another_browser_cannot_take_it_over(emulator: Flask, stranger: Browser) -> None:
    prove(stranger)
    assert error_of(transfer(Browser(emulator)))[1] == "account_transfer_invalid"


def test_a_verification_expires(stranger: Browser, clock: ManualClock) -> None:
    prove(stranger)
    clock.forward(seconds=601)
    assert error_of(transfer(stranger))[1] == "account_transfer_invalid"


def test_the_first_account_keeps_the_address(emulator: Flask, stranger: Browser) -> None:
    prove(stranger)
    Browser(emulator).sign_up(NEW)
    assert error_of(transfer(stranger))[1] == "form_identifier_exists"


@pytest.mark.parametrize(
    ("strategy", "form", "problem"),
    [
        ("password", {"password": PASSWORD}, "form_password_or_identifier_incorrect"),
        ("reset_password_email_code", {"code": CODE}, "form_code_incorrect"),
    ],
)
def test_other_strategies_do_not_verify_an_address(
    stranger: Browser, strategy: str, form: dict[str, str], problem: str
) -> None:
    path = f"/client/sign_ins/{begin(stranger).get_json()['response']['id']}"
    if strategy != "password":
        stranger.post(f"{path}/prepare_first_factor", strategy=strategy)
    answer = stranger.post(f"{path}/attempt_first_factor", strategy=strategy, **form)
    assert error_of(answer)[1] == problem
    assert error_of(transfer(stranger))[1] == "account_transfer_invalid"


@pytest.mark.parametrize("mode", ["restricted", "waitlist"])
def test_restricted_sign_up_stays_restricted(
    stranger: Browser, clerk: LocalClerk, mode: str
) -> None:
    clerk.source.replace({"sign_up": {"mode": mode}})
    assert error_of(begin(stranger))[1] == "form_identifier_not_found"
    assert clerk.store.find(SignIn) == []


def test_sign_up_restricted_in_the_meantime_is_rejected(
    stranger: Browser, clerk: LocalClerk
) -> None:
    prove(stranger)
    clerk.source.replace({"sign_up": {"mode": "restricted"}})
    assert error_of(transfer(stranger))[0] == 403


def test_a_sign_in_without_it_does_not_become_a_sign_up(
    stranger: Browser, clerk: LocalClerk
) -> None:
    clerk.source.replace({"sign_in": {"enumeration_protection": True}})
    sign_in = stranger.post("/client/sign_ins", identifier=NEW).get_json()["response"]
    path = f"/client/sign_ins/{sign_in['id']}"
    stranger.post(f"{path}/prepare_first_factor", strategy="email_code")
    answer = stranger.post(f"{path}/attempt_first_factor", strategy="email_code", code=CODE)
    assert error_of(answer)[1] == "form_code_incorrect"
    assert {found.status for found in clerk.store.find(Verification, target=sign_in["id"])} == {
        "unverified"
    }
