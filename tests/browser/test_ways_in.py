"""Social login, several accounts, terms, restricted mode and plans, in Clerk's own components."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser import components

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.local_clerk import LocalClerk
    from tests.browser.visitor import Visitor

PLANS = {
    "enabled": True,
    "plans": [
        {"slug": "free", "name": "Free", "is_default": True},
        {"slug": "pro", "name": "Pro", "amount": 1900, "features": ["reports"]},
    ],
    "features": [{"slug": "reports", "name": "Reports"}],
}


def test_google_creates_an_account_and_later_signs_in_to_it(
    visit: Callable[..., Visitor], clerk: LocalClerk
) -> None:
    clerk.switch(social={"google": {"enabled": True}})
    first, second = visit(), visit()
    for visitor, entrance in ((first, "/signup"), (second, "/login")):
        visitor.go(entrance)
        visitor.page.get_by_role("button", name="Google").click()
        components.consent(visitor.page, "Ada King", first.email)
        visitor.arrive("/dashboard")
        expect(visitor.page.get_by_role("heading", name="Welcome, Ada King")).to_be_visible()
    assert len(clerk.backend("GET", f"/users?email_address={first.email}")) == 1


def test_denied_consent_signs_nobody_in(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(social={"google": {"enabled": True}})
    visitor.go("/login")
    visitor.page.get_by_role("button", name="Google").click()
    visitor.page.get_by_role("button", name="Cancel").click()
    visitor.page.wait_for_url(lambda url: "/login" in url)
    components.wait_for_component(visitor.page, "signIn")
    visitor.go("/dashboard")
    visitor.arrive("/login")


def test_one_browser_has_several_accounts(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(sessions={"multi_session": True})
    for name in ("Ada", "Bob"):
        visitor.enter(clerk.create_user(first_name=name))
    visitor.show("UserButton", {"afterSignOutUrl": "/"})
    page = visitor.page
    page.locator(".cl-userButtonTrigger").click()
    visitor.picture("two accounts")
    page.get_by_text("Ada", exact=True).click()
    visitor.arrive("/")
    visitor.go("/dashboard")
    expect(page.get_by_role("heading", name="Welcome, Ada")).to_be_visible()
    visitor.show("UserButton", {"afterSignOutUrl": "/"})
    page.locator(".cl-userButtonTrigger").click()
    page.get_by_text("Sign out of all accounts").click()
    visitor.arrive("/")
    page.get_by_role("link", name="Sign in").first.wait_for()


def test_terms_must_be_accepted(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(
        sign_up={"legal_consent_enabled": True}, application={"terms_url": "https://example.com/terms"}
    )
    visitor.go("/signup")
    page = visitor.page
    page.locator("input[name=legalAccepted]").check()
    visitor.picture("terms")
    components.sign_up(page, visitor.email)
    visitor.arrive("/dashboard")
    [user] = clerk.backend("GET", f"/users?email_address={visitor.email}")
    assert user["legal_accepted_at"]


def test_restricted_mode_blocks_sign_up(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(sign_up={"mode": "restricted"})
    visitor.go("/signup")
    expect(visitor.page.get_by_text("Access restricted")).to_be_visible()


def test_a_subscription_grants_a_feature(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(billing=PLANS)
    visitor.enter(clerk.create_user(first_name="Ada"))
    visitor.show("PricingTable")
    page = visitor.page
    page.get_by_role("button", name="Subscribe").click()
    page.get_by_role("button", name="Pay $19.00").wait_for()
    visitor.picture("checkout")
    page.get_by_role("button", name="Pay $19.00").click()
    page.get_by_text("Payment was successful!").wait_for()
    fresh = "Clerk.session.getToken({ skipCache: true })"
    assert page.evaluate(f"{fresh}.then(() => Clerk.session.checkAuthorization({{ feature: 'reports' }}))")
