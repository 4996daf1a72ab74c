"""Clerk's own user button: its menu, the profile, and several accounts in one browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser import components, mounting

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.local_clerk import LocalClerk
    from tests.browser.visitor import Visitor

CARD = ".cl-userButtonPopoverCard"


def open_menu(visitor: Visitor) -> Page:
    visitor.show("UserButton")
    components.wait_for_user_button(visitor.page)
    visitor.page.get_by_role("button", name="Open user menu").click()
    visitor.page.locator(CARD).wait_for()
    return visitor.page


def test_the_menu_opens_the_profile_and_signs_out(visitor: Visitor, clerk: LocalClerk) -> None:
    user = clerk.create_user(first_name="Ada", last_name="King")
    visitor.enter(user)
    page = open_menu(visitor)
    expect(page.locator(CARD)).to_contain_text("Ada King")
    expect(page.locator(CARD)).to_contain_text(user["email"])
    page.get_by_role("button", name="Manage account").click()
    page.locator(".cl-modalContent .cl-userProfile-root").wait_for()
    expect(page.locator(CARD)).to_have_count(0)
    visitor.picture("profile in a dialog")
    page = open_menu(visitor)
    page.get_by_role("button", name="Sign out").click()
    visitor.arrive("/")
    visitor.show("Nothing")
    assert page.evaluate("Clerk.isSignedIn") is False


def test_one_browser_switches_between_two_accounts(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(sessions={"multi_session": True})
    users = [clerk.create_user(first_name=name) for name in ("Ada", "Grace")]
    for user in users:
        visitor.enter(user)
    page = open_menu(visitor)
    visitor.picture("two accounts")
    page.get_by_text(users[0]["email"]).click()
    page.wait_for_function("id => window.Clerk?.user?.id === id", arg=users[0]["id"])
    page = open_menu(visitor)
    expect(page.get_by_role("button", name="Sign out of all accounts")).to_be_visible()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url(lambda url: mounting.PATH not in url)
    page.wait_for_load_state()
    visitor.show("Nothing")
    assert page.evaluate("Clerk.client.signedInSessions.map((one) => one.user.id)") == [users[1]["id"]]


def test_a_browser_adds_an_account(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(sessions={"multi_session": True})
    users = [clerk.create_user(first_name=name) for name in ("Ada", "Grace")]
    visitor.enter(users[0])
    visitor.go("/dashboard")
    page = visitor.page
    components.wait_for_user_button(page)
    page.get_by_role("button", name="Open user menu").click()
    page.get_by_role("button", name="Add account").click()
    visitor.arrive("/login")
    components.wait_for_component(page, "signIn")
    visitor.picture("adding an account")
    components.sign_in(page, users[1]["email"])
    visitor.arrive("/dashboard")
    components.wait_for_user_button(page)
    signed_in = page.evaluate("Clerk.client.signedInSessions.map((one) => one.user.id)")
    assert signed_in == [user["id"] for user in users]
    assert page.evaluate("Clerk.user.id") == users[1]["id"]


def test_without_multiple_sessions_adding_an_account_opens_the_dashboard(
    visitor: Visitor, clerk: LocalClerk
) -> None:
    visitor.enter(clerk.create_user(first_name="Ada"))
    visitor.go("/login?add_account=1")
    visitor.arrive("/dashboard")
