"""Plans and subscriptions, without a payment provider."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from flask import Flask

from clerk_emulator.billing import period_end
from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import Organization, OrganizationMembership
from clerk_emulator.testing import Browser, ManualClock, error_of

FEATURES = ({"slug": "export", "name": "Export"},)
PLANS = (
    {"slug": "free", "name": "Free", "is_default": True},
    {"slug": "basic", "name": "Basic", "amount": 1000},
    {
        "slug": "pro",
        "name": "Pro",
        "amount": 3000,
        "annual_amount": 30000,
        "features": ["export", "audit"],
    },
    {"slug": "team", "name": "Team", "payer": "org", "amount": 5000, "features": ["export"]},
)


@pytest.fixture(autouse=True)
def turned_on(clerk: LocalClerk) -> None:
    billing = {"enabled": True, "plans": list(PLANS), "features": list(FEATURES)}
    clerk.source.replace({"billing": billing, "organizations": {"enabled": True}})


def check_out(browser: Browser, slug: str, period: str = "month", at: str = "/me") -> Any:
    kind = "user" if at == "/me" else "org"
    form = {"plan_id": f"cplan_{kind}_{slug}", "plan_period": period}
    return browser.post(f"{at}/billing/checkouts", **form).get_json()["response"]


def change(browser: Browser, slug: str, period: str = "month", at: str = "/me") -> Any:
    id = check_out(browser, slug, period, at)["id"]
    answer = browser.post(f"{at}/billing/checkouts/{id}/confirm", "PATCH", use_test_card="true")
    assert answer.status_code == 200
    return answer.get_json()["response"]


def items(browser: Browser, at: str = "/me") -> list[tuple[str, str, bool]]:
    subscription = browser.get(f"{at}/billing/subscription").get_json()["response"]
    return [
        (item["plan"]["slug"], item["status"], item["canceled_at"] is not None)
        for item in subscription["subscription_items"]
    ]


def claims(browser: Browser) -> dict[str, Any]:
    token = browser.post(f"/client/sessions/{browser.session()['id']}/tokens").get_json()["jwt"]
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


def paid(browser: Browser, at: str = "/me") -> list[int]:
    payments = browser.get(f"{at}/billing/payment_attempts").get_json()["data"]
    return [payment["amount"]["amount"] for payment in payments]


def later(browser: Browser, clock: ManualClock, *, days: int) -> None:
    """Ada comes back, and signs in again."""
    clock.forward(seconds=days * 24 * 3600)
    browser.sign_in("ada@example.com")


def join(clerk: LocalClerk, browser: Browser, role: str) -> str:
    user = browser.session()["user"]["id"]
    clerk.store.put(Organization("org_a", 1, 1, "Acme", "acme"))
    clerk.store.put(OrganizationMembership(f"om_{user}", 1, 1, "org_a", user, role))
    return "/organizations/org_a"


def test_plans_are_public(browser: Browser) -> None:
    plans = browser.get("/billing/plans", payer_type="user").get_json()
    names = [plan["name"] for plan in plans["data"]]
    (team,) = browser.get("/billing/plans", payer_type="org").get_json()["data"]
    pro = browser.get("/billing/plans/cplan_user_pro").get_json()
    assert names == ["Free", "Basic", "Pro"]
    assert team["for_payer_type"] == "org"
    assert pro["fee"]["amount_formatted"] == "30.00"
    assert pro["annual_monthly_fee"]["amount"] == 2500
    assert [feature["name"] for feature in pro["features"]] == ["Export", "audit"]


def test_everyone_starts_with_the_default_plan(ada: Browser) -> None:
    assert items(ada) == [("free", "active", False)]
    assert claims(ada)["pla"] == "u:free"


def test_a_user_subscribes_to_a_plan_and_pays(ada: Browser) -> None:
    done = change(ada, "pro")
    (statement,) = ada.get("/me/billing/statements").get_json()["response"]["data"]
    same = ada.get(f"/me/billing/statements/{statement['id']}").get_json()["response"]
    assert done["status"] == "completed"
    assert items(ada) == [("pro", "active", False)]
    assert claims(ada)["pla"] == "u:pro"
    assert claims(ada)["fea"] == "u:export,u:audit"
    assert paid(ada) == [3000]
    assert same["groups"][0]["items"][0]["subscription_item"]["plan"]["slug"] == "pro"


def test_a_more_expensive_plan_starts_at_once_and_credits_the_old_one(
    ada: Browser, clock: ManualClock
) -> None:
    change(ada, "basic")
    later(ada, clock, days=15)
    shown = check_out(ada, "pro")
    change(ada, "pro")
    credit = shown["totals"]["credit"]["amount"]
    assert shown["is_immediate_plan_change"] is True
    assert 400 <= credit <= 600
    assert paid(ada) == [3000 - credit, 1000]
    assert items(ada) == [("pro", "active", False)]


def test_a_cheaper_plan_starts_when_the_more_expensive_one_ends(
    ada: Browser, clock: ManualClock
) -> None:
    change(ada, "pro")
    shown = check_out(ada, "basic")
    change(ada, "basic")
    before = items(ada)
    later(ada, clock, days=32)
    assert shown["is_immediate_plan_change"] is False
    assert shown["needs_payment_method"] is False
    assert before == [("pro", "active", True), ("basic", "upcoming", False)]
    assert items(ada) == [("basic", "active", False)]
    assert paid(ada) == [1000, 3000]


def test_a_subscription_is_canceled_and_resumed(ada: Browser, clock: ManualClock) -> None:
    change(ada, "pro")
    subscription = ada.get("/me/billing/subscription").get_json()["response"]
    id = subscription["subscription_items"][0]["id"]
    ada.post(f"/me/billing/subscription_items/{id}", "DELETE")
    canceled = items(ada)
    change(ada, "pro")
    again = items(ada)
    ada.post(f"/me/billing/subscription_items/{id}", "DELETE")
    later(ada, clock, days=32)
    assert canceled == [("pro", "active", True), ("free", "upcoming", False)]
    assert again == [("pro", "active", False)]
    assert items(ada) == [("free", "active", False)]
    assert claims(ada)["pla"] == "u:free"
    assert paid(ada) == [3000]


def test_a_subscription_is_renewed(ada: Browser, clock: ManualClock) -> None:
    change(ada, "pro", "annual")
    later(ada, clock, days=800)
    assert items(ada) == [("pro", "active", False)]
    assert paid(ada) == [30000, 30000, 30000]


def test_an_organization_subscribes(clerk: LocalClerk, emulator: Flask, ada: Browser) -> None:
    at = join(clerk, ada, "org:admin")
    bob = Browser(emulator)
    bob.sign_up("bob@example.com")
    join(clerk, bob, "org:member")
    change(ada, "team", at=at)
    ada.post(f"/client/sessions/{ada.session()['id']}/touch", active_organization_id="org_a")
    form = {"plan_id": "cplan_org_team", "plan_period": "month"}
    refused = bob.post(f"{at}/billing/checkouts", **form)
    assert items(bob, at) == [("team", "active", False)]
    assert error_of(refused)[:2] == (403, "missing_organization_permission")
    assert claims(ada)["pla"] == "o:team"
    assert claims(ada)["fea"] == "o:export"


def test_users_cannot_access_subscriptions_of_others(
    clerk: LocalClerk, emulator: Flask, ada: Browser
) -> None:
    at = join(clerk, ada, "org:admin")
    checkout = check_out(ada, "pro")
    change(ada, "basic")
    subscription = ada.get("/me/billing/subscription").get_json()["response"]
    item = subscription["subscription_items"][0]["id"]
    payment = ada.get("/me/billing/payment_attempts").get_json()["data"][0]["id"]
    bob = Browser(emulator)
    bob.sign_up("bob@example.com")
    answers = [
        bob.get(f"{at}/billing/subscription"),
        bob.post(f"/me/billing/checkouts/{checkout['id']}/confirm", "PATCH"),
        bob.post(f"/me/billing/subscription_items/{item}", "DELETE"),
        bob.get(f"/me/billing/payment_attempts/{payment}"),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert items(bob) == [("free", "active", False)]


def test_a_checkout_is_confirmed_once(ada: Browser) -> None:
    id = change(ada, "pro")["id"]
    answer = ada.post(f"/me/billing/checkouts/{id}/confirm", "PATCH")
    assert error_of(answer)[:2] == (409, "checkout_already_completed")
    assert paid(ada) == [3000]


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({}, "plan_not_found"),
        ({"plan_id": "cplan_user_gold"}, "plan_not_found"),
        ({"plan_id": "cplan_org_team"}, "plan_not_found"),
        ({"plan_id": "cplan_user_free"}, "plan_already_active"),
        ({"plan_id": "cplan_user_basic", "plan_period": "annual"}, "form_param_value_invalid"),
        ({"plan_id": "cplan_user_basic", "plan_period": "week"}, "form_param_value_invalid"),
    ],
)
def test_an_unknown_plan_is_rejected(ada: Browser, form: dict[str, str], code: str) -> None:
    assert error_of(ada.post("/me/billing/checkouts", **form))[1] == code


def test_a_month_may_be_short() -> None:
    last_of_january = 1_769_860_800_000
    assert period_end(last_of_january, "month") - last_of_january == 28 * 24 * 3_600_000


def test_plans_are_unavailable_while_billing_is_disabled(clerk: LocalClerk, ada: Browser) -> None:
    clerk.source.replace({})
    assert error_of(ada.get("/billing/plans"))[:2] == (403, "billing_not_enabled")
    assert error_of(ada.get("/me/billing/subscription"))[:2] == (403, "billing_not_enabled")
    assert "pla" not in claims(ada)


def test_there_is_one_card_that_is_never_charged(ada: Browser) -> None:
    (card,) = ada.get("/me/billing/payment_methods").get_json()["response"]["data"]
    default = ada.post("/me/billing/payers/default_payment_method", "PUT")
    added = [
        ada.post("/me/billing/payment_methods"),
        ada.post("/me/billing/payment_methods/initialize"),
    ]
    assert (card["last4"], card["is_default"], card["is_removable"]) == ("4242", True, False)
    assert default.get_json()["response"]["id"] == card["id"]
    assert {error_of(answer)[1] for answer in added} == {"payment_methods_not_available"}


def test_credit_is_always_zero(ada: Browser) -> None:
    balance = ada.get("/me/billing/credits").get_json()["response"]["balance"]
    history = ada.get("/me/billing/credits/history").get_json()["response"]
    assert balance["amount"] == 0
    assert history == {"data": [], "total_count": 0}


def test_there_are_no_promo_codes(ada: Browser) -> None:
    path = f"/me/billing/checkouts/{check_out(ada, 'pro')['id']}"
    assert ada.post(path, "PATCH").get_json()["response"]["status"] == "needs_confirmation"
    assert error_of(ada.post(path, "PATCH", promo_code="FREE"))[1] == "promo_code_invalid"


@pytest.mark.parametrize("path", ["subscription", "statements", "payment_attempts", "credits"])
def test_a_signed_out_browser_sees_no_subscription(browser: Browser, path: str) -> None:
    assert browser.get(f"/me/billing/{path}").status_code == 401
