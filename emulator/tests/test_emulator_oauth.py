"""Social login: the visit to a provider's page, and its result."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import User
from clerk_emulator.testing import Backend, Browser, ManualClock, error_of

BACK = "http://localhost:5000/login?next=%2Fx#/sso-callback?a=b"
PROXY = {"Clerk-Proxy-Url": "http://localhost:5000/__clerk"}
GRACE = {"name": "Grace Hopper", "email_address": "grace@example.com", "email_verified": "on"}
ADA = {"name": "Ada Lovelace", "email_address": "ada@example.com", "email_verified": "on"}


@pytest.fixture(autouse=True)
def providers(clerk: LocalClerk) -> None:
    clerk.source.replace({"social": {"google": {}, "github": {}, "x": {"enabled": False}}})


@pytest.fixture
def stranger(emulator: Flask) -> Browser:
    """A second browser."""
    return Browser(emulator)


def begin(browser: Browser, kind: str = "sign_ins", strategy: str = "oauth_google") -> str:
    """Start; returns the provider's page."""
    answer = browser.post(f"/client/{kind}", strategy=strategy, redirect_url=BACK)
    return page_of(answer.get_json()["response"])


def page_of(response: dict[str, Any]) -> str:
    verification = (
        response.get("first_factor_verification")
        or response.get("verification")
        or response["verifications"]["external_account"]
    )
    url = urlsplit(verification["external_verification_redirect_url"])
    return f"{url.path}?{url.query}"


def answer_consent(browser: Browser, page: str, **form: str) -> TestResponse:
    """Open the provider's page and send a form; return the response."""
    browser.http.set_cookie("__clerk_db_jwt", browser.dev_browser)
    shown = browser.http.get(page, headers=PROXY)
    token = re.search(r'csrf_token" value="(\w+)"', shown.text)
    assert token is not None, shown.text
    return browser.http.post(page, data={"csrf_token": token[1], **form}, headers=PROXY)


def callback_of(answer: TestResponse) -> str:
    assert answer.location is not None
    return answer.location.removeprefix(PROXY["Clerk-Proxy-Url"])


def visit(browser: Browser, page: str, **form: str) -> TestResponse:
    """A whole visit, up to the redirect back into the app."""
    return browser.http.get(callback_of(answer_consent(browser, page, **form)), headers=PROXY)


def register(browser: Browser, **identity: str) -> dict[str, Any]:
    """Sign in at the provider, and let the sign-in become a sign-up."""
    visit(browser, begin(browser), **identity)
    sign_up: dict[str, Any] = browser.post("/client/sign_ups", transfer="true").get_json()
    return sign_up["response"]  # type: ignore[no-any-return]


def test_the_browser_comes_back_to_the_page_with_its_fragment(browser: Browser) -> None:
    answer = visit(browser, begin(browser), **GRACE)
    before, _, nonce = (answer.location or "").partition("&rotating_token_nonce=")
    assert before == "http://localhost:5000/login?next=%2Fx"
    assert nonce.endswith("#/sso-callback?a=b")
    nonce, _, _ = nonce.partition("#")
    assert browser.get("/client", rotating_token_nonce=nonce).status_code == 200


def test_an_unknown_identity_can_become_a_sign_up(browser: Browser) -> None:
    visit(browser, begin(browser), **GRACE)
    sign_in = browser.client()["sign_in"]
    verification = sign_in["first_factor_verification"]
    assert verification["status"] == "transferable"
    assert verification["error"]["code"] == "external_account_not_found"
    sign_up = browser.post("/client/sign_ups", transfer="true").get_json()["response"]
    assert sign_up["status"] == "complete"
    assert sign_up["created_session_id"] == browser.session()["id"]
    user = browser.session()["user"]
    (account,) = user["external_accounts"]
    (email,) = user["email_addresses"]
    assert (user["first_name"], user["last_name"]) == ("Grace", "Hopper")
    assert account["provider"] == "oauth_google"
    assert account["verification"]["status"] == "verified"
    assert email["linked_to"] == [{"type": "oauth_google", "id": account["identification_id"]}]
    assert not user["password_enabled"]


def test_a_known_identity_signs_in(browser: Browser, stranger: Browser) -> None:
    register(browser, **GRACE)
    visit(stranger, begin(stranger), **GRACE)
    assert stranger.client()["sign_in"]["status"] == "complete"
    assert stranger.session()["user"]["id"] == browser.session()["user"]["id"]


def test_making_the_session_active_clears_the_finished_sign_in(
    browser: Browser, stranger: Browser
) -> None:
    register(browser, **GRACE)
    visit(stranger, begin(stranger), **GRACE)
    stranger.post(f"/client/sessions/{stranger.session()['id']}/touch")
    assert stranger.client()["sign_in"] is None


def test_a_verified_address_links_the_account(ada: Browser, stranger: Browser) -> None:
    visit(stranger, begin(stranger), **ADA)
    user = stranger.session()["user"]
    assert user["id"] == ada.session()["user"]["id"]
    assert [account["email_address"] for account in user["external_accounts"]] == [
        "ada@example.com"
    ]
    assert user["email_addresses"][0]["linked_to"][0]["type"] == "oauth_google"


def test_an_address_that_the_provider_has_not_verified_links_nothing(
    ada: Browser, stranger: Browser
) -> None:
    visit(stranger, begin(stranger), name="Mallory", email_address="ada@example.com")
    assert stranger.client()["sessions"] == []
    taken = stranger.post("/client/sign_ups", transfer="true")
    assert error_of(taken)[1] == "form_identifier_exists"
    assert stranger.client()["sessions"] == []


def test_an_unverified_address_needs_a_code_first(browser: Browser) -> None:
    sign_up = register(browser, name="Grace", email_address="grace@example.com")
    assert sign_up["status"] == "missing_requirements"
    assert sign_up["missing_fields"] == []
    assert sign_up["unverified_fields"] == ["email_address"]
    path = f"/client/sign_ups/{sign_up['id']}"
    browser.post(f"{path}/prepare_verification", strategy="email_code")
    browser.post(f"{path}/attempt_verification", strategy="email_code", code="424242")
    assert browser.session()["user"]["external_accounts"]


def test_signing_up_at_a_provider(browser: Browser) -> None:
    visit(browser, begin(browser, "sign_ups", "oauth_github"), **GRACE)
    assert browser.client()["sign_up"]["status"] == "complete"
    assert browser.session()["user"]["external_accounts"][0]["username"] == "grace"


def test_a_sign_up_of_a_known_user_becomes_a_sign_in(ada: Browser, stranger: Browser) -> None:
    visit(stranger, begin(stranger, "sign_ups"), **ADA)
    verification = stranger.client()["sign_up"]["verifications"]["external_account"]
    assert verification["status"] == "transferable"
    assert verification["error"]["code"] == "external_account_exists"
    sign_in = stranger.post("/client/sign_ins", transfer="true").get_json()["response"]
    assert sign_in["created_session_id"] == stranger.session()["id"]
    assert stranger.session()["user"]["id"] == ada.session()["user"]["id"]


def test_an_identity_used_before_can_be_picked(browser: Browser, stranger: Browser) -> None:
    register(browser, **GRACE)
    stranger.http.set_cookie("__clerk_db_jwt", stranger.dev_browser)
    page = begin(stranger)
    shown = stranger.http.get(page, headers=PROXY).text
    found = re.search(r'name="identity" value="(\d+)"', shown)
    assert found is not None
    visit(stranger, page, identity=found[1])
    assert stranger.session()["user"]["id"] == browser.session()["user"]["id"]


def test_denying_the_consent_is_reported(browser: Browser) -> None:
    visit(browser, begin(browser), deny="1")
    verification = browser.client()["sign_in"]["first_factor_verification"]
    assert verification["status"] == "failed"
    assert verification["error"]["code"] == "oauth_access_denied"
    assert browser.client()["sessions"] == []


@pytest.mark.parametrize(
    ("mode", "code"),
    [("restricted", "sign_up_mode_restricted"), ("waitlist", "sign_up_restricted_waitlist")],
)
def test_unknown_users_are_rejected_if_sign_up_is_closed(
    ada: Browser, stranger: Browser, clerk: LocalClerk, mode: str, code: str
) -> None:
    clerk.source.replace({"social": {"google": {}}, "sign_up": {"mode": mode}})
    visit(stranger, begin(stranger), **GRACE)
    verification = stranger.client()["sign_in"]["first_factor_verification"]
    assert (verification["status"], verification["error"]["code"]) == ("failed", code)
    refused = stranger.post("/client/sign_ups", transfer="true")
    assert error_of(refused)[1] == "account_transfer_invalid"
    visit(stranger, begin(stranger), **ADA)
    assert stranger.session()["user"]["id"] == ada.session()["user"]["id"]


def test_a_banned_user_cannot_sign_in_with_a_provider(
    ada: Browser, stranger: Browser, clerk: LocalClerk
) -> None:
    user = clerk.store.get(User, ada.session()["user"]["id"])
    assert user is not None
    user.banned = True
    clerk.store.put(user)
    visit(stranger, begin(stranger), **ADA)
    assert stranger.client()["sessions"] == []
    verification = stranger.client()["sign_in"]["first_factor_verification"]
    assert verification["error"]["code"] == "user_banned"


@pytest.mark.parametrize("strategy", ["oauth_x", "oauth_gitlab", "oauth_", "oauth_../x"])
def test_only_enabled_providers_are_accepted(browser: Browser, strategy: str) -> None:
    for kind in ("sign_ins", "sign_ups"):
        answer = browser.post(f"/client/{kind}", strategy=strategy, redirect_url=BACK)
        assert error_of(answer)[1] == "strategy_for_user_invalid"


@pytest.mark.parametrize(
    "target",
    [
        "",
        "http://evil.example/",
        "//evil.example",
        "javascript:alert(1)",
        "http://localhost:5000@evil.example/",
        "http://localhost:5000.evil.example/",
    ],
)
def test_the_redirect_url_must_belong_to_the_app(browser: Browser, target: str) -> None:
    answer = browser.post("/client/sign_ins", strategy="oauth_google", redirect_url=target)
    assert error_of(answer)[2] == "redirect_url"


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"name": "Grace"},
        {"name": "Grace", "email_address": "nonsense"},
        {"email_address": "g@example.com"},
        {"identity": "12345"},
    ],
)
def test_missing_fields_are_reported_on_the_page(browser: Browser, form: dict[str, str]) -> None:
    answer = answer_consent(browser, begin(browser), **form)
    assert answer.status_code == 200
    assert 'aria-invalid="true"' in answer.text


def test_the_page_of_another_browser_is_refused(browser: Browser, stranger: Browser) -> None:
    page = begin(browser)
    stranger.http.set_cookie("__clerk_db_jwt", stranger.dev_browser)
    assert stranger.http.get(page, headers=PROXY).status_code == 403
    named = f"{page}&__clerk_db_jwt={browser.dev_browser}"
    assert stranger.http.get(named, headers=PROXY).status_code == 403


def test_the_callback_of_another_browser_is_refused(browser: Browser, stranger: Browser) -> None:
    callback = callback_of(answer_consent(browser, begin(browser), **GRACE))
    stranger.http.set_cookie("__clerk_db_jwt", stranger.dev_browser)
    for url in (callback, f"{callback}&__clerk_db_jwt={browser.dev_browser}"):
        assert error_of(stranger.http.get(url))[:2] == (403, "authorization_invalid")
    assert stranger.client()["sessions"] == []


def test_the_callback_works_once(browser: Browser) -> None:
    callback = callback_of(answer_consent(browser, begin(browser, "sign_ups"), **GRACE))
    assert browser.http.get(callback).status_code == 303
    browser.post("/client/sessions", "DELETE")
    assert browser.http.get(callback).status_code == 403
    assert browser.client()["sessions"] == []


@pytest.mark.parametrize("code", ["", "&code=", "&code=guess", "&code=%C3%A9"])
def test_a_wrong_code_does_not_sign_in(browser: Browser, code: str) -> None:
    callback = callback_of(answer_consent(browser, begin(browser, "sign_ups"), **GRACE))
    browser.http.get(callback.partition("&code=")[0] + code)
    assert browser.client()["sessions"] == []
    found = browser.client()["sign_up"]["verifications"]["external_account"]
    assert found["error"]["code"] == "oauth_access_denied"


def test_a_visit_expires_after_ten_minutes(browser: Browser, clock: ManualClock) -> None:
    callback = callback_of(answer_consent(browser, begin(browser), **GRACE))
    clock.forward(seconds=601)
    assert browser.http.get(callback).status_code == 403
    found = browser.client()["sign_in"]["first_factor_verification"]
    assert found["status"] == "expired"


@pytest.mark.parametrize("kind", ["sign_ins", "sign_ups"])
def test_there_is_nothing_to_transfer_without_a_visit(browser: Browser, kind: str) -> None:
    begin(browser, "sign_ins" if kind == "sign_ups" else "sign_ups")
    answer = browser.post(f"/client/{kind}", transfer="true")
    assert error_of(answer)[:2] == (400, "account_transfer_invalid")


def test_an_identity_is_transferred_once(browser: Browser) -> None:
    register(browser, **GRACE)
    browser.post("/client/sessions", "DELETE")
    answer = browser.post("/client/sign_ups", transfer="true")
    assert error_of(answer)[1] == "account_transfer_invalid"


def connect(browser: Browser, **identity: str) -> dict[str, Any]:
    answer = browser.post("/me/external_accounts", strategy="oauth_google", redirect_url=BACK)
    visit(browser, page_of(answer.get_json()["response"]), **identity)
    accounts: list[dict[str, Any]] = browser.session()["user"]["external_accounts"]
    return accounts[-1]


def test_an_account_can_be_connected_from_the_profile(ada: Browser) -> None:
    account = connect(ada, **GRACE)
    assert account["verification"]["status"] == "verified"
    assert account["email_address"] == "grace@example.com"
    assert ada.session()["user"]["email_addresses"][0]["linked_to"] == []


def test_a_connected_account_signs_in(ada: Browser, stranger: Browser) -> None:
    connect(ada, **GRACE)
    visit(stranger, begin(stranger), **GRACE)
    assert stranger.session()["user"]["id"] == ada.session()["user"]["id"]


def test_another_users_account_cannot_be_connected(ada: Browser, stranger: Browser) -> None:
    register(stranger, **GRACE)
    account = connect(ada, **GRACE)
    assert account["verification"]["status"] == "failed"
    assert account["verification"]["error"]["code"] == "external_account_exists"
    assert account["provider_user_id"] == ""


def test_it_can_be_authorized_again_by_the_same_account_only(ada: Browser) -> None:
    account = connect(ada, **GRACE)
    path = f"/me/external_accounts/{account['id']}/reauthorize"
    answer = ada.post(path, redirect_url=BACK)
    visit(ada, page_of(answer.get_json()["response"]), **GRACE)
    (found,) = ada.session()["user"]["external_accounts"]
    assert found["verification"]["status"] == "verified"
    answer = ada.post(path, redirect_url=BACK)
    visit(ada, page_of(answer.get_json()["response"]), **ADA)
    (found,) = ada.session()["user"]["external_accounts"]
    assert found["verification"]["status"] == "failed"
    assert found["provider_user_id"] == account["provider_user_id"]


def test_disconnecting_unlinks_and_no_longer_signs_in(
    ada: Browser, stranger: Browser, backend: Backend
) -> None:
    account = connect(ada, **ADA)
    path = f"/me/external_accounts/{account['id']}"
    assert ada.post(path, "DELETE").get_json()["response"]["deleted"]
    user = ada.session()["user"]
    assert user["external_accounts"] == []
    assert user["email_addresses"][0]["linked_to"] == []


def test_accounts_of_other_users_cannot_be_accessed(ada: Browser, stranger: Browser) -> None:
    register(stranger, **GRACE)
    path = f"/me/external_accounts/{stranger.session()['user']['external_accounts'][0]['id']}"
    assert ada.post(path, "DELETE").status_code == 404
    assert ada.post(f"{path}/reauthorize", redirect_url=BACK).status_code == 404


def test_a_deleted_user_leaves_no_account_behind(browser: Browser) -> None:
    register(browser, **GRACE)
    browser.post("/me", "DELETE")
    visit(browser, begin(browser), **GRACE)
    verification = browser.client()["sign_in"]["first_factor_verification"]
    assert verification["status"] == "transferable"
