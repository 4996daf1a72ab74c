"""The hosted pages: the steps after the first form, depending on the settings."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import Message, SignInToken, User
from clerk_emulator.testing import PASSWORD, Browser
from clerk_emulator.users import CODE

from .hosted_forms import at, follow, open_page, send, sign_up

GOOGLE: dict[str, Any] = {"social": {"google": {}}}
GRACE = {"name": "Grace Hopper", "email_address": "grace@example.com", "email_verified": "on"}


@pytest.fixture
def visitor(browser: Browser) -> FlaskClient:
    """A browser with cookies, but without Clerk.js."""
    return browser.http


@pytest.fixture
def other(emulator: Flask) -> FlaskClient:
    """Another browser with cookies, but without Clerk.js."""
    return emulator.test_client()


def known_user(clerk: LocalClerk) -> User:
    (user,) = clerk.store.find(User)
    return user


def test_without_a_password_the_other_ways_are_offered(
    visitor: FlaskClient, other: FlaskClient
) -> None:
    sign_up(visitor)
    page = open_page(other, "/sign-in")
    page = follow(other, send(other, page, "/sign-in", identifier="grace@example.com"))
    assert at(page) == "/sign-in/factor-one"
    page = follow(
        other, send(other, page, "/sign-in/factor-one", strategy="email_code", prepare="1")
    )
    wrong = send(other, page, "/sign-in/factor-one", strategy="email_code", code="1")
    assert 'id="code-error"' in wrong.text
    right = send(other, wrong, "/sign-in/factor-one", strategy="email_code", code=CODE)
    assert (right.location or "").startswith("http://localhost:5000/?")


def test_a_forgotten_password_is_replaced(visitor: FlaskClient, other: FlaskClient) -> None:
    sign_up(visitor)
    page = open_page(other, "/sign-in")
    page = follow(other, send(other, page, "/sign-in", identifier="grace@example.com"))
    reset = {"strategy": "reset_password_email_code"}
    page = follow(other, send(other, page, "/sign-in/factor-one", prepare="1", **reset))
    page = follow(other, send(other, page, "/sign-in/factor-one", code=CODE, **reset))
    assert at(page) == "/sign-in/reset-password"
    page = send(other, page, "/sign-in/reset-password", password="short")
    assert 'id="password-error"' in page.text
    answer = send(other, page, "/sign-in/reset-password", password="another horse 8")
    assert (answer.location or "").startswith("http://localhost:5000/?")


@pytest.mark.parametrize("step", ["factor-one", "factor-two", "reset-password", "callback"])
def test_steps_cannot_be_skipped(visitor: FlaskClient, step: str) -> None:
    assert at(follow(visitor, open_page(visitor, f"/sign-in/{step}"))) == "/sign-in"


@pytest.mark.parametrize("step", ["verify", "continue", "callback"])
def test_steps_of_a_sign_up_cannot_be_skipped(visitor: FlaskClient, step: str) -> None:
    assert at(follow(visitor, open_page(visitor, f"/sign-up/{step}"))) == "/sign-up"


@pytest.mark.parametrize("start", ["/sign-in", "/sign-up"])
def test_social_login_creates_an_account(
    visitor: FlaskClient, clerk: LocalClerk, start: str
) -> None:
    clerk.source.replace(GOOGLE)
    page = open_page(visitor, start)
    page = follow(visitor, send(visitor, page, f"{start}/social", strategy="oauth_google"))
    assert "This page replaces Google" in page.text
    answer = follow(visitor, send(visitor, page, "/oauth/google", **GRACE))
    assert (answer.location or "").startswith("http://localhost:5000/?")
    assert known_user(clerk).name == "Grace Hopper"


@pytest.mark.parametrize("start", ["/sign-in", "/sign-up"])
def test_social_login_finds_the_account(
    visitor: FlaskClient, other: FlaskClient, clerk: LocalClerk, start: str
) -> None:
    clerk.source.replace(GOOGLE)
    sign_up(visitor)
    page = open_page(other, start)
    page = follow(other, send(other, page, f"{start}/social", strategy="oauth_google"))
    answer = follow(other, send(other, page, "/oauth/google", **GRACE))
    assert (answer.location or "").startswith("http://localhost:5000/?")
    assert "grace@example.com" in open_page(other, "/user").text
    assert known_user(clerk)


@pytest.mark.parametrize("start", ["/sign-in", "/sign-up"])
def test_denying_the_consent_shows_an_error(
    visitor: FlaskClient, clerk: LocalClerk, start: str
) -> None:
    clerk.source.replace(GOOGLE)
    page = open_page(visitor, start)
    page = follow(visitor, send(visitor, page, f"{start}/social", strategy="oauth_google"))
    page = follow(visitor, send(visitor, page, "/oauth/google", deny="1"))
    assert "You did not grant access" in page.text


def test_a_second_factor_is_asked_for(
    visitor: FlaskClient, other: FlaskClient, clerk: LocalClerk
) -> None:
    factor = {"enabled": True, "used_for_second_factor": True, "second_factors": ["backup_code"]}
    totp = {"enabled": True, "used_for_second_factor": True, "second_factors": ["totp"]}
    clerk.source.replace({"attributes": {"backup_code": factor, "authenticator_app": totp}})
    sign_up(visitor)
    user = known_user(clerk)
    user.totp_secret, user.totp_verified = "JBSWY3DPEHPK3PXP", True
    user.backup_codes = ["abcdefgh"]
    clerk.store.put(user)
    page = open_page(other, "/sign-in")
    form = {"identifier": "grace@example.com", "password": PASSWORD}
    page = follow(other, send(other, page, "/sign-in", **form))
    assert at(page) == "/sign-in/factor-two"
    wrong = send(other, page, "/sign-in/factor-two", strategy="backup_code", code="zzzzzzzz")
    assert 'id="backup_code-error"' in wrong.text
    assert at(open_page(other, "/user")) == "/sign-in"
    answer = send(other, wrong, "/sign-in/factor-two", strategy="backup_code", code="abcdefgh")
    assert (answer.location or "").startswith("http://localhost:5000/?")


def test_a_link_signs_in_the_browser_that_asked_for_it(
    visitor: FlaskClient, other: FlaskClient, clerk: LocalClerk
) -> None:
    sign_up(visitor)
    email = {"first_factors": ["email_link"]}
    anywhere = {"email_link": {"require_same_client": False}}
    settings = {"attributes": {"email_address": email}, "attack_protection": anywhere}
    clerk.source.replace(settings)
    page = open_page(other, "/sign-in")
    page = follow(other, send(other, page, "/sign-in", identifier="grace@example.com"))
    link = {"strategy": "email_link", "prepare": "1"}
    page = follow(other, send(other, page, "/sign-in/factor-one", **link))
    assert "Here it is in the dashboard's inbox" in page.text
    sent = clerk.store.find(Message, newest_first=True)[0].link
    open_page(visitor, sent.removeprefix("http://localhost:5000/__clerk"))
    answer = follow(other, open_page(other, "/sign-in/factor-one"))
    assert (answer.location or "").startswith("http://localhost:5000/?")


def test_a_ticket_signs_in_once(
    visitor: FlaskClient, other: FlaskClient, clerk: LocalClerk
) -> None:
    sign_up(visitor)
    user, now = known_user(clerk), clerk.now
    clerk.store.put(SignInToken("sit_1", now, now, user.id, now + 60_000, ticket="secret"))
    page = open_page(other, "/sign-in?__clerk_ticket=secret")
    assert at(open_page(other, "/user")) == "/sign-in"
    answer = send(other, page, "/sign-in/ticket")
    assert (answer.location or "").startswith("http://localhost:5000/?")
    again = Browser(other.application).http
    page = open_page(again, "/sign-in?__clerk_ticket=secret")
    assert "already been used" in send(again, page, "/sign-in/ticket").text


def test_an_address_is_put_on_the_waitlist(visitor: FlaskClient, clerk: LocalClerk) -> None:
    clerk.source.replace({"sign_up": {"mode": "waitlist"}})
    page = open_page(visitor, "/waitlist")
    wrong = send(visitor, page, "/waitlist", email_address="nonsense")
    assert 'id="email_address-error"' in wrong.text
    assert "is on the waitlist" in send(visitor, page, "/waitlist", email_address="a@b.co").text


def test_missing_fields_are_requested_after_a_social_login(
    visitor: FlaskClient, clerk: LocalClerk
) -> None:
    clerk.source.replace(GOOGLE | {"attributes": {"username": {"enabled": True, "required": True}}})
    page = open_page(visitor, "/sign-up")
    page = follow(visitor, send(visitor, page, "/sign-up/social", strategy="oauth_google"))
    page = follow(visitor, send(visitor, page, "/oauth/google", **GRACE))
    assert at(page) == "/sign-up/continue"
    wrong = send(visitor, page, "/sign-up/continue", username="x")
    assert 'id="username-error"' in wrong.text
    answer = send(visitor, wrong, "/sign-up/continue", username="grace")
    assert (answer.location or "").startswith("http://localhost:5000/?")
    assert known_user(clerk).username == "grace"


def test_a_sign_up_started_by_clerk_js_continues_here(
    visitor: FlaskClient, clerk: LocalClerk
) -> None:
    clerk.source.replace(GOOGLE | {"attributes": {"password": {"required": False}}})
    page = open_page(visitor, "/sign-up")
    page = follow(visitor, send(visitor, page, "/sign-up/social", strategy="oauth_google"))
    unverified = {name: value for name, value in GRACE.items() if name != "email_verified"}
    page = follow(visitor, send(visitor, page, "/oauth/google", **unverified))
    assert at(page) == "/sign-up/verify"
    assert at(follow(visitor, open_page(visitor, "/sign-up"))) == "/sign-up/verify"
    assert at(open_page(visitor, "/sign-up?again=1")) == "/sign-up"


def test_a_restricted_instance_says_so(visitor: FlaskClient, clerk: LocalClerk) -> None:
    clerk.source.replace({"sign_up": {"mode": "restricted"}})
    page = open_page(visitor, "/sign-up").text
    assert "by invitation only" in page
    assert 'name="password"' not in page


def test_a_waitlist_is_offered(visitor: FlaskClient, clerk: LocalClerk) -> None:
    assert at(follow(visitor, open_page(visitor, "/waitlist"))) == "/sign-up"
    clerk.source.replace({"sign_up": {"mode": "waitlist"}})
    for path in ("/sign-in", "/sign-up"):
        assert "/waitlist" in open_page(visitor, path).text
    assert 'name="email_address"' in open_page(visitor, "/waitlist").text


def test_the_forms_follow_the_settings(visitor: FlaskClient, clerk: LocalClerk) -> None:
    on = {"enabled": True, "used_for_first_factor": True}
    attributes = {
        "username": on,
        "phone_number": on,
        "first_name": {"enabled": False},
        "password": {"enabled": False},
    }
    clerk.source.replace({"attributes": attributes, "sign_up": {"legal_consent_enabled": True}})
    page = open_page(visitor, "/sign-up").text
    assert set(re.findall(r'<input id="(\w+)"', page)) == {
        "last_name",
        "username",
        "email_address",
        "phone_number",
    }
    assert 'name="legal_accepted"' in page
    page = open_page(visitor, "/sign-in").text
    assert "Email address, phone number or username" in page
    assert 'name="password"' not in page


def test_a_link_with_a_ticket_asks_before_it_signs_in(visitor: FlaskClient) -> None:
    page = open_page(visitor, "/sign-in?__clerk_ticket=abc")
    assert 'name="ticket" value="abc"' in page.text
    answer = send(visitor, page, "/sign-in/ticket")
    assert 'role="alert"' in answer.text
    assert at(open_page(visitor, "/user")) == "/sign-in"


def test_an_invitation_fills_in_its_address(visitor: FlaskClient, clerk: LocalClerk) -> None:
    clerk.source.replace({"sign_up": {"mode": "restricted"}})
    page = open_page(visitor, "/sign-up?__clerk_ticket=abc").text
    assert 'name="ticket" value="abc"' in page
    assert 'name="password"' in page
    assert 'name="email_address"' not in page


def test_a_compromised_password_is_replaced_before_the_redirect_to_the_app(
    visitor: FlaskClient, other: FlaskClient, clerk: LocalClerk
) -> None:
    sign_up(visitor)
    user = known_user(clerk)
    user.password_compromised = True
    clerk.store.put(user)
    page = open_page(other, "/sign-in")
    page = follow(other, send(other, page, "/sign-in", identifier="grace@example.com"))
    code = {"strategy": "email_code"}
    page = follow(other, send(other, page, "/sign-in/factor-one", prepare="1", **code))
    page = follow(other, send(other, page, "/sign-in/factor-one", code=CODE, **code))
    assert at(page) == "/tasks/reset-password"
    answer = send(other, page, "/tasks/reset-password", password="another horse 8")
    assert (answer.location or "").startswith("http://localhost:5000/?")
