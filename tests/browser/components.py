"""Steps in Clerk's own components. Their selectors are all in this file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

PASSWORD = "correct horse battery staple"
CODE = "424242"


def proceed(page: Page) -> None:
    page.get_by_role("button", name="Continue", exact=True).click()


def fill_sign_up(page: Page, email: str, password: str = PASSWORD) -> None:
    """Fill in the first step of sign-up and continue to the code."""
    page.locator("input[name=emailAddress]").fill(email)
    page.locator("input[name=password]").fill(password)
    proceed(page)


def enter_code(page: Page, code: str = CODE) -> None:
    field = page.locator("input[autocomplete=one-time-code], input[data-otp-input]").first
    field.wait_for(state="attached")
    field.focus()
    page.keyboard.type(code)


def fill_identifier(page: Page, email: str) -> None:
    page.locator("input[name=identifier]").fill(email)
    proceed(page)


def fill_password(page: Page, password: str = PASSWORD) -> None:
    page.locator("input[name=password]").fill(password)
    proceed(page)


def fill_new_password(page: Page, password: str, field: str = "newPassword") -> None:
    """Fill in a new password and its confirmation, and wait until Clerk.js has checked both.

    Its messages move the button below the fields: a click that comes too early would miss it.
    """
    for name in (field, "confirmPassword"):
        page.locator(f"input[name={name}]").fill(password)
    for name in (field, "confirmPassword"):
        expect(page.locator(f"#{name}-success-feedback")).to_be_visible()


def sign_up(page: Page, email: str) -> None:
    """Sign up, starting on the sign-up page."""
    fill_sign_up(page, email)
    enter_code(page)


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Sign in, starting on the login page."""
    fill_identifier(page, email)
    fill_password(page, password)


def consent(page: Page, name: str, email: str) -> None:
    """Consent to a social login. The local Clerk shows the provider's page."""
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Email address").fill(email)
    proceed(page)


def sign_out(page: Page) -> None:
    """Sign out by the app's own button in the navigation bar."""
    page.get_by_role("navigation").get_by_role("button", name="Sign out").click()


def delete_account(page: Page) -> None:
    """Delete the account, starting on the profile page."""
    page.get_by_role("button", name="Security").click()
    page.get_by_role("button", name="Delete account").click()
    page.locator("input[name=deleteConfirmation]").fill("Delete account")
    page.get_by_role("button", name="Delete account").last.click()


def expect_error(page: Page, field: str, words: str) -> None:
    """Wait until the error under a field contains these words."""
    error = page.locator(f"#error-{field}")
    expect(error).to_contain_text(words)
    expect(error).to_be_visible()


def wait_for_user_button(page: Page) -> None:
    """Wait until Clerk's user button is in the navigation bar."""
    page.locator(".cl-userButtonTrigger").wait_for()


def wait_for_component(page: Page, kind: str) -> None:
    """Wait until a component such as `signIn` is visible."""
    expect(page.locator(f".cl-{kind}-root, .cl-rootBox").first).to_be_visible()
