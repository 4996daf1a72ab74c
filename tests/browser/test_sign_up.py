"""Clerk's own sign-up form: every field, errors, invitations and the waitlist."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

from tests.browser import components, mounting
from tests.browser.test_sign_in import PHONE, USERNAME, phone_number

if TYPE_CHECKING:
    from tests.browser.local_clerk import LocalClerk
    from tests.browser.visitor import Visitor

REQUIRED = {"enabled": True, "required": True}
PROVED = {"verifications": ["phone_code"], "verify_at_sign_up": True}


def accept(visitor: Visitor, clerk: LocalClerk) -> None:
    """Open the app's sign-up page with the ticket of an invitation, and fill in the missing fields."""
    ticket = parse_qs(urlsplit(clerk.last_link(visitor.email)).query)["ticket"][0]
    visitor.go(f"/signup?__clerk_ticket={ticket}")
    page = visitor.page
    expect(page.get_by_text("Fill in missing fields")).to_be_visible()
    visitor.picture("invited")
    page.locator("input[name=password]").fill(components.PASSWORD)
    components.proceed(page)
    visitor.arrive("/dashboard")


def test_sign_up_with_every_field(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(
        attributes={
            "phone_number": PHONE | REQUIRED | PROVED,
            "username": USERNAME | REQUIRED,
            "first_name": REQUIRED,
            "last_name": REQUIRED,
        }
    )
    visitor.go("/signup")
    page, name = visitor.page, f"ada{time.time_ns()}"
    page.locator("input[name=firstName]").fill("Ada")
    page.locator("input[name=lastName]").fill("King")
    page.locator("input[name=username]").fill(name)
    page.locator("input[name=phoneNumber]").fill(phone_number().removeprefix("+1"))
    visitor.picture("all fields")
    components.fill_sign_up(page, visitor.email)
    page.get_by_role("heading", name="Verify your email").wait_for()
    components.enter_code(page)
    page.get_by_role("heading", name="Verify your phone").wait_for()
    components.enter_code(page)
    visitor.arrive("/dashboard")
    [user] = clerk.backend("GET", f"/users?username={name}")
    assert (user["first_name"], user["last_name"]) == ("Ada", "King")
    assert user["phone_numbers"][0]["verification"]["status"] == "verified"


def test_errors_are_shown_under_the_field(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.create_user(visitor.email)
    visitor.expect_error(422, "/client/sign_ups")
    visitor.go("/signup")
    page = visitor.page
    components.fill_sign_up(page, visitor.email, "12345")
    components.expect_error(page, "password", "Your password must contain 8 or more characters")
    components.fill_sign_up(page, visitor.email)
    components.expect_error(page, "emailAddress", "That email address is taken")


def test_signing_up_requires_accepting_the_terms(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(sign_up={"legal_consent_enabled": True})
    visitor.go("/signup")
    page = visitor.page
    page.locator("input[name=emailAddress]").fill(visitor.email)
    page.locator("input[name=password]").fill(components.PASSWORD)
    components.proceed(page)
    expect(page.locator("input[name=legalAccepted]:invalid")).to_be_visible()
    assert clerk.backend("GET", f"/users?email_address={visitor.email}") == []


def test_unsafe_metadata_is_saved_at_sign_up(visitor: Visitor, clerk: LocalClerk) -> None:
    visitor.show("SignUp", unsafeMetadata={"position": "goalie"})
    components.sign_up(visitor.page, visitor.email)
    visitor.arrive("/dashboard")
    [user] = clerk.backend("GET", f"/users?email_address={visitor.email}")
    assert user["unsafe_metadata"] == {"position": "goalie"}


def test_an_invitation_allows_sign_up_in_restricted_mode(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(sign_up={"mode": "restricted"})
    visitor.expect_error(422, "/client/sign_ins")
    visitor.go("/login")
    components.fill_identifier(visitor.page, visitor.email)
    components.expect_error(visitor.page, "identifier", "Couldn't find your account.")
    clerk.backend("POST", "/invitations", email_address=visitor.email)
    accept(visitor, clerk)


def test_the_waitlist_ends_with_an_invitation(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(sign_up={"mode": "waitlist"})
    visitor.show("SignIn", {"waitlistUrl": mounting.address("Waitlist")})
    page = visitor.page
    page.get_by_role("link", name="Join waitlist").click()
    page.wait_for_url("**component=Waitlist**")
    page.locator("input[name=emailAddress]").fill(visitor.email)
    page.get_by_role("button", name="Join the waitlist").click()
    expect(page.get_by_text("Thanks for joining the waitlist!")).to_be_visible()
    [entry] = clerk.backend("GET", f"/waitlist_entries?query={visitor.email}")["data"]
    clerk.backend("POST", f"/waitlist_entries/{entry['id']}/invite")
    accept(visitor, clerk)
    [entry] = clerk.backend("GET", f"/waitlist_entries?query={visitor.email}")["data"]
    assert entry["status"] == "completed"
