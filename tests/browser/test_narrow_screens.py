"""The app's pages fit narrow screens, with long names and email addresses as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser import components

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.local_clerk import LocalClerk
    from tests.browser.visitor import Visitor

WIDTHS = (320, 360, 390, 768, 1280)
LONG_NAME = "Wolfeschlegelsteinhausenbergerdorff"
SIGNED_OUT = ("/", "/login", "/signup", "/nowhere")
SIGNED_IN = ("/", "/dashboard", "/profile")
TOO_WIDE = """() => [...document.querySelectorAll("body *:not(.visually-hidden-focusable)")]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
  .map((one) => `${one.tagName} ${one.className}`)"""
# An organization switcher, as wide as Clerk's with a long name.
SWITCHER = """() => document.querySelector("header nav > div").insertAdjacentHTML(
  "afterbegin", "<div id=switcher style='width: 220px; height: 28px; flex-shrink: 0'></div>")"""


def check_widths(visitor: Visitor, path: str) -> None:
    page = visitor.page
    visitor.go(path)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        visitor.picture(f"{path.strip('/') or 'landing'} at {width}")
        check_layout(page, f"{path} at {width} pixels")


def check_layout(page: Page, where: str) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), where
    assert page.evaluate(TOO_WIDE) == [], where
    brand = page.locator(".navbar-brand")
    assert brand.evaluate("(brand) => brand.scrollWidth <= brand.clientWidth"), f"brand of {where}"


@pytest.mark.parametrize("path", SIGNED_OUT)
def test_pages_fit_for_visitors(visitor: Visitor, path: str) -> None:
    if path == "/nowhere":
        visitor.expect_error(404, path)
    check_widths(visitor, path)


def test_pages_fit_for_users_with_long_names(visitor: Visitor, clerk: LocalClerk) -> None:
    email = f"{LONG_NAME}.{visitor.email}".lower()
    body = {
        "email_address": [email],
        "first_name": LONG_NAME,
        "last_name": LONG_NAME,
        "password": components.PASSWORD,
        "skip_password_checks": True,
    }
    clerk.ask("POST", "/api/v1/users", body)
    visitor.enter({"email": email}, components.PASSWORD)
    for path in SIGNED_IN:
        check_widths(visitor, path)
    visitor.go("/dashboard")
    components.wait_for_user_button(visitor.page)
    visitor.page.evaluate(SWITCHER)
    for width in WIDTHS:
        visitor.page.set_viewport_size({"width": width, "height": 844})
        visitor.picture(f"switcher at {width}")
        check_layout(visitor.page, f"the header with an organization switcher at {width} pixels")
