"""Security of an account, on the hosted pages on a small screen: no JavaScript, 390 pixels wide."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.components import PASSWORD, consent
from tests.browser.test_account_security import NEW, TEXTED
from tests.browser.test_profile import AUTHENTICATOR, BACKUP_CODES, authenticator_code
from tests.browser.test_sign_in import BY_LINK
from tests.browser.test_without_javascript import enter_code, sign_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.local_clerk import LocalClerk
    from tests.browser.visitor import Visitor


def enter(visitor: Visitor, email: str, password: str = PASSWORD) -> Page:
    """Sign in, and open the account page."""
    visitor.go("/__clerk/sign-in")
    sign_in(visitor.page, email, password)
    visitor.arrive("/")
    visitor.go("/__clerk/user")
    return visitor.page


def leave(visitor: Visitor) -> None:
    """Sign out, and wait for the app's landing page."""
    visitor.go("/__clerk/user")
    visitor.page.get_by_role("button", name="Sign out", exact=True).last.click()
    visitor.arrive("/")


def expect_fit(visitor: Visitor, step: str) -> None:
    """Check that nothing on the page is wider than the screen."""
    visitor.picture(step)
    width = visitor.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390, f"{step} is {width} pixels wide"


def expect_wrong(page: Page, label: str, words: str) -> None:
    """Wait until a field has the focus and an error with these words, and the title starts with Error."""
    field = page.get_by_label(label, exact=True)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator(f"#{field.get_attribute('aria-describedby')}")).to_contain_text(words)
    expect(field).to_be_focused()
    assert page.title().startswith("Error: ")


def second_step(visitor: Visitor, email: str, label: str, code: str) -> None:
    """Sign in with the password, then with this code."""
    visitor.go("/__clerk/sign-in")
    sign_in(visitor.page, email)
    field = visitor.page.get_by_label(label)
    field.fill(code)
    field.press("Enter")


def test_an_authenticator_app_and_backup_codes(small: Callable[[], Visitor], clerk: LocalClerk) -> None:
    clerk.switch(attributes={"authenticator_app": AUTHENTICATOR, "backup_code": BACKUP_CODES})
    visitor, user = small(), clerk.create_user()
    page, email = enter(visitor, user["email"]), user["email"]
    page.get_by_role("button", name="Set up an authenticator app").click()
    key = page.locator("code.key").inner_text()
    assert {len(group) for group in key.split()} == {4}
    secret = key.replace(" ", "")
    uri = page.get_by_role("link", name="Open it in an app").get_attribute("href") or ""
    assert uri.startswith("otpauth://totp/")
    assert f"secret={secret}" in uri
    page.get_by_label("Code from the app").fill("000000")
    page.get_by_role("button", name="Turn on").click()
    expect_wrong(page, "Code from the app", "ncorrect")
    expect_fit(visitor, "authenticator app")
    page.get_by_label("Code from the app").fill(authenticator_code(secret))
    page.get_by_role("button", name="Turn on").click()
    codes = page.locator(".codes code").all_inner_texts()
    assert len(set(codes)) == 10
    expect_fit(visitor, "backup codes")
    page.get_by_role("link", name="Continue").click()
    visitor.arrive("/__clerk/user")
    expect(page.get_by_text("Authenticator app default")).to_be_visible()
    assert codes[0] not in page.content()
    leave(visitor)

    clerk.ask("POST", "/emulator/clock", {"advance_seconds": 30})  # each code works only once
    second_step(visitor, email, "Code from your authenticator app", authenticator_code(secret, 30))
    visitor.arrive("/")
    leave(visitor)
    second_step(visitor, email, "Backup code", codes[0])
    visitor.arrive("/")
    leave(visitor)
    second_step(visitor, email, "Backup code", codes[0])
    expect_wrong(page, "Backup code", "ncorrect")
    expect_fit(visitor, "used code")
    page.get_by_label("Backup code").fill(codes[1])
    page.get_by_label("Backup code").press("Enter")
    visitor.arrive("/")

    visitor.go("/__clerk/user")
    page.get_by_role("button", name="Generate backup codes").click()
    assert not set(codes) & set(page.locator(".codes code").all_inner_texts())
    page.get_by_role("link", name="Continue").click()
    page.get_by_role("button", name="Remove the authenticator app").click()
    expect(page.get_by_role("button", name="Set up an authenticator app")).to_be_visible()
    leave(visitor)
    enter(visitor, email)


def test_passwords_and_devices(small: Callable[[], Visitor], clerk: LocalClerk) -> None:
    clerk.switch(sessions={"reverification": False})
    visitor, elsewhere, user = small(), small(), clerk.create_user()
    enter(elsewhere, user["email"])
    page = enter(visitor, user["email"])
    devices = page.get_by_role("region", name="Active devices").get_by_role("listitem")
    expect(devices).to_have_count(2)
    page.get_by_label("Current password").fill("not my password")
    page.get_by_label("New password").fill(NEW)
    page.get_by_role("button", name="Change password").click()
    expect_wrong(page, "Current password", "ncorrect")
    expect_fit(visitor, "wrong password")
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password").fill(NEW)
    page.get_by_label("Sign out everywhere else").uncheck()
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("status")).to_contain_text("password was changed")
    expect(devices).to_have_count(2)
    devices.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_contain_text("other browser was signed out")
    expect(devices).to_have_count(1)
    elsewhere.go("/__clerk/user")
    elsewhere.arrive("/__clerk/sign-in")
    enter(elsewhere, user["email"], NEW)


def test_connected_accounts_email_links_and_phone_numbers(
    small: Callable[[], Visitor], clerk: LocalClerk
) -> None:
    clerk.switch(
        social={"google": {"enabled": True}},
        attributes={"email_address": BY_LINK, "phone_number": TEXTED},
    )
    visitor, user = small(), clerk.create_user()
    page = enter(visitor, user["email"])
    page.get_by_role("button", name="Connect Google").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("You did not grant access")).to_be_visible()
    expect_fit(visitor, "not connected")
    page.get_by_role("button", name="Remove").last.click()
    page.get_by_role("button", name="Connect Google").click()
    consent(page, "Ada King", visitor.email)
    visitor.arrive("/__clerk/user")
    accounts = page.get_by_role("region", name="Connected accounts")
    expect(accounts).to_contain_text(visitor.email)
    expect_fit(visitor, "connected")
    accounts.get_by_role("button", name="Remove").click()
    expect(accounts).not_to_contain_text(visitor.email)

    address = f"countess-{visitor.email}"
    page.get_by_label("Another address").fill(address)
    page.get_by_role("region", name="Email addresses").get_by_role("button", name="Add").click()
    expect(page.get_by_text("Clerk would now send a link")).to_be_visible()
    page.goto(clerk.last_link(address))
    visitor.arrive("/__clerk/user")
    expect(page.get_by_role("button", name=f"Make primary {address}")).to_be_visible()

    number = f"+1201555{time.time_ns() // 1_000_000 % 10_000:04}"
    numbers = page.get_by_role("region", name="Phone numbers")
    page.get_by_label("Another number").fill("12")
    numbers.get_by_role("button", name="Add").click()
    expect_wrong(page, "Another number", "valid")
    expect(page.get_by_label("Another number")).to_have_value("12")
    page.get_by_label("Another number").fill(number)
    numbers.get_by_role("button", name="Add").click()
    enter_code(page, "000000")
    expect_wrong(page, "Verification code", "ncorrect")
    enter_code(page)
    expect(page.get_by_role("status")).to_contain_text("verified")
    expect(numbers).to_contain_text(number)
    expect_fit(visitor, "account")
