"""The life of an account with JavaScript disabled, on the hosted pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from playwright.sync_api import expect

from tests.browser.components import CODE, PASSWORD, consent, sign_out
from tests.browser.test_second_factors import twice
from tests.browser.test_with_javascript import FOREIGN

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.local_clerk import LocalClerk
    from tests.browser.visitor import Visitor


def fill_sign_up(page: Page, email: str) -> None:
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()


def enter_code(page: Page, code: str = CODE) -> None:
    page.get_by_label("Verification code").fill(code)
    page.get_by_role("button", name="Verify").click()


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_the_whole_life_of_an_account(visit: Callable[..., Visitor]) -> None:
    visitor = visit(javascript=False)
    page = visitor.page
    visitor.go("/signup")
    visitor.picture("sign-up page of the app")
    page.get_by_role("link", name="Sign up without JavaScript").click()
    visitor.arrive("/__clerk/sign-up")
    visitor.picture("sign-up")
    fill_sign_up(page, visitor.email)
    visitor.arrive("/__clerk/sign-up/verify")
    enter_code(page, "000000")
    expect(page.locator("[aria-invalid=true]")).to_be_visible()
    visitor.picture("wrong code")
    enter_code(page)
    visitor.arrive("/dashboard")
    expect(page.locator("body")).to_contain_text(visitor.email)
    visitor.picture("dashboard")

    sign_out(page)
    visitor.arrive("/")
    visitor.go("/dashboard")
    visitor.arrive("/login")
    page.get_by_role("link", name="Sign in without JavaScript").click()
    visitor.arrive("/__clerk/sign-in")
    sign_in(page, visitor.email, "not my password")
    expect(page.locator(".error")).to_be_visible()
    visitor.picture("wrong password")
    sign_in(page, visitor.email)
    visitor.arrive("/dashboard")

    visitor.go("/profile")
    page.get_by_role("link", name="Your profile without JavaScript").click()
    visitor.arrive("/__clerk/user")
    visitor.picture("account")
    page.get_by_role("link", name="Delete account").click()
    visitor.picture("delete")
    page.get_by_role("button", name="Delete account").click()
    visitor.arrive("/login")
    visitor.picture("after deletion")
    visitor.go("/dashboard")
    visitor.arrive("/login")


def test_no_link_of_a_hosted_page_leads_to_another_site(visit: Callable[..., Visitor]) -> None:
    visitor = visit(javascript=False)
    visitor.go("/__clerk/sign-up")
    fill_sign_up(visitor.page, visitor.email)
    enter_code(visitor.page)
    visitor.arrive("/")
    for target in FOREIGN:
        sign_out(visitor.page)
        visitor.arrive("/")
        visitor.go(f"/__clerk/sign-in?redirect_url={quote(target, safe='')}")
        visitor.expect_error(404, "/%09/evil.example")  # by the URL standard, that is a path of this site
        sign_in(visitor.page, visitor.email)
        visitor.page.wait_for_url(lambda url: "/__clerk/" not in url)
        assert visitor.page.url.startswith(f"{visitor.site}/"), target
        visitor.go("/")
        visitor.arrive("/")


def identify(page: Page, user: dict[str, Any]) -> None:
    """Sign in on the hosted page, and wait for the next page."""
    sign_in(page, user["email"])
    page.wait_for_url(lambda url: not url.split("?")[0].endswith("/sign-in"))


def test_a_second_factor(visit: Callable[..., Visitor], clerk: LocalClerk) -> None:
    visitor, user = visit(javascript=False), twice(clerk)
    visitor.go("/__clerk/sign-in")
    identify(visitor.page, user)
    page = visitor.page
    visitor.picture("second factor")
    code = page.get_by_label("Backup code")
    code.fill("zzzzzzzz")
    code.press("Enter")
    expect(page.locator("[aria-invalid=true]")).to_be_visible()
    page.get_by_label("Backup code").fill("abcdefgh")
    page.get_by_label("Backup code").press("Enter")
    visitor.arrive("/")
    visitor.go("/dashboard")
    visitor.arrive("/dashboard")


def test_a_new_device_confirms_the_email_address(visit: Callable[..., Visitor], clerk: LocalClerk) -> None:
    clerk.switch(sign_in={"client_trust": True})
    visitor, user = visit(javascript=False), clerk.create_user()
    visitor.go("/__clerk/sign-in")
    identify(visitor.page, user)
    page = visitor.page
    visitor.arrive("/__clerk/sign-in/client-trust")
    visitor.picture("new browser")
    page.get_by_role("button", name="Email a code to").click()
    page.get_by_label("Verification code").fill(CODE)
    page.get_by_role("button", name="Continue").click()
    visitor.arrive("/")
    visitor.go("/dashboard")
    visitor.arrive("/dashboard")


def test_a_social_login_works_after_it_was_denied_once(
    visit: Callable[..., Visitor], clerk: LocalClerk
) -> None:
    clerk.switch(social={"google": {"enabled": True}}, attributes={"password": {"required": False}})
    visitor = visit(javascript=False)
    page = visitor.page
    visitor.go("/__clerk/sign-in")
    page.get_by_role("button", name="Google").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".error")).to_contain_text("You did not grant access")
    page.get_by_role("button", name="Google").click()
    consent(page, "Ada King", visitor.email)
    visitor.arrive("/")
    visitor.go("/dashboard")
    expect(page.locator("body")).to_contain_text("Ada King")


def test_a_sensitive_action_requires_reverification(visit: Callable[..., Visitor], clerk: LocalClerk) -> None:
    visitor, user = visit(javascript=False), clerk.create_user()
    visitor.go("/__clerk/sign-in")
    identify(visitor.page, user)
    visitor.arrive("/")
    clerk.ask("POST", "/emulator/clock", {"advance_seconds": 1200})
    page = visitor.page
    visitor.go("/__clerk/user")
    page.get_by_role("link", name="Delete account").click()
    page.get_by_role("button", name="Delete account").click()
    visitor.arrive("/__clerk/confirm")
    visitor.picture("confirm")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    visitor.arrive("/__clerk/user")
    page.get_by_role("link", name="Delete account").click()
    page.get_by_role("button", name="Delete account").click()
    page.wait_for_url(lambda url: "/__clerk/" not in url)
    assert clerk.backend("GET", f"/users?email_address={user['email']}") == []
