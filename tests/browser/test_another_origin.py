"""The app while Clerk is on another origin, as every real Clerk is: nothing is proxied."""

from __future__ import annotations

import re
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
    """Return an app on localhost whose Clerk is on 127.0.0.1."""
    with second_site(CLERK_PROXY_URL="http://127.0.0.1:{clerk}") as site:
        yield site


@pytest.fixture(scope="module")
def site(running: SecondSite) -> str:
    return running.url


@pytest.fixture
def clerk(running: SecondSite) -> Iterator[LocalClerk]:
    yield from watched(running.clerk, running.log)


def create_user(clerk: LocalClerk, email: str) -> str:
    """Create a user with a password, and return the ID."""
    body = {"email_address": [email], "password": components.PASSWORD, "skip_password_checks": True}
    return str(clerk.ask("POST", "/api/v1/users", body)["id"])


def handshakes(visitor: Visitor, clerk: LocalClerk) -> list[str]:
    """Record the handshakes to which the browser is redirected from now on."""
    seen: list[str] = []

    def record(url: str) -> None:
        if url.startswith(f"{clerk.url}/v1/client/handshake"):
            seen.append(url)

    visitor.page.on("request", lambda request: record(request.url))
    return seen


def test_a_form_may_end_in_a_handshake(visitor: Visitor, clerk: LocalClerk) -> None:
    page = visitor.page
    visitor.go("/signup")
    components.sign_up(page, visitor.email)
    visitor.arrive("/dashboard")
    components.wait_for_user_button(page)

    seen = handshakes(visitor, clerk)
    components.sign_out(page)
    visitor.arrive("/")
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()
    assert len(seen) == 1
    visitor.go("/dashboard")
    visitor.arrive("/login")


def test_sign_in_and_profile_work(visitor: Visitor, clerk: LocalClerk) -> None:
    create_user(clerk, visitor.email)
    page = visitor.page
    visitor.go("/dashboard")
    visitor.arrive("/login")
    components.sign_in(page, visitor.email)
    visitor.arrive("/dashboard")
    visitor.go("/profile")
    components.wait_for_component(page, "userProfile")
    expect(page.locator("main")).to_contain_text(visitor.email)


def test_the_account_portal_leads_back(visit: Callable[..., Visitor], clerk: LocalClerk) -> None:
    """Without JavaScript, sign-up and sign-out happen on Clerk's own origin."""
    visitor = visit(javascript=False)
    page = visitor.page
    visitor.go("/signup")
    page.get_by_role("link", name="Sign up without JavaScript").click()
    page.wait_for_url(f"{clerk.url}/sign-up*")
    page.get_by_label("Email address").fill(visitor.email)
    page.get_by_label("Password").fill(components.PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Verification code").fill(components.CODE)
    page.get_by_role("button", name="Verify").click()
    visitor.arrive("/dashboard")
    components.sign_out(page)
    visitor.arrive("/")
    visitor.go("/dashboard")
    visitor.arrive("/login")


def test_the_dashboard_of_the_local_clerk_signs_in(visitor: Visitor, clerk: LocalClerk) -> None:
    user_id = create_user(clerk, visitor.email)
    page = visitor.page
    page.goto(f"{clerk.url}/dashboard/users/{user_id}")
    page.get_by_role("button", name="Sign in as").click()
    visitor.arrive("/dashboard")
    expect(page.locator("main")).to_contain_text(visitor.email)


def test_pages_of_another_site_cannot_use_the_local_clerk(visitor: Visitor, clerk: LocalClerk) -> None:
    """A form on another site can't change anything, and a script there reads nothing."""
    user_id = create_user(clerk, visitor.email)
    page = visitor.page
    page.goto(f"{clerk.url}/dashboard/users/{user_id}")  # sets the dashboard's cookies
    page.context.route("http://localhost:9/*", lambda route: route.fulfill(body="<p>Another site</p>"))
    page.goto("http://localhost:9/")
    read = """async (url) => {
      try { return (await fetch(url, { credentials: "include" })).status; } catch { return "blocked"; }
    }"""
    visitor.expect_error(400, clerk.url)
    for path in ("/dashboard/users", "/v1/environment", "/api/v1/users", "/emulator/settings"):
        assert page.evaluate(read, clerk.url + path) == "blocked"
    with page.expect_navigation() as navigation:
        page.evaluate(
            """(action) => {
              const form = Object.assign(document.createElement("form"), { method: "post", action });
              document.body.append(form);
              form.submit();
            }""",
            f"{clerk.url}/dashboard/users/{user_id}/delete",
        )
    assert navigation.value.status == 400
    assert clerk.ask("GET", f"/api/v1/users/{user_id}")["id"] == user_id
    assert urlsplit(page.url).netloc == urlsplit(clerk.url).netloc
    visitor.problems = [problem for problem in visitor.problems if not re.search("CORS|ERR_FAILED", problem)]
