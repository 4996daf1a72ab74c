"""Sessions in a browser: several tabs, several accounts, and how sessions end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser import components

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.local_clerk import LocalClerk
    from tests.browser.visitor import Visitor

SIGNED_OUT = "() => window.Clerk?.loaded && Clerk.user === null"
FRESH_TOKEN = "() => Clerk.session.getToken({ skipCache: true }).catch(() => null)"


def other_tab(visitor: Visitor, path: str) -> Page:
    """Open another tab of the same browser."""
    page = visitor.page.context.new_page()
    page.goto(f"{visitor.site}{path}")
    page.wait_for_function("() => window.Clerk?.loaded && Clerk.user")
    return page


def session_id(visitor: Visitor) -> str:
    return str(visitor.page.evaluate("() => Clerk.session.id"))


def test_signing_out_in_one_tab_signs_out_the_other(visitor: Visitor, clerk: LocalClerk) -> None:
    visitor.enter_by_clerk_js(clerk.create_user())
    tab = other_tab(visitor, "/dashboard")
    tab.evaluate("() => Clerk.signOut()")
    visitor.page.wait_for_function(SIGNED_OUT)
    visitor.go("/dashboard")
    visitor.arrive("/login")


def test_tabs_share_a_token(visitor: Visitor, clerk: LocalClerk) -> None:
    visitor.enter_by_clerk_js(clerk.create_user())
    tab = other_tab(visitor, "/dashboard")
    for page in (visitor.page, tab):
        page.evaluate("() => Clerk.session.clearCache()")
    asked: list[str] = []
    visitor.page.context.on(
        "request", lambda request: asked.append(request.url) if "/tokens" in request.url else None
    )
    token = visitor.page.evaluate(FRESH_TOKEN)
    tab.wait_for_function("async token => (await Clerk.session.getToken()) === token", arg=token)
    assert visitor.page.evaluate("() => Clerk.session.getToken()") == token
    assert len(asked) <= 2  # both tabs also poll, but neither requests a token that is cached


def session_cookies(visitor: Visitor) -> set[str]:
    """Return the values of the browser's session cookies."""
    cookies = visitor.page.context.cookies(visitor.site)
    return {cookie["value"] for cookie in cookies if cookie["name"].startswith("__session")}


def test_a_token_is_renewed_while_a_page_is_open(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(sessions={"token_seconds": 20})
    visitor.enter(clerk.create_user())
    visitor.go("/dashboard")
    before = session_cookies(visitor)
    with visitor.page.expect_response(lambda answer: "/tokens" in answer.url and answer.ok):
        pass  # Clerk.js renews the token by itself before it expires
    visitor.page.wait_for_function(
        "old => !old.some(token => document.cookie.includes(token))", arg=[*before]
    )
    visitor.go("/dashboard")
    expect(visitor.page.get_by_role("heading", name="Welcome")).to_be_visible()


def test_a_token_that_expired_while_no_page_was_open_is_renewed_by_a_handshake(
    visitor: Visitor, clerk: LocalClerk
) -> None:
    clerk.ask("POST", "/emulator/clock", {"advance_seconds": -3600})
    visitor.enter_by_clerk_js(clerk.create_user())
    visitor.page.goto("about:blank")
    clerk.ask("DELETE", "/emulator/clock")
    expired = session_cookies(visitor)
    handshakes: list[str] = []
    visitor.page.on(
        "request", lambda asked: handshakes.append(asked.url) if "/handshake?" in asked.url else None
    )
    visitor.go("/dashboard")
    expect(visitor.page.get_by_role("heading", name="Welcome")).to_be_visible()
    assert len(handshakes) == 1
    assert expired.isdisjoint(session_cookies(visitor))


@pytest.mark.parametrize("way", ["revoked", "deleted", "expired", "unused"])
def test_a_session_that_ended_elsewhere_signs_out_this_tab(
    visitor: Visitor, clerk: LocalClerk, way: str
) -> None:
    clerk.switch(sessions={"inactivity_timeout_seconds": 3 * 24 * 3600})
    user = clerk.create_user()
    visitor.enter_by_clerk_js(user)
    if way == "revoked":
        clerk.backend("POST", f"/sessions/{session_id(visitor)}/revoke")
    elif way == "deleted":
        clerk.backend("DELETE", f"/users/{user['id']}")
    else:
        days = 8 if way == "expired" else 4
        clerk.ask("POST", "/emulator/clock", {"advance_seconds": days * 24 * 3600})
    visitor.expect_error(401, "/tokens")
    visitor.page.evaluate(FRESH_TOKEN)
    visitor.page.wait_for_function(SIGNED_OUT)
    visitor.go("/dashboard")
    visitor.arrive("/login")


def test_a_profile_signs_out_another_browser(
    visitor: Visitor, visit: Callable[..., Visitor], clerk: LocalClerk
) -> None:
    user = clerk.create_user()
    elsewhere = visit()
    elsewhere.enter_by_clerk_js(user)
    visitor.enter(user)
    visitor.go("/profile")
    page = visitor.page
    page.get_by_role("button", name="Security").click()
    section = page.locator(".cl-profileSection__activeDevices")
    expect(section.locator(".cl-activeDevice")).to_have_count(2)
    section.get_by_role("button").last.click()
    with page.expect_response(lambda answer: answer.url.partition("?")[0].endswith("/revoke")):
        page.get_by_role("menuitem", name="Sign out of device").click()
    page.reload()
    expect(section.locator(".cl-activeDevice")).to_have_count(1)
    elsewhere.expect_error(401, "/tokens")
    elsewhere.page.evaluate(FRESH_TOKEN)
    elsewhere.page.wait_for_function(SIGNED_OUT)


def test_accounts_are_added_switched_and_signed_out_one_by_one(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(sessions={"multi_session": True})
    ada, bob = (clerk.create_user(first_name=name) for name in ("Ada", "Bob"))
    page = visitor.page
    visitor.enter(ada)
    visitor.show("SignIn", routing="hash")
    components.sign_in(page, bob["email"])
    visitor.arrive("/dashboard")
    expect(page.get_by_role("heading", name="Welcome, Bob")).to_be_visible()

    # An account that is already signed in needs no password.
    visitor.expect_error(400, "/sign_ins")
    visitor.show("SignIn", routing="hash")
    components.fill_identifier(page, ada["email"])
    visitor.arrive("/dashboard")
    expect(page.get_by_role("heading", name="Welcome, Ada")).to_be_visible()

    visitor.show("UserButton", {"afterSignOutUrl": "/", "afterMultiSessionSingleSignOutUrl": "/profile"})
    page.locator(".cl-userButtonTrigger").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    visitor.arrive("/profile")
    visitor.show("Nothing")
    emails = page.evaluate("() => Clerk.client.sessions.map(s => s.user.primaryEmailAddress.emailAddress)")
    assert emails == [bob["email"]]


def test_a_new_session_starts_with_the_last_active_organization(
    visitor: Visitor, visit: Callable[..., Visitor], clerk: LocalClerk
) -> None:
    clerk.switch(organizations={"enabled": True})
    user: dict[str, Any] = clerk.create_user()
    ids = [
        clerk.backend("POST", "/organizations", name=f"{name} {time.time_ns()}", created_by=user["id"])["id"]
        for name in ("First", "Second")
    ]
    visitor.enter_by_clerk_js(user)
    assert visitor.page.evaluate("() => Clerk.organization.id") == ids[1]
    visitor.page.evaluate("id => Clerk.setActive({ organization: id })", ids[0])
    elsewhere = visit()
    elsewhere.enter_by_clerk_js(user)
    assert elsewhere.page.evaluate("() => Clerk.organization.id") == ids[0]
