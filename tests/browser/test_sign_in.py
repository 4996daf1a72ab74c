"""Clerk's own sign-in form: phone codes, wrong passwords, new users, email links."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from tests.browser import components

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.local_clerk import LocalClerk
    from tests.browser.visitor import Visitor

PHONE = {"enabled": True, "used_for_first_factor": True, "first_factors": ["phone_code"]}
USERNAME = {"enabled": True, "used_for_first_factor": True}
WITHOUT_PASSWORD = {"enabled": False, "required": False}
WITHOUT_NAMES = {"first_name": {"enabled": False}, "last_name": {"enabled": False}}
BY_LINK = {"first_factors": ["email_link"], "verifications": ["email_link"]}


def phone_number() -> str:
    """Return one of Clerk's test phone numbers that no user has."""
    return f"+1{901 + time.time_ns() // 100 % 90}55501{time.time_ns() % 100:02}"


def show_combined(visitor: Visitor, **props: Any) -> None:
    """Open the form that signs in existing users and signs up new ones."""
    visitor.show("SignIn", withSignUp=True, fallbackRedirectUrl="/dashboard", **props)


def test_a_phone_number_and_a_code(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(attributes={"phone_number": PHONE})
    number = phone_number()
    form = {"phone_number": [number], "skip_password_requirement": True}
    clerk.backend("POST", "/users", email_address=[visitor.email], **form)
    visitor.go("/login")
    visitor.page.get_by_role("link", name="Use phone").click()
    visitor.page.locator("input[name=identifier]").fill(number.removeprefix("+1"))
    visitor.picture("phone number")
    components.proceed(visitor.page)
    components.enter_code(visitor.page)
    visitor.arrive("/dashboard")


def test_a_code_by_whatsapp_with_sms_as_fallback(visitor: Visitor, clerk: LocalClerk) -> None:
    phone = PHONE | {"required": True, "verifications": ["phone_code"], "verify_at_sign_up": True}
    nothing = {"enabled": False, "required": False}
    attributes = {"phone_number": phone | {"channels": ["sms", "whatsapp"]}}
    clerk.switch(attributes=attributes | dict.fromkeys(("email_address", "password"), nothing))
    page, number = visitor.page, phone_number().removeprefix("+1")
    for path, field, heading in (
        ("/signup", "phoneNumber", "Verify your WhatsApp"),
        ("/login", "identifier", "Check your WhatsApp"),
    ):
        visitor.go(path)
        page.get_by_role("button", name="WhatsApp").click()
        page.get_by_role("heading", name="with WhatsApp").wait_for()
        page.locator(f"input[name={field}]").fill(number)
        components.proceed(page)
        page.get_by_role("heading", name=heading).wait_for()
        visitor.picture("WhatsApp")
        page.get_by_role("link", name="Send code via SMS instead").click()
        page.get_by_role("heading", name=heading).wait_for(state="hidden")
        components.enter_code(page)
        visitor.arrive("/dashboard")
        components.sign_out(page)
        visitor.arrive("/")


def test_another_method_after_a_wrong_password(visitor: Visitor, clerk: LocalClerk) -> None:
    user = clerk.create_user()
    visitor.expect_error(422, "/attempt_first_factor")
    visitor.go("/login")
    page = visitor.page
    components.sign_in(page, user["email"], "not my password")
    components.expect_error(page, "password", "Password is incorrect")
    page.get_by_role("link", name="Use another method").click()
    visitor.picture("other methods")
    page.get_by_role("button", name="Email code to").click()
    components.enter_code(page)
    visitor.arrive("/dashboard")


def test_the_combined_form_asks_again_for_a_password(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(attributes={"username": USERNAME})
    user = clerk.create_user(username=f"ada{time.time_ns()}")
    visitor.expect_error(422, "/client/sign_ins")
    show_combined(visitor)
    page = visitor.page
    expect(page.get_by_text(re.compile("^Don.t have an account"))).to_be_hidden()
    page.locator("input[name=identifier]").fill(user["username"])
    page.locator("input[name=password]").fill("not my password", force=True)
    components.proceed(page)
    page.get_by_text("Enter your password", exact=True).wait_for()
    components.fill_password(page, "still not my password")
    components.expect_error(page, "password", "Password is incorrect")
    components.fill_password(page)
    visitor.arrive("/dashboard")


def test_the_combined_form_signs_up_a_new_user(visitor: Visitor, clerk: LocalClerk) -> None:
    visitor.expect_error(422, "/client/sign_ins")
    show_combined(visitor, unsafeMetadata={"position": "goalie"})
    page = visitor.page
    components.fill_identifier(page, visitor.email)
    expect(page.locator("input[name=emailAddress]")).to_have_value(visitor.email)
    visitor.picture("new here")
    page.locator("input[name=password]").fill(components.PASSWORD)
    components.proceed(page)
    components.enter_code(page)
    visitor.arrive("/dashboard")
    [user] = clerk.backend("GET", f"/users?email_address={visitor.email}")
    assert user["unsafe_metadata"] == {"position": "goalie"}


def test_the_combined_form_signs_up_by_an_email_link(visitor: Visitor, clerk: LocalClerk) -> None:
    attributes = {"email_address": BY_LINK, "password": WITHOUT_PASSWORD}
    clerk.switch(attributes=attributes | WITHOUT_NAMES)
    visitor.expect_error(422, "/client/sign_ins")
    show_combined(visitor)
    with visitor.page.expect_response("**/prepare_verification*"):
        components.fill_identifier(visitor.page, visitor.email)
    visitor.follow(clerk.last_link(visitor.email))
    visitor.arrive("/dashboard")


def test_the_form_reveals_accounts_only_after_the_code(
    visit: Callable[..., Visitor], clerk: LocalClerk
) -> None:
    clerk.switch(
        sign_in={"enumeration_protection": True},
        attributes={"password": WITHOUT_PASSWORD},
    )
    known, new = visit(), visit()
    clerk.create_user(known.email)
    new.expect_error(422, "/attempt_first_factor")
    for visitor in (known, new):
        show_combined(visitor)
        components.fill_identifier(visitor.page, visitor.email)
        visitor.page.get_by_text("Check your email").wait_for()
        visitor.picture("code")
        components.enter_code(visitor.page)
        visitor.arrive("/dashboard")
    assert len(clerk.backend("GET", f"/users?email_address={new.email}")) == 1


def test_the_protected_form_does_not_say_which_field_is_wrong(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(sign_in={"enumeration_protection": True})
    visitor.expect_error(422, "/attempt_first_factor")
    visitor.go("/login")
    components.sign_in(visitor.page, visitor.email)
    components.expect_error(visitor.page, "password", "Password or identifier is incorrect")


def test_resetting_the_password_ends_other_sessions(visit: Callable[..., Visitor], clerk: LocalClerk) -> None:
    elsewhere, visitor = visit(), visit()
    user = clerk.create_user()
    elsewhere.enter(user)
    visitor.go("/login")
    page = visitor.page
    components.fill_identifier(page, user["email"])
    page.get_by_text("Forgot password?").click()
    page.get_by_role("button", name="Reset your password").click()
    components.enter_code(page)
    components.fill_new_password(page, "quite another password", field="password")
    expect(page.locator("input[name=signOutOfOtherSessions]")).to_be_checked()
    page.get_by_role("button", name="Reset Password").click()
    visitor.arrive("/dashboard")
    sessions = clerk.backend("GET", f"/sessions?user_id={user['id']}")
    assert sorted(session["status"] for session in sessions) == ["active", "revoked"]


def test_denied_consent_is_reported(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(social={"google": {"enabled": True}})
    page = visitor.page
    visitor.go("/login")
    page.get_by_role("button", name="Google").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("You did not grant access to your account.")).to_be_visible()


def test_the_steps_of_the_form_do_not_reload_the_page(visitor: Visitor, clerk: LocalClerk) -> None:
    user = clerk.create_user()
    visitor.go("/login")
    page = visitor.page
    page.evaluate("window.isSamePage = true")
    components.fill_identifier(page, user["email"])
    page.wait_for_url(lambda url: "/login/factor-one" in url)
    page.go_back()
    expect(page.locator("input[name=identifier]")).to_be_visible()
    assert page.evaluate("window.isSamePage")
    components.sign_in(page, user["email"])
    visitor.arrive("/dashboard")
