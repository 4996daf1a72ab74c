"""The life of an account in the app, with Clerk's own components."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser import components

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.local_clerk import LocalClerk
    from tests.browser.visitor import Visitor

FOREIGN = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "https:evil.example",
    "/%09/evil.example",
    "/\t/evil.example",
    "http://localhost.evil.example/",
    "http://localhost@evil.example/",
    "javascript:alert(1)",
    "data:text/html,hello",
]


def test_the_whole_life_of_an_account(visitor: Visitor) -> None:
    page = visitor.page
    visitor.go("/")
    visitor.picture("landing page")

    page.get_by_role("link", name="Sign up").first.click()
    visitor.arrive("/signup")
    components.wait_for_component(page, "signUp")
    visitor.picture("sign-up")
    components.fill_sign_up(page, visitor.email)
    page.get_by_text("Verify your email").wait_for()
    visitor.picture("code")
    components.enter_code(page)
    visitor.arrive("/dashboard")
    expect(page.locator("body")).to_contain_text(visitor.email)
    components.wait_for_user_button(page)
    visitor.picture("dashboard")

    components.sign_out(page)
    visitor.arrive("/")
    visitor.picture("signed out")
    visitor.go("/dashboard")
    visitor.arrive("/login")

    components.wait_for_component(page, "signIn")
    visitor.picture("sign-in")
    components.fill_identifier(page, visitor.email)
    visitor.expect_error(422, "/attempt_first_factor")
    components.fill_password(page, "not my password")
    components.expect_error(page, "password", "incorrect")
    visitor.picture("wrong password")
    components.fill_password(page)
    visitor.arrive("/dashboard")
    visitor.picture("dashboard again")

    page.get_by_role("link", name="Profile").first.click()
    visitor.arrive("/profile")
    components.wait_for_component(page, "userProfile")
    visitor.picture("profile")
    components.delete_account(page)
    visitor.arrive("/login")
    components.wait_for_component(page, "signIn")
    visitor.picture("after deletion")

    visitor.expect_error(422, "/sign_ins")
    components.fill_identifier(page, visitor.email)
    components.expect_error(page, "identifier", "Couldn't find your account")
    visitor.picture("the account is gone")


def test_after_signing_in_a_user_sees_the_protected_page_they_asked_for(
    visitor: Visitor, clerk: LocalClerk
) -> None:
    user = clerk.create_user()
    visitor.go("/profile")
    visitor.arrive("/login")
    components.sign_in(visitor.page, user["email"])
    visitor.arrive("/profile")
    visitor.picture("the page that was asked for")


def test_a_session_outlives_its_token(visitor: Visitor, clerk: LocalClerk) -> None:
    user = clerk.create_user()
    visitor.enter(user)
    # As in a tab that was asleep overnight: no valid token, but Clerk still knows the browser.
    context = visitor.page.context
    for cookie in context.cookies():
        if cookie.get("name", "").startswith("__session"):
            context.clear_cookies(name=cookie.get("name", ""))
    visitor.go("/dashboard")
    visitor.arrive("/dashboard")
    expect(visitor.page.locator("body")).to_contain_text(user["email"])
    visitor.picture("still signed in")


def test_no_link_leads_a_signed_in_user_to_another_site(
    visit: Callable[..., Visitor], clerk: LocalClerk
) -> None:
    visitor = visit(javascript=False)  # which page is shown is decided by the server's redirects alone
    visitor.enter(clerk.create_user())
    visitor.expect_error(404, "/%09/evil.example")  # by the URL standard, that is a path of this site
    for target in FOREIGN:
        for entrance in ("/login", "/signup", "/__clerk/sign-in", "/__clerk/sign-up"):
            for parameter in ("redirect_url", "next"):
                landed = visitor.land(f"{entrance}?{parameter}={quote(target, safe='')}")
                assert landed.startswith(f"{visitor.site}/"), f"{entrance}, {target!r}"


@pytest.mark.parametrize("target", FOREIGN[:3], ids=["https", "slashes", "backslash"])
def test_no_link_leads_to_another_site_after_signing_in(
    visitor: Visitor, clerk: LocalClerk, target: str
) -> None:
    user = clerk.create_user()
    visitor.go(f"/login?redirect_url={quote(target, safe='')}")
    components.sign_in(visitor.page, user["email"])
    visitor.page.wait_for_url(lambda url: not urlsplit(url).path.startswith("/login"))
    assert visitor.page.url.startswith(f"{visitor.site}/")
