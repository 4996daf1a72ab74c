"""Clerk's own user button: its menu, the profile behind it, and several accounts in one browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser import components

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor
    from tests.browser.local_clerk import LocalClerk

CARD = ".cl-userButtonPopoverCard"


def open_menu(visitor: Visitor) -> Page:
    visitor.show("UserButton")
    components.wait_for_user_button(visitor.page)
    visitor.page.get_by_role("button", name="Open user menu").click()
    visitor.page.locator(CARD).wait_for()
    return visitor.page


def test_the_menu_leads_to_the_profile_and_out(visitor: Visitor, clerk: LocalClerk) -> None:
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
    page.wait_for_function("id => Clerk.user?.id === id", arg=users[0]["id"])
    page = open_menu(visitor)
    expect(page.get_by_role("button", name="Sign out of all accounts")).to_be_visible()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url(lambda url: "/_component/" not in url)
    page.wait_for_load_state()
    visitor.show("Nothing")
    assert page.evaluate("Clerk.client.signedInSessions.map((one) => one.user.id)") == [users[1]["id"]]
