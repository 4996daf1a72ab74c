"""Steps in Clerk's own user profile. Its selectors are all in this file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.components import enter_code, fill_new_password

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def section(page: Page, name: str) -> Locator:
    """Return a section such as `emailAddresses`."""
    return page.locator(f".cl-profileSection__{name}")


def item(page: Page, name: str, text: str) -> Locator:
    """Return the row of a section that shows this text."""
    return page.locator(f".cl-profileSectionItem__{name}").filter(has_text=text)


def open_security(page: Page) -> None:
    page.get_by_role("button", name="Security").click()


def choose(page: Page, name: str, text: str, action: str) -> None:
    """Choose an action from the menu of a row."""
    item(page, name, text).get_by_role("button", name="Open menu").click()
    page.get_by_role("menuitem", name=action).click()


def confirm(page: Page, name: str, button: str = "Remove") -> None:
    """Confirm the action of a section, and wait until its form is closed."""
    section(page, name).get_by_role("button", name=button, exact=True).click()
    closed(page, name)


def closed(page: Page, name: str) -> None:
    """Wait until no form is open in a section."""
    expect(page.locator(f".cl-profileSectionContent__{name} .cl-headerTitle")).to_have_count(0)


def add_email_address(page: Page, address: str) -> None:
    """Enter an email address and continue to its verification."""
    page.get_by_role("button", name="Add email address").click()
    page.get_by_label("Email address").fill(address)
    page.get_by_role("button", name="Add", exact=True).click()


def add_phone_number(page: Page, number: str) -> None:
    """Add a number with its code.

    Args:
        page: shows the profile.
        number: of the United States, without `+1`.
    """
    page.get_by_role("button", name="Add phone number").click()
    page.locator("input[name=phoneNumber]").fill(number)
    page.get_by_role("button", name="Add", exact=True).click()
    enter_code(page)
    closed(page, "phoneNumbers")


def set_password(page: Page, password: str, *, current: str | None = None) -> None:
    """Fill in and submit the open form for a new password."""
    if current is not None:
        page.locator("input[name=currentPassword]").fill(current)
    fill_new_password(page, password)
    page.get_by_role("button", name="Save").click()
