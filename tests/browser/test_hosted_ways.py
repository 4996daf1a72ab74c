"""Every way to sign in and sign up on the hosted pages, with JavaScript disabled."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.components import CODE, PASSWORD, sign_out
from tests.browser.test_sign_in import BY_LINK, PHONE, USERNAME, WITHOUT_PASSWORD, phone_number
from tests.browser.test_sign_up import PROVED, REQUIRED
from tests.browser.test_without_javascript import enter_code, fill_sign_up

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.local_clerk import LocalClerk
    from tests.browser.visitor import Visitor


@pytest.fixture
def plain(visit: Callable[..., Visitor]) -> Visitor:
    """Return a browser with JavaScript disabled."""
    return visit(javascript=False)


def enter_identifier(page: Page, identifier: str) -> None:
    page.locator("input[name=identifier]").fill(identifier)
    page.locator("form button:not([name])").first.click()


def accept(visitor: Visitor, clerk: LocalClerk) -> None:
    """Open the link of an invitation, and fill in the missing fields."""
    page = visitor.page
    page.goto(clerk.last_link(visitor.email))
    expect(page.get_by_text("You have been invited to")).to_be_visible()
    visitor.picture("invited")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    visitor.arrive("/")
    visitor.go("/dashboard")
    expect(page.locator("body")).to_contain_text(visitor.email)


def test_sign_up_with_every_field(plain: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(
        attributes={"phone_number": PHONE | REQUIRED | PROVED, "username": USERNAME | REQUIRED},
        sign_up={"legal_consent_enabled": True},
    )
    plain.go("/__clerk/sign-up")
    page, number, name = plain.page, phone_number(), f"ada{time.time_ns()}"
    page.get_by_label("Username").fill(name)
    page.get_by_label("Phone number").fill(number)
    page.get_by_label("I agree").check()
    plain.picture("all fields")
    fill_sign_up(page, plain.email)
    expect(page.get_by_role("heading", name="Verify your email")).to_be_visible()
    enter_code(page)
    expect(page.get_by_role("heading", name="Verify your phone number")).to_be_visible()
    enter_code(page)
    plain.arrive("/")
    [user] = clerk.backend("GET", f"/users?username={name}")
    assert user["legal_accepted_at"]

    sign_out(page)
    plain.arrive("/")
    plain.go("/__clerk/sign-in")
    enter_identifier(page, number)
    plain.picture("ways to prove it")
    page.get_by_role("button", name="Text a code to", exact=False).first.click()
    page.get_by_label("Verification code").fill("000000")
    page.keyboard.press("Enter")
    expect(page.locator("[aria-invalid=true]")).to_be_visible()
    page.get_by_label("Verification code").fill(CODE)
    page.keyboard.press("Enter")
    plain.arrive("/")

    sign_out(page)
    plain.arrive("/")
    plain.go("/__clerk/sign-in")
    page.get_by_label("Password").fill(PASSWORD)
    enter_identifier(page, name.upper())
    plain.arrive("/")


def test_an_invitation_allows_sign_up_in_restricted_mode(plain: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(sign_up={"mode": "restricted"})
    plain.go("/__clerk/sign-up")
    expect(plain.page.get_by_text("by invitation only")).to_be_visible()
    clerk.backend("POST", "/invitations", email_address=plain.email)
    accept(plain, clerk)


def test_the_waitlist_ends_with_an_invitation(plain: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(sign_up={"mode": "waitlist"})
    plain.go("/__clerk/sign-in")
    page = plain.page
    page.get_by_role("link", name="Join the waitlist").click()
    page.get_by_label("Email address").fill(plain.email)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_role("status")).to_contain_text(plain.email)
    [entry] = clerk.backend("GET", f"/waitlist_entries?query={plain.email}")["data"]
    clerk.backend("POST", f"/waitlist_entries/{entry['id']}/invite")
    accept(plain, clerk)


def test_a_forgotten_password_is_reset(visit: Callable[..., Visitor], clerk: LocalClerk) -> None:
    elsewhere, plain = visit(), visit(javascript=False)
    user = clerk.create_user()
    elsewhere.enter(user)
    plain.go("/__clerk/sign-in")
    page = plain.page
    enter_identifier(page, user["email"])
    page.get_by_role("button", name="Forgot the password?").click()
    page.get_by_label("Verification code").fill(CODE)
    page.keyboard.press("Enter")
    page.get_by_label("New password").fill("short")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("[aria-invalid=true]")).to_be_visible()
    plain.picture("too short")
    page.get_by_label("New password").fill("quite another password")
    page.get_by_role("button", name="Save").click()
    plain.arrive("/")
    sessions = clerk.backend("GET", f"/sessions?user_id={user['id']}")
    assert sorted(session["status"] for session in sessions) == ["active", "revoked"]


def test_an_email_link_signs_up_and_signs_in(plain: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(attributes={"email_address": BY_LINK, "password": WITHOUT_PASSWORD})
    page = plain.page
    plain.go("/__clerk/sign-up")
    page.get_by_label("Email address").fill(plain.email)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("link", name="Continue").click()
    expect(page.get_by_text("Clerk would now send a link")).to_be_visible()
    page.goto(clerk.last_link(plain.email))
    plain.arrive("/")
    sign_out(page)
    plain.arrive("/")
    plain.go("/__clerk/sign-in")
    enter_identifier(page, plain.email)
    page.get_by_role("button", name="Email a link to").click()
    plain.picture("link sent")
    page.goto(clerk.last_link(plain.email))
    plain.arrive("/")
    plain.go("/dashboard")
    expect(page.locator("body")).to_contain_text(plain.email)


def test_the_form_does_not_reveal_whether_an_account_exists(plain: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(sign_in={"enumeration_protection": True})
    clerk.create_user(plain.email)
    seen = []
    for email in (plain.email, f"nobody-{plain.email}"):
        plain.go("/__clerk/sign-in")
        enter_identifier(plain.page, email)
        # Not inner_text, which depends on whether the style sheet is loaded.
        text = plain.page.locator("main").text_content() or ""
        seen.append(text.replace(email, "…"))
    assert seen[0] == seen[1]
