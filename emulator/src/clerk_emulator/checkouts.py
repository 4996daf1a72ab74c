"""Changing to another plan: what it would cost, and doing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from .billing import (
    DAY_MS,
    PERIODS,
    Payer,
    active_item,
    may_try,
    pay,
    period_end,
    plan_id,
    plan_of,
    plan_with,
    price,
    save_item,
    stop_item,
    subscribe,
    subscription_items,
)
from .billing_events import tell_subscription
from .clerk import LocalClerk
from .errors import ClerkError, invalid, not_found
from .payers import money_json
from .resources import Checkout, SubscriptionItem, User, new_id
from .settings.model import Plan


@dataclass(frozen=True)
class Quote:
    """What a change of plan would mean. Amounts are cents, times unix milliseconds."""

    amount: int
    credit: int
    start: int
    is_immediate: bool = True
    """Whether the plan begins at once, not with the end of the one there is."""
    days_left: int = 0
    days_total: int = 1
    trial_ends: int | None = None
    """Until when it costs nothing."""

    @property
    def due_now(self) -> int:
        """What is paid on confirmation."""
        waits = not self.is_immediate or self.trial_ends is not None
        return 0 if waits else self.amount - self.credit


def start_checkout(clerk: LocalClerk, payer: Payer, id: str, period: str) -> Checkout:
    """Look at a change to the plan with that id.

    :param period: ``month`` or ``annual``.
    :raises ClerkError: for a plan or period that this payer cannot have, or has already.
    """
    plan = plan_with(clerk, id)
    if plan.payer != payer.kind:
        raise not_found("Plan")
    if period not in PERIODS or (period == "annual" and not plan.annual_amount):
        raise invalid("plan_period", "a period that the plan is offered for")
    current = active_item(clerk, payer)
    if _has_already(current, plan, period):
        message = "You are already subscribed to this plan."
        raise ClerkError("plan_already_active", message, 409)
    _check_change(clerk, payer, current, plan, period)
    _check_address(clerk, payer)
    now = clerk.now
    checkout = Checkout(new_id("chk"), now, now, payer.id, plan.slug, period)
    clerk.store.put(checkout)
    return checkout


def _check_change(
    clerk: LocalClerk, payer: Payer, current: SubscriptionItem | None, plan: Plan, period: str
) -> None:
    """Who pays by the year cannot pay for a dearer plan by the month.

    :raises ClerkError: ``invalid_plan_change``, with what Clerk.js tells people then. It names no
        parameter: Clerk.js would look for a field with that name, and show an empty drawer.
    """
    if current is None or (current.plan_period, period) != ("annual", "month"):
        return
    if _costs_more(clerk, payer, current, plan, period):
        message = "You cannot pay for this plan monthly while you pay annually for another one."
        a_month = money_json(plan.annual_amount // 12, plan.currency)["amount_formatted"]
        shown = money_json(plan.amount, plan.currency) | {"id": plan_id(plan), "name": plan.name}
        shown["annual_monthly_amount_formatted"] = a_month
        meta = {"plan": shown, "is_plan_upgrade_possible": bool(plan.annual_amount)}
        raise ClerkError("invalid_plan_change", message, 400, meta=meta)


def _check_address(clerk: LocalClerk, payer: Payer) -> None:
    """Receipts need an address.

    :raises ClerkError: ``missing_payer_email``; Clerk.js then asks for one.
    """
    user = clerk.store.get(User, payer.id)
    if user is not None and user.primary_email_address_id is None:
        message = "An email address is needed to subscribe."
        raise ClerkError("missing_payer_email", message, 400)


def checkout_of(clerk: LocalClerk, payer: Payer, id: str) -> Checkout:
    """One of the payer's checkouts.

    :raises ClerkError: 404.
    """
    checkout = clerk.store.get(Checkout, id)
    if checkout is None or checkout.payer_id != payer.id:
        raise not_found("Checkout")
    return checkout


def checkout_plan(clerk: LocalClerk, payer: Payer, checkout: Checkout) -> Plan:
    """The plan that a checkout is about."""
    return plan_with(clerk, f"cplan_{payer.kind}_{checkout.plan_slug}")


def quote(clerk: LocalClerk, payer: Payer, plan: Plan, period: str) -> Quote:
    """What a plan would cost: what is left of a dearer one is used up first."""
    amount = price(plan, period)
    current = active_item(clerk, payer)
    if plan.free_trial_days and may_try(clerk, payer):
        return Quote(amount, 0, clerk.now, trial_ends=clerk.now + plan.free_trial_days * DAY_MS)
    if current is None or (current.is_free_trial and amount > 0):
        return Quote(amount, 0, clerk.now)
    if _same(current, plan, period):  # it was cancelled, and goes on
        return Quote(amount, amount, clerk.now)
    paid = price(plan_of(clerk, payer, current), current.plan_period)
    left = max(0, -(-(current.period_end - clerk.now) // DAY_MS))
    total = max(1, round((current.period_end - current.period_start) / DAY_MS))
    if not _costs_more(clerk, payer, current, plan, period):
        return Quote(amount, 0, current.period_end, False, left, total)
    credit = min(amount, paid * left // total)
    return Quote(amount, credit, clerk.now, True, left, total)


def confirm_checkout(clerk: LocalClerk, payer: Payer, checkout: Checkout) -> None:
    """Change the plan, once.

    :raises ClerkError: ``checkout_already_completed``, or ``payment_attempt_failed_card_declined``.
    """
    if checkout.status != "needs_confirmation":
        message = "This checkout has already been completed."
        raise ClerkError("checkout_already_completed", message, 409)
    plan = checkout_plan(clerk, payer, checkout)
    due = quote(clerk, payer, plan, checkout.plan_period).due_now
    if due > 0 and clerk.settings.billing.declines_payments:
        _decline(clerk, payer, checkout, due)
    change_plan(clerk, payer, plan, checkout.plan_period)
    checkout.status = "completed"
    checkout.updated_at = clerk.now
    clerk.store.put(checkout)


def _decline(clerk: LocalClerk, payer: Payer, checkout: Checkout, amount: int) -> NoReturn:
    now, period = clerk.now, checkout.plan_period
    item = SubscriptionItem(
        new_id("csub_item"),
        now,
        now,
        payer.id,
        checkout.plan_slug,
        period_start=now,
        period_end=period_end(now, period),
        plan_period=period,
        status="incomplete",
    )
    save_item(clerk, payer, item, "created")
    save_item(clerk, payer, item, "incomplete")
    pay(clerk, payer, item, amount, "checkout", "failed")
    code = "payment_attempt_failed_card_declined"
    raise ClerkError(code, "The card was declined.", 422, keeps_changes=True)


def change_plan(clerk: LocalClerk, payer: Payer, plan: Plan, period: str) -> None:
    """Let a payer have another plan: a dearer one now, a cheaper one when the period ends."""
    terms = quote(clerk, payer, plan, period)
    current = active_item(clerk, payer)
    for item in subscription_items(clerk, payer):
        if item.status == "upcoming":
            stop_item(clerk, payer, item, at_once=True)
    if current is not None and _same(current, plan, period) and not current.is_free_trial:
        current.canceled_at = None
        save_item(clerk, payer, current, "updated")
    else:
        if current is not None:
            stop_item(clerk, payer, current, at_once=terms.is_immediate)
        if not plan.is_default:
            item = subscribe(clerk, payer, plan, period, terms.start, terms.trial_ends)
            pay(clerk, payer, item, terms.due_now, "checkout")
    tell_subscription(clerk, payer)


def _has_already(current: SubscriptionItem | None, plan: Plan, period: str) -> bool:
    if current is None:
        return plan.is_default
    return current.canceled_at is None and _same(current, plan, period)


def _costs_more(
    clerk: LocalClerk, payer: Payer, current: SubscriptionItem, plan: Plan, period: str
) -> bool:
    now = _a_month(plan_of(clerk, payer, current), current.plan_period)
    return _a_month(plan, period) > now


def _same(item: SubscriptionItem, plan: Plan, period: str) -> bool:
    return (item.plan_slug, item.plan_period) == (plan.slug, period)


def _a_month(plan: Plan, period: str) -> float:
    return price(plan, period) / PERIODS[period]
