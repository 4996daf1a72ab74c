"""Reverification before sensitive changes."""

from __future__ import annotations

import jwt
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.testing import PASSWORD, Browser, ManualClock, error_of
from clerk_emulator.verifications import CODE

REQUIRED = (403, "session_reverification_required")


def verify(browser: Browser, step: str = "", **form: str) -> TestResponse:
    return browser.post(f"/client/sessions/{browser.session()['id']}/verify{step}", **form)


@pytest.fixture
def stale(ada: Browser, clock: ManualClock) -> Browser:
    """Ada, who signed in ten minutes ago."""
    clock.forward(seconds=600)
    return ada


@pytest.mark.parametrize(
    ("method", "path", "form"),
    [
        ("DELETE", "/me", {}),
        ("PATCH", "/me", {"primary_email_address_id": "idn_x"}),
        ("POST", "/me/change_password", {"new_password": "another horse 8"}),
        ("POST", "/me/remove_password", {}),
        ("POST", "/me/email_addresses/", {"email_address": "b@example.com"}),
    ],
)
def test_sensitive_changes_need_a_fresh_verification(
    stale: Browser, method: str, path: str, form: dict[str, str]
) -> None:
    assert error_of(stale.post(path, method, **form))[:2] == REQUIRED


def test_a_name_can_be_changed_without_reverification(stale: Browser) -> None:
    assert stale.post("/me", "PATCH", first_name="Ada").status_code == 200


def test_the_password_makes_the_session_fresh(stale: Browser) -> None:
    started = verify(stale, level="second_factor").get_json()["response"]
    done = verify(stale, "/attempt_first_factor", strategy="password", password=PASSWORD)
    shown = done.get_json()["response"]
    assert started["status"] == "needs_first_factor"
    assert {"password", "email_code"} == {f["strategy"] for f in started["supported_first_factors"]}
    assert shown["status"] == "complete"
    assert shown["session"]["factor_verification_age"] == [0, -1]
    assert stale.post("/me", "DELETE").status_code == 200


def test_the_next_token_has_the_age_of_the_verification(stale: Browser) -> None:
    path = f"/client/sessions/{stale.session()['id']}/tokens"
    ages = []
    for _ in range(2):
        token = stale.post(path).get_json()["jwt"]
        ages.append(jwt.decode(token, options={"verify_signature": False})["fva"])
        verify(stale)
        verify(stale, "/attempt_first_factor", strategy="password", password=PASSWORD)
    assert ages == [[10, -1], [0, -1]]


def test_a_code_reverifies_the_session_too(stale: Browser) -> None:
    verify(stale, level="first_factor")
    id = stale.session()["user"]["primary_email_address_id"]
    verify(stale, "/prepare_first_factor", strategy="email_code", email_address_id=id)
    done = verify(stale, "/attempt_first_factor", strategy="email_code", code=CODE)
    assert done.get_json()["response"]["status"] == "complete"


@pytest.mark.parametrize(
    "form",
    [
        {"strategy": "password", "password": "wrong"},
        {"strategy": "password"},
        {"strategy": "email_code", "code": CODE},
        {"strategy": "phone_code", "code": CODE},
        {"strategy": "totp", "code": CODE},
        {},
    ],
)
def test_a_wrong_password_changes_nothing(stale: Browser, form: dict[str, str]) -> None:
    verify(stale)
    assert 400 <= verify(stale, "/attempt_first_factor", **form).status_code < 500
    assert error_of(stale.post("/me", "DELETE"))[:2] == REQUIRED


def test_a_wrong_code_changes_nothing(stale: Browser) -> None:
    verify(stale)
    verify(stale, "/prepare_first_factor", strategy="email_code")
    wrong = verify(stale, "/attempt_first_factor", strategy="email_code", code="000000")
    assert error_of(wrong)[1] == "form_code_incorrect"
    assert error_of(stale.post("/me", "DELETE"))[:2] == REQUIRED


def test_a_code_is_not_sent_to_another_users_address(emulator: Flask, stale: Browser) -> None:
    bob = Browser(emulator)
    id = bob.sign_up("bob@example.com")["user"]["primary_email_address_id"]
    verify(stale)
    sent = verify(stale, "/prepare_first_factor", strategy="email_code", email_address_id=id)
    assert error_of(sent)[1] == "strategy_for_user_invalid"


def test_another_browsers_session_cannot_be_verified(emulator: Flask, stale: Browser) -> None:
    bob = Browser(emulator)
    bob.sign_up("bob@example.com")
    assert bob.post(f"/client/sessions/{stale.session()['id']}/verify").status_code == 401


def test_steps_cannot_be_skipped(stale: Browser, clock: ManualClock) -> None:
    password = {"strategy": "password", "password": PASSWORD}
    early = verify(stale, "/attempt_first_factor", **password)
    verify(stale)
    other = verify(stale, "/attempt_second_factor", strategy="totp", code=CODE)
    clock.forward(seconds=600)
    late = verify(stale, "/attempt_first_factor", **password)
    assert {error_of(answer)[1] for answer in (early, other, late)} == {"verification_missing"}


def test_an_unknown_level_is_rejected(stale: Browser) -> None:
    assert error_of(verify(stale, level="none"))[2] == "level"


def test_nothing_needs_reverification_while_disabled(clerk: LocalClerk, stale: Browser) -> None:
    clerk.source.replace({"sessions": {"reverification": False}})
    assert stale.post("/me", "DELETE").status_code == 200


def test_while_disabled_a_new_password_needs_the_current_one(
    clerk: LocalClerk, ada: Browser
) -> None:
    clerk.source.replace({"sessions": {"reverification": False}})
    answer = ada.post("/me/change_password", new_password="another horse 8")
    assert error_of(answer)[1:] == ("form_param_nil", "current_password")


def test_a_started_verification_must_be_completed(ada: Browser) -> None:
    verify(ada, level="first_factor")
    form = {"email_address": "b@example.com"}
    assert error_of(ada.post("/me/email_addresses/", **form))[:2] == REQUIRED
    verify(ada, "/attempt_first_factor", strategy="password", password=PASSWORD)
    assert ada.post("/me/email_addresses/", **form).status_code == 200
