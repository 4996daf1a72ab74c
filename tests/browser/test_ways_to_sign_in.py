"""Email links, usernames, phone numbers and password resets, in Clerk's own components."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser import components

if TYPE_CHECKING:
    from tests.browser.local_clerk import LocalClerk
    from tests.browser.visitor import Visitor

LINK = {"first_factors": ["email_link"], "verifications": ["email_link"]}
PHONE = {
    "enabled": True,
    "required": True,
    "used_for_first_factor": True,
    "first_factors": ["phone_code"],
    "verifications": ["phone_code"],
    "verify_at_sign_up": True,
}
USERNAME = {"enabled": True, "required": True, "used_for_first_factor": True}


def test_an_email_link_signs_up_and_signs_in(visitor: Visitor, clerk: LocalClerk) -> None:
    """Sign-up finishes in the tab that opened the link, sign-in in the tab that waited."""
    clerk.switch(attributes={"email_address": LINK, "password": {"enabled": False, "required": False}})
    visitor.go("/signup")
    page = visitor.page
    page.locator("input[name=emailAddress]").fill(visitor.email)
    components.proceed(page)
    page.get_by_text("Didn't receive a link?").wait_for()
    visitor.picture("link sent")
    visitor.follow(clerk.last_link(visitor.email))
    visitor.arrive("/dashboard")

    page = visitor.page
    components.sign_out(page)
    visitor.arrive("/")
    visitor.go("/login")
    components.fill_identifier(page, visitor.email)
    page.get_by_text("Didn't receive a link?").wait_for()
    tab = page.context.new_page()
    tab.goto(clerk.last_link(visitor.email))
    tab.wait_for_function("() => window.Clerk?.user")
    tab.close()
    visitor.arrive("/dashboard")


def test_a_username_signs_up_and_in(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(attributes={"username": USERNAME})
    visitor.go("/signup")
    page, name = visitor.page, f"ada{time.time_ns()}"
    page.locator("input[name=username]").fill(name)
    visitor.picture("username")
    components.sign_up(page, visitor.email)
    visitor.arrive("/dashboard")
    components.sign_out(page)
    visitor.arrive("/")
    visitor.go("/login")
    components.sign_in(page, name)
    visitor.arrive("/dashboard")


def test_a_phone_number_signs_up(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(
        attributes={
            "phone_number": PHONE,
            "email_address": {"enabled": False, "required": False},
            "password": {"enabled": False, "required": False},
        }
    )
    visitor.go("/signup")
    page = visitor.page
    page.locator("input[name=phoneNumber]").fill(f"415555{time.time_ns() % 10_000:04}")
    visitor.picture("phone number")
    components.proceed(page)
    components.enter_code(page)
    visitor.arrive("/dashboard")


def test_a_forgotten_password_is_reset(visitor: Visitor, clerk: LocalClerk) -> None:
    user = clerk.create_user(first_name="Ada")
    visitor.go("/login")
    page = visitor.page
    components.fill_identifier(page, user["email"])
    page.get_by_text("Forgot password?").click()
    page.get_by_role("button", name="Reset your password").click()
    components.enter_code(page)
    components.fill_new_password(page, "quite another password", field="password")
    visitor.picture("new password")
    page.get_by_role("button", name="Reset Password").click()
    visitor.arrive("/dashboard")


def test_a_visitor_joins_the_waitlist(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(sign_up={"mode": "waitlist"})
    visitor.show("Waitlist")
    page = visitor.page
    page.locator("input[name=emailAddress]").fill(visitor.email)
    page.get_by_role("button", name="Join the waitlist").click()
    expect(page.get_by_text("Thanks for joining the waitlist!")).to_be_visible()
