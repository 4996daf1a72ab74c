"""Free trials, declined payments and invalid changes of plan, in the browser and on the server."""

from __future__ import annotations

from typing import Any

import pytest

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import User
from clerk_emulator.testing import Backend, Browser, ManualClock, error_of

from .test_emulator_billing import change, check_out, items, later, paid

DAY_MS = 24 * 3_600_000
PLANS: tuple[dict[str, Any], ...] = (
    {"slug": "free", "name": "Free", "is_default": True},
    {"slug": "plus", "name": "Plus", "amount": 1000, "annual_amount": 9600},
    {"slug": "pro", "name": "Pro", "amount": 3000, "annual_amount": 30000},
    {"slug": "trial", "name": "Trial", "amount": 5000, "free_trial_days": 14},
)


def switch(clerk: LocalClerk, **more: Any) -> None:
    clerk.source.replace({"billing": {"enabled": True, "plans": list(PLANS)} | more})


@pytest.fixture(autouse=True)
def turned_on(clerk: LocalClerk) -> None:
    switch(clerk)


def only(browser: Browser) -> dict[str, Any]:
    """The only item of the subscription."""
    subscription = browser.get("/me/billing/subscription").get_json()["response"]
    (item,) = subscription["subscription_items"]
    found: dict[str, Any] = item
    return found


def may_try(browser: Browser) -> bool:
    subscription = browser.get("/me/billing/subscription").get_json()["response"]
    return bool(subscription["eligible_for_free_trial"])


def test_a_trial_costs_nothing_until_it_ends(ada: Browser, clock: ManualClock) -> None:
    assert may_try(ada)
    checkout = check_out(ada, "trial")
    assert checkout["totals"]["total_due_now"]["amount"] == 0
    assert checkout["totals"]["total_due_after_free_trial"]["amount"] == 5000
    assert checkout["free_trial_ends_at"] == clock.now + 14 * DAY_MS
    change(ada, "trial")
    assert (only(ada)["is_free_trial"], only(ada)["period_end"]) == (True, clock.now + 14 * DAY_MS)
    assert (paid(ada), may_try(ada)) == ([], False)
    later(ada, clock, days=14)
    assert (only(ada)["is_free_trial"], paid(ada)) == (False, [5000])


def test_a_trial_is_canceled_and_then_paid_for(ada: Browser) -> None:
    change(ada, "trial")
    ada.post(f"/me/billing/subscription_items/{only(ada)['id']}", "DELETE")
    assert items(ada) == [("trial", "active", True), ("free", "upcoming", False)]
    assert check_out(ada, "trial")["totals"]["total_due_now"]["amount"] == 5000
    change(ada, "trial")
    assert (items(ada), paid(ada)) == ([("trial", "active", False)], [5000])
    assert only(ada)["is_free_trial"] is False


def test_another_plan_ends_a_trial_at_once(ada: Browser) -> None:
    change(ada, "trial")
    change(ada, "plus")
    assert (items(ada), paid(ada)) == ([("plus", "active", False)], [1000])


def test_an_annual_subscriber_cannot_switch_to_a_more_expensive_monthly_plan(ada: Browser) -> None:
    change(ada, "plus", "annual")
    form = {"plan_id": "cplan_user_pro", "plan_period": "month"}
    answer = ada.post("/me/billing/checkouts", **form)
    assert error_of(answer) == (400, "invalid_plan_change", None)
    meta = answer.get_json()["errors"][0]["meta"]
    assert (meta["plan"]["name"], meta["is_plan_upgrade_possible"]) == ("Pro", True)
    assert meta["plan"]["annual_monthly_amount_formatted"] == "25.00"
    assert change(ada, "pro", "annual")["status"] == "completed"


def test_a_declined_payment_changes_nothing_and_is_recorded(
    clerk: LocalClerk, ada: Browser
) -> None:
    switch(clerk, declines_payments=True)
    id = check_out(ada, "plus")["id"]
    answer = ada.post(f"/me/billing/checkouts/{id}/confirm", "PATCH")
    assert error_of(answer)[:2] == (422, "payment_attempt_failed_card_declined")
    assert items(ada) == [("free", "active", False)]
    (attempt,) = ada.get("/me/billing/payment_attempts").get_json()["data"]
    assert (attempt["status"], attempt["subscription_item"]["plan"]["slug"]) == ("failed", "plus")
    assert ada.get("/me/billing/statements").get_json()["response"]["data"] == []
    assert may_try(ada)
    switch(clerk)
    assert ada.post(f"/me/billing/checkouts/{id}/confirm", "PATCH").status_code == 200


def test_subscribing_requires_an_email_address(clerk: LocalClerk, ada: Browser) -> None:
    (user,) = clerk.store.find(User)
    user.primary_email_address_id = None
    clerk.store.put(user)
    form = {"plan_id": "cplan_user_plus", "plan_period": "month"}
    assert error_of(ada.post("/me/billing/checkouts", **form))[1] == "missing_payer_email"


def test_the_apps_server_sees_and_ends_subscriptions(backend: Backend, ada: Browser) -> None:
    plans = backend.get("/billing/plans", payer_type="user").get_json()
    assert plans["total_count"] == len(PLANS)
    change(ada, "plus")
    path = f"/users/{ada.session()['user']['id']}/billing/subscription"
    (item,) = backend.get(path).get_json()["subscription_items"]
    assert (item["plan"]["slug"], item["status"]) == ("plus", "active")
    ended = backend.send("DELETE", f"/billing/subscription_items/{item['id']}?end_now=true")
    assert ended.get_json()["status"] == "ended"
    assert items(ada) == [("free", "active", False)]
    assert backend.get("/users/user_none/billing/subscription").status_code == 404
    assert backend.send("DELETE", "/billing/subscription_items/none").status_code == 404


def test_the_apps_server_extends_a_trial(
    backend: Backend, ada: Browser, clock: ManualClock
) -> None:
    change(ada, "trial")
    path = f"/billing/subscription_items/{only(ada)['id']}/extend_free_trial"
    until = clock.now + 30 * DAY_MS
    assert backend.send("POST", path, extend_to=until).get_json()["period_end"] == until
    for wrong in (clock.now, clock.now + 500 * DAY_MS):
        assert error_of(backend.send("POST", path, extend_to=wrong))[0] == 422
