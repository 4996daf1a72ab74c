"""Client trust: a password alone does not sign in from a browser that is new to the user."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import Message, User
from clerk_emulator.second_factors import new_totp_secret, totp_code
from clerk_emulator.testing import Backend, Browser, error_of

from .hosted_forms import at, follow, open_page, send

CODE = "424242"
TRUST = {"sign_in": {"client_trust": True}}
LINKS = TRUST | {
    "attributes": {"email_address": {"verifications": ["email_link"], "first_factors": []}}
}
BACK = "http://localhost:5000/login"


@pytest.fixture
def ada(ada: Browser, clerk: LocalClerk) -> Browser:
    """Ada's own browser, in an instance with client trust."""
    clerk.source.replace(TRUST)
    return ada


@pytest.fixture
def stranger(emulator: Flask, ada: Browser) -> Browser:
    """A browser in which Ada has never been."""
    stranger = Browser(emulator)
    stranger.http.set_cookie("__clerk_db_jwt", stranger.dev_browser)
    return stranger


def begin(browser: Browser) -> dict[str, Any]:
    sign_in: dict[str, Any] = browser.sign_in("ada@example.com").get_json()["response"]
    return sign_in


def prepare(browser: Browser, sign_in: dict[str, Any], strategy: str, **form: str) -> Any:
    path = f"/client/sign_ins/{sign_in['id']}/prepare_second_factor"
    return browser.post(path, strategy=strategy, **form)


def attempt(browser: Browser, sign_in: dict[str, Any], code: str, strategy: str) -> Any:
    path = f"/client/sign_ins/{sign_in['id']}/attempt_second_factor"
    return browser.post(path, strategy=strategy, code=code)


def user_of(browser: Browser, clerk: LocalClerk) -> User:
    user = clerk.store.get(User, browser.session()["user"]["id"])
    assert user is not None
    return user


def test_a_new_browser_verifies_the_address_once(stranger: Browser) -> None:
    sign_in = begin(stranger)
    assert (sign_in["status"], sign_in["client_trust_state"]) == ("needs_client_trust", "new")
    assert [way["strategy"] for way in sign_in["supported_second_factors"]] == ["email_code"]
    assert stranger.client()["sessions"] == []
    prepare(stranger, sign_in, "email_code")
    done = attempt(stranger, sign_in, CODE, "email_code").get_json()["response"]
    assert done["status"] == "complete"
    # The user has no second factor to verify again, so the token contains no age for it.
    assert stranger.session()["factor_verification_age"] == [0, -1]

    stranger.post("/client/sessions", "DELETE")
    again = begin(stranger)
    assert (again["status"], again["client_trust_state"]) == ("complete", "known")


def test_the_browser_of_the_sign_up_is_known(ada: Browser) -> None:
    ada.post("/client/sessions", "DELETE")
    assert begin(ada)["status"] == "complete"


def test_a_browser_is_known_for_its_own_user_only(emulator: Flask, ada: Browser) -> None:
    thief = Browser(emulator)
    thief.sign_up("eve@example.com")
    thief.post("/client/sessions", "DELETE")
    assert begin(thief)["status"] == "needs_client_trust"


def test_an_impersonators_session_does_not_make_a_browser_known(
    stranger: Browser, ada: Browser, backend: Backend
) -> None:
    user_id = ada.session()["user"]["id"]
    token = backend.send("POST", "/actor_tokens", user_id=user_id, actor={"sub": "user_support"})
    stranger.post("/client/sign_ins", strategy="ticket", ticket=token.get_json()["token"])
    stranger.post("/client/sessions", "DELETE")
    assert begin(stranger)["status"] == "needs_client_trust"


def test_it_is_for_passwords_only(stranger: Browser) -> None:
    form = {"identifier": "ada@example.com", "strategy": "email_code"}
    sign_in = stranger.post("/client/sign_ins", **form).get_json()["response"]
    path = f"/client/sign_ins/{sign_in['id']}/attempt_first_factor"
    done = stranger.post(path, strategy="email_code", code=CODE).get_json()["response"]
    assert done["status"] == "complete"


def test_a_second_factor_replaces_it(stranger: Browser, ada: Browser, clerk: LocalClerk) -> None:
    user, secret = user_of(ada, clerk), new_totp_secret()
    user.totp_secret, user.totp_verified = secret, True
    clerk.store.put(user)
    sign_in = begin(stranger)
    assert sign_in["status"] == "needs_second_factor"
    assert [way["strategy"] for way in sign_in["supported_second_factors"]] == ["totp"]
    assert error_of(prepare(stranger, sign_in, "email_code"))[1] == "strategy_for_user_invalid"
    code = totp_code(secret, clerk.now // 1000)
    assert attempt(stranger, sign_in, code, "totp").get_json()["response"]["status"] == "complete"


def test_a_user_without_a_verified_address_is_not_asked(emulator: Flask, clerk: LocalClerk) -> None:
    username = {"enabled": True, "used_for_first_factor": True}
    email = {"required": False}
    clerk.source.replace(TRUST | {"attributes": {"username": username, "email_address": email}})
    browser, other = Browser(emulator), Browser(emulator)
    browser.post("/client/sign_ups", username="ada_king", password="correct horse 9")
    sign_in = other.sign_in("ada_king").get_json()["response"]
    assert sign_in["status"] == "complete"


def test_a_link_works_if_the_instance_uses_links(stranger: Browser, clerk: LocalClerk) -> None:
    clerk.source.replace(LINKS)
    sign_in = begin(stranger)
    assert [way["strategy"] for way in sign_in["supported_second_factors"]] == ["email_link"]
    assert error_of(attempt(stranger, sign_in, CODE, "email_link"))[0] == 400
    prepare(stranger, sign_in, "email_link", redirect_url=BACK)
    url = urlsplit(clerk.store.find(Message)[-1].link)
    answer = stranger.http.get(url.path, query_string=url.query)
    assert "__clerk_status=verified" in answer.headers["Location"]
    done = stranger.get(f"/client/sign_ins/{sign_in['id']}").get_json()["response"]
    assert done["status"] == "complete"
    assert done["second_factor_verification"]["status"] == "verified"
    assert done["created_session_id"] == stranger.session()["id"]
    assert "failed" in stranger.http.get(url.path, query_string=url.query).headers["Location"]


def test_an_older_link_is_rejected(stranger: Browser, clerk: LocalClerk) -> None:
    clerk.source.replace(LINKS)
    sign_in = begin(stranger)
    prepare(stranger, sign_in, "email_link", redirect_url=BACK)
    url = urlsplit(clerk.store.find(Message)[-1].link)
    prepare(stranger, sign_in, "email_link", redirect_url=BACK)
    answer = stranger.http.get(url.path, query_string=url.query)
    assert "__clerk_status=failed" in answer.headers["Location"]
    assert stranger.client()["sessions"] == []


def test_links_only_lead_to_the_app(stranger: Browser, clerk: LocalClerk) -> None:
    clerk.source.replace(LINKS)
    answer = prepare(stranger, begin(stranger), "email_link", redirect_url="https://evil.example/")
    assert error_of(answer)[1] == "redirect_url_mismatch"


def test_nothing_is_sent_to_another_users_address(
    emulator: Flask, stranger: Browser, clerk: LocalClerk
) -> None:
    eve = Browser(emulator)
    eve.sign_up("eve@example.com")
    hers = eve.session()["user"]["email_addresses"][0]["id"]
    sent = len(clerk.store.find(Message))
    answer = prepare(stranger, begin(stranger), "email_code", email_address_id=hers)
    assert error_of(answer)[1] == "strategy_for_user_invalid"
    assert len(clerk.store.find(Message)) == sent


NONSENSE: list[tuple[str, str, str]] = [
    ("email_code", "000000", "form_code_incorrect"),
    ("email_code", "", "form_param_nil"),
    ("totp", CODE, "strategy_for_user_invalid"),
    ("backup_code", CODE, "strategy_for_user_invalid"),
    ("phone_code", CODE, "strategy_for_user_invalid"),
    ("password", CODE, "strategy_for_user_invalid"),
    ("", CODE, "strategy_for_user_invalid"),
]


@pytest.mark.parametrize(("strategy", "code", "problem"), NONSENSE)
def test_other_strategies_are_rejected(
    stranger: Browser, strategy: str, code: str, problem: str
) -> None:
    sign_in = begin(stranger)
    prepare(stranger, sign_in, "email_code")
    status = 400 if problem == "strategy_for_user_invalid" else 422
    assert error_of(attempt(stranger, sign_in, code, strategy))[:2] == (status, problem)
    assert stranger.client()["sessions"] == []


def test_the_code_of_the_first_step_is_rejected(stranger: Browser) -> None:
    form = {"identifier": "ada@example.com", "strategy": "email_code"}
    sign_in = stranger.post("/client/sign_ins", **form).get_json()["response"]
    path = f"/client/sign_ins/{sign_in['id']}/attempt_first_factor"
    stranger.post(path, strategy="password", password="correct horse 9")
    answer = attempt(stranger, sign_in, CODE, "email_code")
    assert error_of(answer)[:2] == (400, "verification_missing")


def test_another_browser_cannot_complete_it(emulator: Flask, stranger: Browser) -> None:
    sign_in = begin(stranger)
    prepare(stranger, sign_in, "email_code")
    assert error_of(attempt(Browser(emulator), sign_in, CODE, "email_code"))[0] == 404


def test_client_trust_is_not_revealed_before_the_password(
    ada: Browser, stranger: Browser, clerk: LocalClerk
) -> None:
    clerk.source.replace({"sign_in": {"client_trust": True, "enumeration_protection": True}})
    for identifier in ("ada@example.com", "nobody@example.com"):
        answer = stranger.post("/client/sign_ins", identifier=identifier)
        assert answer.get_json()["response"]["client_trust_state"] == "pending"


def test_the_hosted_pages_ask_too(emulator: Flask, ada: Browser) -> None:
    visitor = emulator.test_client()
    page = open_page(visitor, "/sign-in")
    form = {"identifier": "ada@example.com", "password": "correct horse 9"}
    page = follow(visitor, send(visitor, page, "/sign-in", **form))
    assert at(page) == "/sign-in/client-trust"
    assert "from a new browser" in page.text
    skipped = follow(visitor, open_page(visitor, "/sign-in/factor-two"))
    assert at(skipped) == "/sign-in/client-trust"
    page = follow(visitor, send(visitor, page, "/sign-in/client-trust", prepare="1"))
    answer = send(visitor, page, "/sign-in/client-trust", code=CODE)
    assert (answer.location or "").startswith("http://localhost:5000/?")


def test_an_email_is_a_second_factor_if_enabled(stranger: Browser, clerk: LocalClerk) -> None:
    email = {"used_for_second_factor": True, "second_factors": ["email_code"]}
    clerk.source.replace({"attributes": {"email_address": email}})
    sign_in = begin(stranger)
    assert sign_in["status"] == "needs_second_factor"
    prepare(stranger, sign_in, "email_code")
    done = attempt(stranger, sign_in, CODE, "email_code").get_json()["response"]
    assert done["status"] == "complete"


def test_the_same_mailbox_is_not_verified_twice(stranger: Browser, clerk: LocalClerk) -> None:
    email = {"used_for_second_factor": True, "second_factors": ["email_code"]}
    clerk.source.replace({"attributes": {"email_address": email}})
    form = {"identifier": "ada@example.com", "strategy": "email_code"}
    sign_in = stranger.post("/client/sign_ins", **form).get_json()["response"]
    path = f"/client/sign_ins/{sign_in['id']}/attempt_first_factor"
    done = stranger.post(path, strategy="email_code", code=CODE).get_json()["response"]
    assert done["status"] == "complete"
