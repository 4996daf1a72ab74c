"""Plans, and who has which. Nobody is charged: payments succeed by themselves."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime

from .clerk import LocalClerk
from .errors import ClerkError, not_found
from .resources import PaymentAttempt, SubscriptionItem, new_id
from .settings.model import Plan

DAY_MS = 24 * 3_600_000
PERIODS = {"month": 1, "annual": 12}
"""Months in each period."""
MAX_RENEWALS = 120


@dataclass(frozen=True)
class Payer:
    """Who subscribes.

    :param kind: ``user`` or ``org``, as plans name it.
    """

    id: str
    kind: str


def require_billing(clerk: LocalClerk) -> None:
    """Refuse everything about plans while they are switched off.

    :raises ClerkError: 403 ``billing_not_enabled``.
    """
    if not clerk.settings.billing.enabled:
        raise ClerkError("billing_not_enabled", "Billing is not enabled in this instance.", 403)


def plans_for(clerk: LocalClerk, kind: str) -> list[Plan]:
    """What users (``user``) or organizations (``org``) can subscribe to."""
    return [plan for plan in clerk.settings.billing.plans if plan.payer == kind]


def plan_id(plan: Plan) -> str:
    """A plan's id, which never changes while its slug stays."""
    return f"cplan_{plan.payer}_{plan.slug}"


def plan_with(clerk: LocalClerk, id: str) -> Plan:
    """The plan with that id.

    :raises ClerkError: 404.
    """
    for plan in clerk.settings.billing.plans:
        if plan_id(plan) == id:
            return plan
    raise not_found("Plan")


def plan_of(clerk: LocalClerk, payer: Payer, item: SubscriptionItem) -> Plan:
    """The plan of a subscription; one that the settings have lost keeps nothing but its name."""
    for plan in plans_for(clerk, payer.kind):
        if plan.slug == item.plan_slug:
            return plan
    return Plan(slug=item.plan_slug, name=item.plan_slug, payer=payer.kind)


def default_plan(clerk: LocalClerk, kind: str) -> Plan | None:
    """The plan of who has no other."""
    return next((plan for plan in plans_for(clerk, kind) if plan.is_default), None)


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
    return [item for item in items if item.status != "ended"]


def settle(clerk: LocalClerk, payer: Payer) -> None:
    """End, begin and renew what has come due since anybody looked."""
    now = clerk.now
    for item in clerk.store.find(SubscriptionItem, payer_id=payer.id):
        if item.status == "upcoming" and item.period_start <= now:
            item.status = "active"
            _charge(clerk, payer, item)
        for _ in range(MAX_RENEWALS):
            if item.status != "active" or item.period_end > now:
                break
            if item.canceled_at is not None:
                item.status = "ended"
            else:
                item.period_start = item.period_end
                item.period_end = period_end(item.period_start, item.plan_period)
                _charge(clerk, payer, item)
        clerk.store.put(item)


def subscribe(
    clerk: LocalClerk, payer: Payer, plan: Plan, period: str, start: int
) -> SubscriptionItem:
    """Let a payer have a plan, from ``start`` (unix milliseconds) on."""
    now = clerk.now
    item = SubscriptionItem(
        new_id("csub_item"),
        now,
        now,
        payer.id,
        plan.slug,
        period_start=start,
        period_end=period_end(start, period),
        plan_period=period,
        status="upcoming" if start > now else "active",
    )
    clerk.store.put(item)
    return item


def cancel_item(clerk: LocalClerk, payer: Payer, id: str) -> SubscriptionItem:
    """Let a subscription end with its period; one that has not begun ends now.

    :raises ClerkError: 404 if the payer has no such subscription.
    """
    for item in subscription_items(clerk, payer):
        if item.id == id:
            item.canceled_at = item.canceled_at or clerk.now
            item.updated_at = clerk.now
            if item.status == "upcoming":
                item.status = "ended"
            clerk.store.put(item)
            return item
    raise not_found("Subscription item")


def pay(
    clerk: LocalClerk, payer: Payer, item: SubscriptionItem, amount: int, charge_type: str
) -> None:
    """Pretend a payment, of more than nothing.

    :param amount: cents.
    """
    now = clerk.now
    currency = plan_of(clerk, payer, item).currency
    if amount > 0:
        payment = PaymentAttempt(
            new_id("cpayat"), now, now, payer.id, item.id, amount, currency, charge_type
        )
        clerk.store.put(payment)


def price(plan: Plan, period: str) -> int:
    """Cents for a whole period."""
    return plan.annual_amount if period == "annual" else plan.amount


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
