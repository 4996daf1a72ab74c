"""The app below a path, such as https://example.com/crm, with Clerk's own components."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser import components
from tests.browser.conftest import SecondSite, watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.browser.local_clerk import LocalClerk
    from tests.browser.visitor import Visitor


@pytest.fixture(scope="module")
def running(second_site: Callable[..., AbstractContextManager[SecondSite]]) -> Iterator[SecondSite]:
    with second_site("/crm", APP_URL="http://localhost:{app}/crm") as site:
        yield site


@pytest.fixture(scope="module")
def site(running: SecondSite) -> str:
    return running.url


@pytest.fixture
def clerk(running: SecondSite) -> Iterator[LocalClerk]:
    yield from watched(running.clerk, running.log)


def test_an_account_below_a_path(visitor: Visitor) -> None:
    page = visitor.page
    elsewhere: list[str] = []

    def check(url: str) -> None:
        if url.startswith("http") and not f"{urlsplit(url).path}/".startswith("/crm/"):
            elsewhere.append(url)

    page.on("request", lambda request: check(request.url))
    visitor.go("/")
    page.get_by_role("link", name="Sign up").first.click()
    visitor.arrive("/crm/signup")
    components.sign_up(page, visitor.email)
    visitor.arrive("/crm/dashboard")
    expect(page.locator("main")).to_contain_text(visitor.email)
    components.wait_for_user_button(page)
    components.sign_out(page)
    visitor.arrive("/crm/")

    visitor.go("/profile")
    visitor.arrive("/crm/login")
    components.fill_identifier(page, visitor.email)
    visitor.arrive("/crm/login/factor-one")
    components.fill_password(page)
    visitor.arrive("/crm/profile")
    components.wait_for_component(page, "userProfile")

    visitor.go("/dashboard")
    page.locator(".cl-userButtonTrigger").click()
    page.get_by_role("button", name="Sign out").last.click()
    visitor.arrive("/crm/")
    visitor.go("/dashboard")
    visitor.arrive("/crm/login")
    assert elsewhere == []


def test_without_javascript_below_a_path(visit: Callable[..., Visitor]) -> None:
    visitor = visit(javascript=False)
    page = visitor.page
    visitor.go("/dashboard")
    visitor.arrive("/crm/login")
    page.get_by_role("link", name="Sign in without JavaScript").click()
    visitor.arrive("/crm/__clerk/sign-in")
    page.get_by_role("link", name="Sign up").click()
    page.get_by_label("Email address").fill(visitor.email)
    page.get_by_label("Password").fill(components.PASSWORD)
    page.get_by_role("button", name="Continue").click()
    visitor.arrive("/crm/__clerk/sign-up/verify")
    page.get_by_label("Verification code").fill(components.CODE)
    page.get_by_role("button", name="Verify").click()
    visitor.arrive("/crm/dashboard")
    components.sign_out(page)
    visitor.arrive("/crm/")
