"""Signing in and out through the Frontend API."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from clerk_emulator.testing import Browser, ManualClock, error_of


@pytest.fixture
def stranger(emulator: Flask, ada: Browser) -> Browser:
    """A second browser, in which Ada, who has an account, is not signed in."""
    return Browser(emulator)


def begin(browser: Browser) -> str:
    """Start a sign-in for Ada; return its path."""
    answer = browser.post("/client/sign_ins", identifier="ada@example.com")
    return f"/client/sign_ins/{answer.get_json()['response']['id']}"


def test_the_right_password_signs_in(stranger: Browser) -> None:
    sign_in = stranger.sign_in("ada@example.com").get_json()["response"]
    assert sign_in["status"] == "complete"
    assert sign_in["created_session_id"] == stranger.session()["id"]


def test_the_address_is_enough_to_list_the_strategies(stranger: Browser) -> None:
    answer = stranger.post("/client/sign_ins", identifier="ADA@example.com")
    sign_in = answer.get_json()["response"]
    ways = [factor["strategy"] for factor in sign_in["supported_first_factors"]]
    assert sign_in["status"] == "needs_first_factor"
    assert ways == ["password", "email_code", "reset_password_email_code"]


def test_a_wrong_password_is_reported_for_its_field(stranger: Browser) -> None:
    answer = stranger.sign_in("ada@example.com", "wrong password")
    assert error_of(answer) == (422, "form_password_incorrect", "password")
    assert stranger.client()["sessions"] == []


def test_an_unknown_address_is_reported_for_its_field(stranger: Browser) -> None:
    answer = stranger.sign_in("nobody@example.com")
    assert error_of(answer) == (422, "form_identifier_not_found", "identifier")


def test_a_code_signs_in(stranger: Browser) -> None:
    path = begin(stranger)
    stranger.post(f"{path}/prepare_first_factor", strategy="email_code")
    wrong = stranger.post(f"{path}/attempt_first_factor", strategy="email_code", code="1")
    right = stranger.post(f"{path}/attempt_first_factor", strategy="email_code", code="424242")
    assert error_of(wrong) == (422, "form_code_incorrect", "code")
    assert right.get_json()["response"]["status"] == "complete"


def test_a_code_that_was_not_requested_does_not_sign_in(stranger: Browser) -> None:
    path = begin(stranger)
    answer = stranger.post(f"{path}/attempt_first_factor", strategy="email_code", code="424242")
    assert error_of(answer)[1] == "verification_missing"


def test_a_forgotten_password_can_be_replaced(stranger: Browser) -> None:
    path = begin(stranger)
    strategy = "reset_password_email_code"
    stranger.post(f"{path}/prepare_first_factor", strategy=strategy)
    answer = stranger.post(f"{path}/attempt_first_factor", strategy=strategy, code="424242")
    assert answer.get_json()["response"]["status"] == "needs_new_password"
    answer = stranger.post(f"{path}/reset_password", password="another horse 8")
    assert answer.get_json()["response"]["status"] == "complete"
    assert len(stranger.client()["sessions"]) == 1


def test_a_password_cannot_be_reset_without_the_code(stranger: Browser) -> None:
    answer = stranger.post(f"{begin(stranger)}/reset_password", password="another horse 8")
    assert error_of(answer)[1] == "strategy_for_user_invalid"


def test_a_browser_has_one_session_at_a_time(ada: Browser) -> None:
    assert error_of(ada.sign_in("ada@example.com"))[:2] == (400, "session_exists")


SIGN_OUTS: list[tuple[str, str]] = [
    ("/client/sessions", "DELETE"),
    ("/client", "DELETE"),
    ("/client/sessions/{id}/end", "POST"),
    ("/client/sessions/{id}/remove", "POST"),
]


@pytest.mark.parametrize(("path", "method"), SIGN_OUTS)
def test_signing_out_ends_the_session(ada: Browser, path: str, method: str) -> None:
    session = ada.session()
    answer: dict[str, Any] = ada.post(path.format(id=session["id"]), method).get_json()
    assert answer["client"]["sessions"] == []
    refused = ada.post(f"/client/sessions/{session['id']}/tokens")
    assert error_of(refused)[:2] == (401, "authentication_invalid")


def test_a_session_expires_after_a_week(ada: Browser, clock: ManualClock) -> None:
    clock.forward(seconds=7 * 24 * 3600)
    assert ada.client()["sessions"] == []


def test_an_unknown_browser_has_to_get_a_token_first(browser: Browser) -> None:
    browser.dev_browser = "dvb_unknown"
    assert error_of(browser.get("/client"))[:2] == (401, "dev_browser_unauthenticated")


def test_a_session_of_another_browser_cannot_be_accessed(ada: Browser, stranger: Browser) -> None:
    answer = stranger.post(f"/client/sessions/{ada.session()['id']}/tokens")
    assert error_of(answer)[0] == 401
