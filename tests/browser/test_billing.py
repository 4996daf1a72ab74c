"""Plans and payments, in Clerk's own components. No card is charged."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser import mounting

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.local_clerk import LocalClerk
    from tests.browser.visitor import Visitor

PAY = re.compile(r"^(subscribe|pay \$|start)", re.IGNORECASE)
PLANS: list[dict[str, Any]] = [
    {"slug": "free", "name": "Free", "is_default": True},
    {"slug": "plus", "name": "Plus", "amount": 999, "features": ["export"]},
    {"slug": "pro", "name": "Pro", "amount": 9999},
    {"slug": "trial", "name": "Trial", "amount": 99900, "free_trial_days": 14},
]


@pytest.fixture
def ada(clerk: LocalClerk) -> dict[str, Any]:
    """Return a user. The instance has plans."""
    clerk.switch(billing={"enabled": True, "plans": PLANS})
    return clerk.create_user(first_name="Ada")


def start(page: Page, slug: str) -> Locator:
    """Choose a plan in the pricing table, and return the checkout."""
    page.locator(f".cl-pricingTableCard__{slug} .cl-pricingTableCardFooterButton").click()
    checkout = page.locator(".cl-checkout-root")
    expect(checkout.get_by_text("Checkout")).to_be_visible()
    return checkout


def subscribe(page: Page, slug: str, success: str = "Payment was successful!") -> None:
    checkout = start(page, slug)
    checkout.get_by_role("button", name=PAY).click()
    expect(checkout.get_by_text(success)).to_be_visible()
    checkout.get_by_role("button", name="Continue").click()
    expect(checkout).to_have_count(0)


def plan_of(visitor: Visitor, *slugs: str) -> list[str]:
    """Renew the session token, and return which of these plans it grants."""
    visitor.show("Nothing")
    visitor.page.evaluate("Clerk.session.getToken({ skipCache: true })")
    return [
        slug
        for slug in slugs
        if visitor.page.evaluate("plan => Clerk.session.checkAuthorization({ plan })", f"user:{slug}")
    ]


def table(visitor: Visitor) -> Page:
    visitor.show("PricingTable", newSubscriptionRedirectUrl=mounting.address("Nothing"))
    visitor.page.locator(".cl-pricingTable-root, .cl-pricingTable").first.wait_for()
    return visitor.page


def billing_page(visitor: Visitor) -> Page:
    visitor.show("UserProfile", routing="hash")
    visitor.page.get_by_role("button", name="Billing").click()
    visitor.page.locator(".cl-profileSectionContent__subscriptionsList").wait_for()
    return visitor.page


def test_a_signed_out_visitor_sees_plans_and_must_sign_in_to_subscribe(
    ada: dict[str, Any], visitor: Visitor
) -> None:
    assert ada["id"]
    visitor.show("PricingTable")
    page = visitor.page
    expect(page.get_by_role("heading", name="Plus")).to_be_visible()
    expect(page.get_by_text("Start 14-day free trial")).to_be_visible()
    visitor.picture("plans")
    page.locator(".cl-pricingTableCard__plus .cl-pricingTableCardFooterButton").click()
    visitor.arrive("/login")


def test_a_user_subscribes_upgrades_cancels_and_resubscribes(ada: dict[str, Any], visitor: Visitor) -> None:
    visitor.enter(ada)
    page = table(visitor)
    subscribe(page, "plus")
    assert plan_of(visitor, "plus", "pro") == ["plus"]
    page = table(visitor)
    subscribe(page, "pro")
    assert plan_of(visitor, "plus", "pro") == ["pro"]
    page = billing_page(visitor)
    listed = page.locator(".cl-profileSectionContent__subscriptionsList")
    listed.get_by_role("button", name="Manage").first.click()
    details = page.locator(".cl-subscriptionDetails-root")
    details.get_by_text("Cancel subscription").click()
    details.locator(".cl-drawerConfirmationRoot").get_by_role("button", name="Cancel subscription").click()
    expect(listed.get_by_text("Upcoming")).to_be_visible()
    visitor.picture("cancelled")
    page = table(visitor)
    page.locator(".cl-pricingTableCard__pro").get_by_role("button", name="Resubscribe").click()
    checkout = page.locator(".cl-checkout-root")
    checkout.get_by_role("button", name=PAY).click()
    expect(checkout.get_by_text("Success!")).to_be_visible()


def test_a_user_starts_and_cancels_a_trial(ada: dict[str, Any], visitor: Visitor) -> None:
    visitor.enter(ada)
    page = table(visitor)
    checkout = start(page, "trial")
    expect(checkout.get_by_text("Free trial", exact=True)).to_be_visible()
    expect(checkout.get_by_text("Total Due after trial ends in 14 days")).to_be_visible()
    checkout.get_by_role("button", name="Start free trial").click()
    expect(checkout.get_by_text("Trial successfully started!")).to_be_visible()
    expect(checkout.get_by_text("Trial ends on")).to_be_visible()
    visitor.picture("trial started")
    page = billing_page(visitor)
    listed = page.locator(".cl-profileSectionContent__subscriptionsList")
    expect(listed.get_by_text("Free trial", exact=True)).to_be_visible()
    listed.get_by_role("button", name="Manage").first.click()
    details = page.locator(".cl-subscriptionDetails-root")
    details.get_by_text("Cancel free trial").click()
    details.locator(".cl-drawerConfirmationRoot").get_by_role("button", name="Cancel free trial").click()
    expect(listed.get_by_text("Upcoming")).to_be_visible()


def test_payments_are_listed_including_a_declined_one(
    clerk: LocalClerk, ada: dict[str, Any], visitor: Visitor
) -> None:
    visitor.enter(ada)
    subscribe(table(visitor), "plus")
    clerk.switch(billing={"enabled": True, "plans": PLANS, "declines_payments": True})
    visitor.expect_error(422, "/confirm")
    checkout = start(table(visitor), "pro")
    checkout.get_by_role("button", name=PAY).click()
    expect(checkout.get_by_text("The card was declined.").first).to_be_visible()
    page = billing_page(visitor)
    page.get_by_role("tab", name="Payments").click()
    rows = page.locator(".cl-tableBody .cl-tableRow")
    expect(rows.filter(has_text="Failed")).to_have_count(1)
    visitor.picture("payments")
    page.get_by_role("tab", name="Statements").click()
    rows.first.click()
    statement = page.locator(".cl-statementRoot")
    expect(statement.get_by_text("Plus").first).to_be_visible()
    total = statement.locator(".cl-statementFooterValue").inner_text()
    statement.get_by_role("button", name="View payment").first.click()
    payment = page.locator(".cl-paymentAttemptRoot")
    expect(payment.locator(".cl-paymentAttemptHeaderBadge")).to_have_text("Paid", ignore_case=True)
    expect(payment.locator(".cl-paymentAttemptFooterValue")).to_have_text(total)
