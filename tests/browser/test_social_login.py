"""Social login, in Clerk's own components: what follows the provider's consent page."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.browser import components
from tests.browser import test_without_javascript as without_javascript
from tests.browser.custom_flows import CustomFlow
from tests.browser.test_profile import authenticator_code
from tests.browser.test_second_factors import SECRET, twice

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.local_clerk import LocalClerk
    from tests.browser.visitor import Visitor

GOOGLE = {"google": {"enabled": True}}


def leave_for_google(visitor: Visitor, entrance: str) -> Page:
    visitor.go(entrance)
    visitor.page.get_by_role("button", name="Google").click()
    return visitor.page


@pytest.mark.parametrize("entrance", ["/login", "/signup"])
def test_the_terms_are_accepted_before_the_account_is_created(
    visitor: Visitor, clerk: LocalClerk, entrance: str
) -> None:
    terms = {"terms_url": "https://example.com/terms"}
    clerk.switch(social=GOOGLE, sign_up={"legal_consent_enabled": True}, application=terms)
    visitor.go(entrance)
    page = visitor.page
    if entrance == "/signup":
        page.locator("input[name=legalAccepted]").check()
    page.get_by_role("button", name="Google").click()
    components.consent(page, "Ada King", visitor.email)
    if entrance == "/login":
        page.get_by_role("heading", name="Legal consent").wait_for()
        visitor.picture("legal consent")
        assert clerk.backend("GET", f"/users?email_address={visitor.email}") == []
        page.locator("input[name=legalAccepted]").check()
        components.proceed(page)
    visitor.arrive("/dashboard")
    [user] = clerk.backend("GET", f"/users?email_address={visitor.email}")
    assert user["legal_accepted_at"]


def test_missing_fields_are_asked_for(visitor: Visitor, clerk: LocalClerk) -> None:
    username = {"enabled": True, "required": True}
    clerk.switch(social=GOOGLE, attributes={"username": username, "password": {"required": False}})
    page = leave_for_google(visitor, "/login")
    components.consent(page, "Ada King", visitor.email)
    name = f"ada{time.time_ns()}"
    page.locator("input[name=username]").fill(name)
    visitor.picture("missing username")
    components.proceed(page)
    visitor.arrive("/dashboard")
    [user] = clerk.backend("GET", f"/users?email_address={visitor.email}")
    assert (user["username"], user["first_name"]) == (name, "Ada")


def test_an_email_address_the_provider_has_not_verified_is_verified_first(
    visitor: Visitor, clerk: LocalClerk
) -> None:
    clerk.switch(social=GOOGLE, attributes={"password": {"required": False}})
    page = leave_for_google(visitor, "/login")
    page.get_by_label("Google has verified this address").uncheck()
    components.consent(page, "Ada King", visitor.email)
    visitor.arrive("/__clerk/sign-up/verify")  # Clerk.js continues on the hosted pages here
    without_javascript.enter_code(page)
    visitor.arrive("/")
    visitor.go("/dashboard")
    visitor.arrive("/dashboard")


def test_an_existing_user_who_signs_up_is_signed_in(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(social=GOOGLE)
    user = clerk.create_user(first_name="Ada")
    page = leave_for_google(visitor, "/signup")
    components.consent(page, "Ada King", user["email"])
    visitor.arrive("/dashboard")
    components.wait_for_user_button(page)
    assert page.evaluate("Clerk.user.id") == user["id"]
    [account] = clerk.backend("GET", f"/users/{user['id']}")["external_accounts"]
    assert account["email_address"] == user["email"]


def test_a_second_factor_follows_social_login(visitor: Visitor, clerk: LocalClerk) -> None:
    user = twice(clerk, social=GOOGLE)
    page = leave_for_google(visitor, "/login")
    components.consent(page, "Ada King", user["email"])
    page.wait_for_url(lambda url: "factor-two" in url)
    components.enter_code(page, authenticator_code(SECRET))
    visitor.arrive("/dashboard")


@pytest.mark.parametrize("kind", ["signIn", "signUp"])
def test_denied_consent_is_reported(visitor: Visitor, clerk: LocalClerk, kind: str) -> None:
    clerk.switch(social=GOOGLE)
    visitor.show("Nothing")
    page, flow = visitor.page, CustomFlow(visitor.page, kind)
    with page.expect_navigation():
        flow.call("sso", strategy="oauth_google", redirectUrl="/", redirectCallbackUrl="/")
    page.get_by_role("button", name="Cancel").click()
    visitor.arrive("/")
    visitor.show("Nothing")
    visit = "it.firstFactorVerification" if kind == "signIn" else "it.verifications.externalAccount"
    assert flow.read(f"[{visit}.status, {visit}.error.code]") == ["failed", "oauth_access_denied"]
    assert page.evaluate("Clerk.user") is None
