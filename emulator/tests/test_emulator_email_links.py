"""Email links: one tab waits, and the link is opened in another tab or another browser."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import Message, Verification
from clerk_emulator.testing import PASSWORD, Browser, ManualClock, error_of

BACK = "http://localhost:5000/sign-up#/verify"
ATTRIBUTES = {"email_address": {"verifications": ["email_link"], "first_factors": ["email_link"]}}
HERE = {"attributes": ATTRIBUTES}
LINKS = HERE | {"attack_protection": {"email_link": {"require_same_client": False}}}


def open_link(browser: Browser, clerk: LocalClerk) -> dict[str, list[str]]:
    """Open the last link sent; return the query that the app's page gets."""
    link = clerk.store.find(Message)[-1].link
    answer = browser.http.get(urlsplit(link).path, query_string=urlsplit(link).query)
    assert answer.status_code == 303
    target = urlsplit(answer.headers["Location"])
    assert target.netloc == "localhost:5000"
    return parse_qs(target.query)


def sign_up(browser: Browser, clerk: LocalClerk) -> str:
    clerk.source.replace(LINKS)
    form = {"email_address": "eve@example.com", "password": PASSWORD}
    begun = browser.post("/client/sign_ups", **form).get_json()["response"]
    path = f"/client/sign_ups/{begun['id']}"
    browser.post(f"{path}/prepare_verification", strategy="email_link", redirect_url=BACK)
    return path


@pytest.fixture
def other(emulator: Flask) -> Browser:
    return Browser(emulator)


@pytest.fixture
def sign_in(ada: Browser, other: Browser, clerk: LocalClerk) -> str:
    """The path of Ada's sign-in in the other browser, which waits for a link."""
    clerk.source.replace(LINKS)
    form = {"strategy": "email_link", "redirect_url": BACK, "identifier": "ada@example.com"}
    begun = other.post("/client/sign_ins", **form).get_json()["response"]
    return f"/client/sign_ins/{begun['id']}"


def response(browser: Browser, path: str) -> dict[str, Any]:
    found: dict[str, Any] = browser.get(path).get_json()["response"]
    return found


def test_a_link_completes_the_sign_up_in_the_waiting_browser(
    browser: Browser, other: Browser, clerk: LocalClerk
) -> None:
    path = sign_up(browser, clerk)
    assert response(browser, path)["status"] == "missing_requirements"
    told = open_link(other, clerk)
    done = response(browser, path)
    assert told["__clerk_status"] == ["verified"]
    assert told["__clerk_created_session"] == [done["created_session_id"]]
    assert done["verifications"]["email_address"]["status"] == "verified"
    session = browser.session()
    assert session["id"] == done["created_session_id"]
    assert session["user"]["email_addresses"][0]["verification"]["strategy"] == "email_link"
    assert other.client()["sessions"] == []


def test_a_link_completes_the_sign_in_in_the_waiting_browser(
    other: Browser, sign_in: str, clerk: LocalClerk
) -> None:
    assert response(other, sign_in)["status"] == "needs_first_factor"
    assert open_link(other, clerk)["__clerk_status"] == ["verified"]
    done = response(other, sign_in)
    assert done["status"] == "complete"
    assert done["first_factor_verification"]["strategy"] == "email_link"
    assert other.client()["last_authentication_strategy"] == "email_link"


@pytest.mark.parametrize("same_browser", [True, False])
def test_the_waiting_tab_continues_wherever_the_link_was_opened(
    ada: Browser, other: Browser, sign_in: str, clerk: LocalClerk, same_browser: bool
) -> None:
    opener = other if same_browser else ada
    opener.http.set_cookie("__clerk_db_jwt", opener.dev_browser)
    open_link(opener, clerk)
    done = response(other, sign_in)
    at = done["first_factor_verification"]["verified_at_client"]
    assert at == (None if same_browser else ada.client()["id"])
    assert done["status"] == "complete"


def test_a_link_opened_twice_begins_one_session(
    other: Browser, sign_in: str, clerk: LocalClerk
) -> None:
    open_link(other, clerk)
    session = other.session()["id"]
    assert open_link(other, clerk) == {"__clerk_status": ["failed"]}
    assert other.session()["id"] == session


def test_a_link_works_only_in_the_browser_that_requested_it(
    ada: Browser, other: Browser, sign_in: str, clerk: LocalClerk
) -> None:
    clerk.source.replace(HERE)
    mismatch = {"__clerk_status": ["client_mismatch"]}
    assert open_link(other, clerk) == mismatch  # without cookies, as a mail scanner opens it
    ada.http.set_cookie("__clerk_db_jwt", ada.dev_browser)
    assert open_link(ada, clerk) == mismatch
    assert response(other, sign_in)["status"] == "needs_first_factor"
    other.http.set_cookie("__clerk_db_jwt", other.dev_browser)
    assert open_link(other, clerk)["__clerk_status"] == ["verified"]
    assert response(other, sign_in)["status"] == "complete"


def test_a_link_only_signs_up_the_browser_that_requested_it(
    browser: Browser, other: Browser, clerk: LocalClerk
) -> None:
    path = sign_up(browser, clerk)
    clerk.source.replace(HERE)
    other.http.set_cookie("__clerk_db_jwt", other.dev_browser)
    assert open_link(other, clerk) == {"__clerk_status": ["client_mismatch"]}
    assert response(browser, path)["status"] == "missing_requirements"
    assert other.client()["sessions"] == browser.client()["sessions"] == []


def test_a_link_expires(
    other: Browser, sign_in: str, clerk: LocalClerk, clock: ManualClock
) -> None:
    clock.forward(seconds=10 * 60)
    assert open_link(other, clerk) == {"__clerk_status": ["expired"]}
    assert response(other, sign_in)["first_factor_verification"]["status"] == "expired"
    assert other.client()["sessions"] == []


def test_an_older_link_is_rejected(other: Browser, sign_in: str, clerk: LocalClerk) -> None:
    old = clerk.store.find(Message)[-1]
    form = {"strategy": "email_link", "redirect_url": BACK}
    other.post(f"{sign_in}/prepare_first_factor", **form)
    clerk.store.delete(clerk.store.find(Message)[-1])
    assert clerk.store.find(Message)[-1].id == old.id
    assert open_link(other, clerk) == {"__clerk_status": ["failed"]}
    assert response(other, sign_in)["status"] == "needs_first_factor"


def test_a_link_for_a_replaced_address_is_rejected(browser: Browser, clerk: LocalClerk) -> None:
    path = sign_up(browser, clerk)
    browser.post(path, "PATCH", email_address="victim@example.com")
    assert open_link(browser, clerk) == {"__clerk_status": ["failed"]}
    assert response(browser, path)["unverified_fields"] == ["email_address"]


@pytest.mark.parametrize(
    "url", ["", "https://evil.example/", "//evil.example", "javascript:alert(1)"]
)
def test_a_link_only_leads_to_the_app(
    ada: Browser, other: Browser, clerk: LocalClerk, url: str
) -> None:
    clerk.source.replace(LINKS)
    form = {"strategy": "email_link", "redirect_url": url, "identifier": "ada@example.com"}
    answer = other.post("/client/sign_ins", **form)
    assert error_of(answer)[0::2] == (422, "redirect_url")


@pytest.mark.parametrize("token", ["", "unknown"])
def test_an_unknown_link_is_rejected(browser: Browser, token: str) -> None:
    assert error_of(browser.http.get("/v1/verify", query_string={"token": token}))[0] == 400


def test_the_token_of_a_code_does_not_work_as_a_link(
    ada: Browser, other: Browser, clerk: LocalClerk
) -> None:
    other.post("/client/sign_ins", identifier="ada@example.com", strategy="email_code")
    token = clerk.store.find(Verification)[-1].token
    assert error_of(other.http.get("/v1/verify", query_string={"token": token}))[0] == 400


def test_codes_are_not_offered_if_links_are_enabled(other: Browser, sign_in: str) -> None:
    answer = other.post(f"{sign_in}/prepare_first_factor", strategy="email_code")
    assert error_of(answer)[1] == "strategy_for_user_invalid"
