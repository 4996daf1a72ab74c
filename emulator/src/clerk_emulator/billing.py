"""Plans, and who has which. Nobody is charged: payments succeed by themselves."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime

from .billing_events import tell_item, tell_payment, tell_subscription
from .clerk import LocalClerk
from .errors import ClerkError, invalid, not_found
from .plans import Payer, default_plan, plan_id, plan_of, plan_with, plans_for, price
from .resources import PaymentAttempt, SubscriptionItem, new_id
from .settings.model import Plan

__all__ = [
    "DAY_MS",
    "PERIODS",
    "Payer",
    "active_item",
    "active_plan",
    "cancel_item",
    "default_plan",
    "extend_free_trial",
    "may_try",
    "pay",
    "period_end",
    "plan_id",
    "plan_of",
    "plan_with",
    "plans_for",
    "price",
    "require_billing",
    "save_item",
    "settle",
    "stop_item",
    "subscribe",
    "subscription_items",
]

DAY_MS = 24 * 3_600_000
PERIODS = {"month": 1, "annual": 12}
"""Months in each period."""
MAX_RENEWALS = 120
OVER = ("ended", "incomplete")
"""The statuses of what is no plan any more, or never was one."""


def require_billing(clerk: LocalClerk) -> None:
    """Refuse everything about plans while they are switched off.

    :raises ClerkError: 403 ``billing_not_enabled``.
    """
    if not clerk.settings.billing.enabled:
        raise ClerkError("billing_not_enabled", "Billing is not enabled for this instance.", 403)


def active_plan(clerk: LocalClerk, payer: Payer) -> Plan | None:
    """The plan that a payer has now; None without billing, or without any plan."""
    if not clerk.settings.billing.enabled:
        return None
    item = active_item(clerk, payer)
    return plan_of(clerk, payer, item) if item else default_plan(clerk, payer.kind)


def active_item(clerk: LocalClerk, payer: Payer) -> SubscriptionItem | None:
    """What a payer has subscribed to, beside the default plan."""
    current = subscription_items(clerk, payer)
    return next((item for item in current if item.status == "active"), None)


def subscription_items(clerk: LocalClerk, payer: Payer) -> list[SubscriptionItem]:
    """What a payer has, and will have: brought up to the present before."""
    settle(clerk, payer)
    items = clerk.store.find(SubscriptionItem, payer_id=payer.id)
    return [item for item in items if item.status not in OVER]


def settle(clerk: LocalClerk, payer: Payer) -> None:
    """End, begin and renew what has come due since anybody looked."""
    found = clerk.store.find(SubscriptionItem, payer_id=payer.id)
    changed = [item for item in found if _bring_up_to_date(clerk, payer, item)]
    if changed:
        tell_subscription(clerk, payer)


def _bring_up_to_date(clerk: LocalClerk, payer: Payer, item: SubscriptionItem) -> bool:
    """Whether anything had come due."""
    now, changes = clerk.now, []
    if item.status == "upcoming" and item.period_start <= now:
        item.status = "active"
        _charge(clerk, payer, item)
        changes.append("active")
    for _ in range(MAX_RENEWALS):
        if item.status != "active" or item.period_end > now:
            break
        if item.canceled_at is not None:
            item.status = "ended"
            changes.append("ended")
        else:
            item.period_start = item.period_end
            item.period_end = period_end(item.period_start, item.plan_period)
            item.is_free_trial = False
            _charge(clerk, payer, item)
            changes.append("updated")
    for what in changes:
        save_item(clerk, payer, item, what)
    return bool(changes)


def save_item(clerk: LocalClerk, payer: Payer, item: SubscriptionItem, what: str) -> None:
    """Store what a payer has, and tell the app.

    :param what: ``created``, ``active``, ``upcoming``, ``updated``, ``canceled`` or ``ended``.
    """
    item.updated_at = clerk.now
    clerk.store.put(item)
    tell_item(clerk, payer, item, what)


def subscribe(
    clerk: LocalClerk,
    payer: Payer,
    plan: Plan,
    period: str,
    start: int,
    trial_ends: int | None = None,
) -> SubscriptionItem:
    """Let a payer have a plan, from ``start`` (unix milliseconds) on.

    :param trial_ends: unix milliseconds until which it costs nothing; None: it costs at once.
    """
    now = clerk.now
    item = SubscriptionItem(
        new_id("csub_item"),
        now,
        now,
        payer.id,
        plan.slug,
        period_start=start,
        period_end=trial_ends or period_end(start, period),
        plan_period=period,
        is_free_trial=trial_ends is not None,
        status="upcoming" if start > now else "active",
    )
    save_item(clerk, payer, item, "created")
    save_item(clerk, payer, item, item.status)
    return item


def may_try(clerk: LocalClerk, payer: Payer) -> bool:
    """Whether a payer can have a free trial: only who has had no plan before."""
    items = clerk.store.find(SubscriptionItem, payer_id=payer.id)
    return all(item.status == "incomplete" for item in items)


def cancel_item(clerk: LocalClerk, payer: Payer, id: str) -> SubscriptionItem:
    """Let a subscription end with its period; one that has not begun ends now.

    :raises ClerkError: 404 if the payer has no such subscription.
    """
    for item in subscription_items(clerk, payer):
        if item.id == id:
            if item.canceled_at is None:
                stop_item(clerk, payer, item, at_once=item.status == "upcoming")
                tell_subscription(clerk, payer)
            return item
    raise not_found("Subscription item")


def stop_item(clerk: LocalClerk, payer: Payer, item: SubscriptionItem, *, at_once: bool) -> None:
    """Let an item end, at once or with its period."""
    item.canceled_at = item.canceled_at or clerk.now
    if at_once:
        item.status = "ended"
    save_item(clerk, payer, item, "ended" if at_once else "canceled")


def extend_free_trial(clerk: LocalClerk, payer: Payer, id: str, until: int) -> SubscriptionItem:
    """Let a free trial last longer.

    :param until: unix milliseconds, within a year of its end now.
    :raises ClerkError: 404 if there is none, 422 for another time.
    """
    items = {item.id: item for item in subscription_items(clerk, payer) if item.is_free_trial}
    item = items.get(id)
    if item is None:
        raise not_found("Free trial")
    if not clerk.now < until <= item.period_end + 365 * DAY_MS:
        raise invalid("extend_to", "in the future, and at most 365 days after the trial's end")
    item.period_end = until
    save_item(clerk, payer, item, "updated")
    return item


def pay(
    clerk: LocalClerk,
    payer: Payer,
    item: SubscriptionItem,
    amount: int,
    charge_type: str,
    status: str = "paid",
) -> None:
    """Pretend a payment, of more than nothing.

    :param amount: cents.
    :param status: ``paid`` or ``failed``.
    """
    now = clerk.now
    currency = plan_of(clerk, payer, item).currency
    if amount > 0:
        payment = PaymentAttempt(
            new_id("cpayat"), now, now, payer.id, item.id, amount, currency, charge_type, status
        )
        clerk.store.put(payment)
        tell_payment(clerk, payer, payment, item)


def period_end(start: int, period: str) -> int:
    """Unix milliseconds, a month or a year later; the last day stands for one that is missing."""
    begin = datetime.fromtimestamp(start / 1000, UTC)
    months = begin.month - 1 + PERIODS[period]
    year, month = begin.year + months // 12, months % 12 + 1
    day = min(begin.day, calendar.monthrange(year, month)[1])
    return round(begin.replace(year=year, month=month, day=day).timestamp() * 1000)


def _charge(clerk: LocalClerk, payer: Payer, item: SubscriptionItem) -> None:
    plan = plan_of(clerk, payer, item)
    pay(clerk, payer, item, price(plan, item.plan_period), "recurring")
