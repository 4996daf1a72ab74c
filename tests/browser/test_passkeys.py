"""Passkeys in Clerk's own components, with a virtual authenticator of Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser import profile

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.local_clerk import LocalClerk
    from tests.browser.visitor import Visitor

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def add_virtual_authenticator(page: Page) -> None:
    """Let the browser have one that always agrees.

    Clerk.js says that robots have no passkeys, so the browser does not say that it is steered. Of people
    Clerk.js sends telemetry: that goes nowhere.
    """
    page.route(
        "https://clerk-telemetry.com/**",
        lambda route: route.fulfill(json={}, headers={"Access-Control-Allow-Origin": "*"}),
    )
    page.add_init_script("Object.defineProperty(Navigator.prototype, 'webdriver', { get: () => false })")
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})


def open_passkeys(visitor: Visitor) -> None:
    visitor.show("UserProfile", routing="hash")
    profile.open_security(visitor.page)


def test_a_passkey_is_added_renamed_used_and_removed(visitor: Visitor, clerk: LocalClerk) -> None:
    # With autofill, the virtual authenticator would sign in before the test clicks.
    clerk.switch(attributes={"passkey": {"enabled": True}}, passkeys={"allow_autofill": False})
    page = visitor.page
    add_virtual_authenticator(page)
    user = clerk.create_user(first_name="Ada")
    visitor.enter(user)
    open_passkeys(visitor)
    page.get_by_role("button", name="Add a passkey").click()
    profile.choose(page, "passkeys", "Passkey", "Rename")
    page.get_by_label("Name of passkey").fill("My laptop")
    page.get_by_role("button", name="Save").click()
    expect(profile.item(page, "passkeys", "My laptop")).to_be_visible()
    visitor.picture("passkey renamed")
    page.evaluate("Clerk.signOut()")
    visitor.show("SignIn", routing="hash", fallbackRedirectUrl="/dashboard")
    page.get_by_text("Use passkey instead").click()
    visitor.arrive("/dashboard")
    expect(page.get_by_role("heading", name="Welcome, Ada")).to_be_visible()
    open_passkeys(visitor)
    expect(profile.item(page, "passkeys", "Last used")).to_be_visible()
    profile.choose(page, "passkeys", "My laptop", "Remove")
    profile.confirm(page, "passkeys")
    expect(profile.item(page, "passkeys", "My laptop")).to_have_count(0)
    assert clerk.backend("GET", f"/users/{user['id']}")["passkeys"] == []
