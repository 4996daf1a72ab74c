"""Organizations and multiple accounts, on the hosted pages on a small screen."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.components import CODE, PASSWORD
from tests.browser.test_hosted_security import enter, expect_fit
from tests.browser.test_profile import AUTHENTICATOR, BACKUP_CODES, authenticator_code
from tests.browser.test_session_tasks import FORCED, active_organization
from tests.browser.test_without_javascript import enter_code, fill_sign_up, sign_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.local_clerk import LocalClerk
    from tests.browser.visitor import Visitor


def expect_done(visitor: Visitor, words: str) -> None:
    """Wait until the page reports that the action was done."""
    expect(visitor.page.get_by_role("status")).to_contain_text(words)


def test_the_whole_life_of_an_organization(small: Callable[[], Visitor], clerk: LocalClerk) -> None:
    clerk.switch(organizations={"enabled": True})
    ada, eve, guest = small(), small(), small()
    owner, other = clerk.create_user(first_name="Ada"), clerk.create_user(first_name="Eve")
    page = enter(ada, owner["email"])
    name = f"Engines {time.time_ns()}"
    page.get_by_role("link", name="Your organizations").click()
    page.get_by_role("link", name="Create an organization").click()
    page.get_by_label("Name").fill(name)
    expect_fit(ada, "creation")
    page.get_by_role("button", name="Create").click()
    expect_done(ada, "created")
    for email in (other["email"], guest.email):
        page.get_by_label("Email address").fill(email)
        page.get_by_role("button", name="Invite").click()
        expect_done(ada, "invitation was sent")
    expect_fit(ada, "invitations")

    there = enter(eve, other["email"])
    eve.go("/__clerk/organization")
    there.get_by_role("button", name=f"Join {name}").click()
    expect_done(eve, "You joined")
    there.get_by_role("button", name=name).click()
    expect(there.get_by_role("button", name="Invite")).to_have_count(0)
    guest.page.goto(clerk.last_link(guest.email))
    guest.page.get_by_label("Password").fill(PASSWORD)
    guest.page.get_by_role("button", name="Continue").click()
    guest.arrive("/")

    ada.go("/__clerk/organization")
    members = page.get_by_role("list", name="Members").get_by_role("listitem")
    expect(members).to_have_count(3)
    expect_fit(ada, "members")
    page.get_by_role("button", name=f"Make {other['email']} Admin").click()
    expect_done(ada, "role was changed")
    page.get_by_role("button", name=f"Remove {guest.email}").click()
    expect_done(ada, "member was removed")
    expect(members).to_have_count(2)
    page.get_by_role("button", name="Leave this organization").click()
    expect_done(ada, "You left")
    expect(page.get_by_text(name)).to_have_count(0)

    eve.go("/__clerk/organization")
    there.get_by_role("link", name="Delete this organization").click()
    expect_fit(eve, "deletion")
    there.get_by_role("button", name="Delete organization").click()
    expect_done(eve, "deleted")
    expect(there.get_by_text(name)).to_have_count(0)


def test_required_tasks_are_a_second_factor_and_joining_an_organization(
    small: Callable[[], Visitor], clerk: LocalClerk
) -> None:
    clerk.switch(
        attributes={"authenticator_app": AUTHENTICATOR, "backup_code": BACKUP_CODES},
        sign_in={"second_factor_required": True},
        organizations=FORCED,
    )
    visitor, user = small(), clerk.create_user()
    made = clerk.backend("POST", "/organizations", name="Engines")
    invitation = {"email_address": user["email"], "role": "org:member"}
    clerk.backend("POST", f"/organizations/{made['id']}/invitations", **invitation)
    page = visitor.page
    visitor.go("/__clerk/sign-in")
    sign_in(page, user["email"])
    visitor.arrive("/__clerk/tasks/setup-mfa")
    key = page.locator("code.key").inner_text().replace(" ", "")
    expect_fit(visitor, "second factor")
    page.get_by_label("Code from the app").fill(authenticator_code(key))
    page.get_by_role("button", name="Turn on").click()
    page.get_by_role("link", name="Continue").click()
    visitor.arrive("/__clerk/tasks/choose-organization")
    expect_fit(visitor, "choice")
    page.get_by_role("button", name="Join Engines").click()
    visitor.arrive("/")
    assert active_organization(visitor) == made["id"]


def test_two_accounts_in_one_browser(small: Callable[[], Visitor], clerk: LocalClerk) -> None:
    clerk.switch(sessions={"multi_session": True})
    visitor, user = small(), clerk.create_user()
    page = enter(visitor, user["email"])
    page.get_by_role("link", name="Add another account").click()
    page.get_by_role("link", name="Sign up").click()
    fill_sign_up(page, visitor.email)
    enter_code(page)
    visitor.arrive("/")
    visitor.go("/__clerk/user")
    accounts = page.get_by_role("region", name="Accounts in this browser").get_by_role("listitem")
    expect(accounts.filter(has_text="active")).to_contain_text(visitor.email)
    expect_fit(visitor, "two accounts")
    page.get_by_role("button", name=f"Switch to {user['email']}").click()
    expect_done(visitor, "this account")
    page.get_by_role("button", name="Sign out", exact=True).click()
    visitor.arrive("/")
    visitor.go("/__clerk/user")
    expect(accounts).to_have_count(1)
    expect(accounts).to_contain_text(visitor.email)
    page.get_by_role("link", name="Add another account").click()
    sign_in(page, user["email"])
    visitor.arrive("/")
    visitor.go("/__clerk/user")
    page.get_by_role("button", name="Sign out of all accounts").click()
    visitor.arrive("/")
    visitor.go("/__clerk/user")
    visitor.arrive("/__clerk/sign-in")


def test_an_emailed_code_confirms_a_sensitive_action(small: Callable[[], Visitor], clerk: LocalClerk) -> None:
    """The user has two email addresses. The code is asked for once, for the chosen one."""
    visitor = small()
    second = f"second-{visitor.email}"
    user = clerk.create_user(visitor.email)
    clerk.backend("POST", "/email_addresses", user_id=user["id"], email_address=second, verified=True)
    page = enter(visitor, visitor.email)
    clerk.ask("POST", "/emulator/clock", {"advance_seconds": 1200})
    page.get_by_role("link", name="Delete account").click()
    page.get_by_role("button", name="Delete account").click()
    visitor.arrive("/__clerk/confirm")
    expect_fit(visitor, "confirmation")
    page.get_by_role("button", name=re.compile("Email a code to")).last.click()
    code = page.get_by_label("Verification code")
    expect(code).to_have_count(1)
    expect_fit(visitor, "code")
    code.fill(CODE)
    code.press("Enter")
    expect_done(visitor, "repeat your last action")
    expect_fit(visitor, "confirmed")
    page.get_by_role("link", name="Delete account").click()
    page.get_by_role("button", name="Delete account").click()
    page.wait_for_url(lambda url: "/__clerk/" not in url)
    assert clerk.backend("GET", f"/users?email_address={visitor.email}") == []
