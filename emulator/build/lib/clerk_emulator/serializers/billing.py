"""Plans, subscriptions and pretended payments."""

from __future__ import annotations

from datetime import UTC, datetime

from ..billing import (
    Payer,
    default_plan,
    may_try,
    plan_id,
    plan_of,
    price,
    subscription_items,
)
from ..checkouts import checkout_plan, quote
from ..clerk import LocalClerk
from ..payers import money_json, payer_json, payer_since
from ..resources import Checkout, PaymentAttempt, SubscriptionItem
from ..settings.model import Plan
from .json import Json

__all__ = [
    "checkout_json",
    "money_json",
    "payer_json",
    "payment_attempt_json",
    "payment_method_json",
    "plan_json",
    "statement_jsons",
    "subscription_item_json",
    "subscription_json",
]


def plan_json(clerk: LocalClerk, plan: Plan) -> Json:
    """A plan with its features."""
    annual = plan.annual_amount
    return {
        "object": "commerce_plan",
        "id": plan_id(plan),
        "name": plan.name or plan.slug,
        "slug": plan.slug,
        "description": plan.description or None,
        "fee": money_json(plan.amount, plan.currency),
        "annual_fee": money_json(annual, plan.currency) if annual else None,
        "annual_monthly_fee": money_json(annual // 12, plan.currency) if annual else None,
        "is_default": plan.is_default,
        "is_recurring": True,
        "has_base_fee": plan.amount > 0,
        "for_payer_type": plan.payer,
        "publicly_visible": True,
        "avatar_url": None,
        "features": [_feature_json(clerk, slug) for slug in plan.features],
        "free_trial_days": plan.free_trial_days or None,
        "free_trial_enabled": plan.free_trial_days > 0,
    }


def _feature_json(clerk: LocalClerk, slug: str) -> Json:
    known = {feature.slug: feature for feature in clerk.settings.billing.features}
    feature = known.get(slug)
    return {
        "object": "feature",
        "id": f"feat_{slug}",
        "slug": slug,
        "name": (feature.name if feature else "") or slug,
        "description": (feature.description if feature else "") or None,
        "avatar_url": None,
    }


def subscription_json(clerk: LocalClerk, payer: Payer) -> Json:
    """All that a payer has subscribed to, the default plan included."""
    items = subscription_items(clerk, payer)
    since = payer_since(clerk, payer)
    shown = [subscription_item_json(clerk, payer, item) for item in items]
    default = default_plan(clerk, payer.kind)
    if default is not None and all(item.canceled_at is not None for item in items):
        starts = max((item.period_end for item in items), default=since)
        shown.append(_default_item_json(clerk, payer, default, starts, upcoming=bool(items)))
    renewed = next((item for item in items if item.canceled_at is None), None)
    return {
        "object": "commerce_subscription",
        "id": f"csub_{payer.id.partition('_')[2]}",
        "status": "active",
        "payer_id": payer.id,
        "created_at": since,
        "updated_at": max((item.updated_at for item in items), default=since),
        "active_at": since,
        "past_due_at": None,
        "next_payment": _next_payment(clerk, payer, renewed) if renewed else None,
        "subscription_items": shown,
        "eligible_for_free_trial": may_try(clerk, payer),
    }


def subscription_item_json(clerk: LocalClerk, payer: Payer, item: SubscriptionItem) -> Json:
    """One plan that a payer has, had or will have."""
    plan = plan_of(clerk, payer, item)
    goes_on = item.canceled_at is None and item.status != "ended"
    return {
        "object": "commerce_subscription_item",
        "id": item.id,
        "plan": plan_json(clerk, plan),
        "plan_period": item.plan_period,
        "price_id": None,
        "status": item.status,
        "created_at": item.created_at,
        "period_start": item.period_start,
        "period_end": item.period_end,
        "canceled_at": item.canceled_at,
        "past_due_at": None,
        "amount": money_json(price(plan, item.plan_period), plan.currency),
        "credit": None,
        "next_payment": _next_payment(clerk, payer, item) if goes_on else None,
        "is_free_trial": item.is_free_trial,
    }


def _default_item_json(
    clerk: LocalClerk, payer: Payer, plan: Plan, start: int, *, upcoming: bool
) -> Json:
    item = SubscriptionItem(
        f"csub_item_default_{payer.id.partition('_')[2]}",
        start,
        start,
        payer.id,
        plan.slug,
        period_start=start,
        period_end=0,
        status="upcoming" if upcoming else "active",
    )
    shown = subscription_item_json(clerk, payer, item)
    return shown | {"period_end": None, "next_payment": None}


def _next_payment(clerk: LocalClerk, payer: Payer, item: SubscriptionItem) -> Json:
    plan = plan_of(clerk, payer, item)
    date = item.period_start if item.status == "upcoming" else item.period_end
    return {"amount": money_json(price(plan, item.plan_period), plan.currency), "date": date}


def checkout_json(clerk: LocalClerk, payer: Payer, checkout: Checkout) -> Json:
    """A change of plan, and what it costs."""
    plan = checkout_plan(clerk, payer, checkout)
    terms = quote(clerk, payer, plan, checkout.plan_period)
    card = payment_method_json(payer)
    months = 12 if checkout.plan_period == "annual" else 1
    totals = _totals(terms.amount, plan.currency, terms.amount // months)
    credit = money_json(terms.credit, plan.currency)
    proration = {
        "amount": credit,
        "cycle_days_remaining": terms.days_left,
        "cycle_days_total": terms.days_total,
        "cycle_remaining_percent": 100 * terms.days_left / terms.days_total,
    }
    return {
        "object": "commerce_checkout",
        "id": checkout.id,
        "status": checkout.status,
        "external_client_secret": "",
        "external_gateway_id": "",
        "payment_method": card,
        "plan": plan_json(clerk, plan),
        "plan_period": checkout.plan_period,
        "plan_period_start": terms.start,
        "is_immediate_plan_change": terms.is_immediate,
        "free_trial_ends_at": terms.trial_ends,
        "needs_payment_method": terms.due_now > 0 or terms.trial_ends is not None,
        "payer": payer_json(clerk, payer),
        "totals": totals
        | {
            "credit": credit,
            "credits": {"proration": proration, "payer": None, "total": credit},
            "past_due": None,
            "total_due_now": money_json(terms.due_now, plan.currency),
            "total_due_after_free_trial": money_json(terms.amount, plan.currency)
            if terms.trial_ends is not None
            else None,
        },
    }


def payment_attempt_json(clerk: LocalClerk, payer: Payer, payment: PaymentAttempt) -> Json:
    """A payment."""
    item = clerk.store.get(SubscriptionItem, payment.subscription_item_id)
    return {
        "object": "commerce_payment",
        "id": payment.id,
        "amount": money_json(payment.amount, payment.currency),
        "paid_at": payment.created_at if payment.status == "paid" else None,
        "failed_at": payment.created_at if payment.status == "failed" else None,
        "updated_at": payment.updated_at,
        "payment_method": payment_method_json(payer),
        "subscription_item": subscription_item_json(clerk, payer, item) if item else None,
        "charge_type": payment.charge_type,
        "status": payment.status,
        "totals": _totals(payment.amount, payment.currency, payment.amount),
    }


def statement_jsons(clerk: LocalClerk, payer: Payer, payments: list[PaymentAttempt]) -> list[Json]:
    """A statement for every month in which something was paid, newest first.

    :param payments: newest first.
    """
    months: dict[str, list[PaymentAttempt]] = {}
    for payment in (one for one in payments if one.status == "paid"):
        months.setdefault(_month(payment.created_at), []).append(payment)
    return [
        {
            "object": "commerce_statement",
            "id": f"cstmt_{payer.id.partition('_')[2]}_{month}",
            "status": "open" if month == _month(clerk.now) else "closed",
            "timestamp": found[0].created_at,
            "totals": _totals(sum(p.amount for p in found), found[0].currency, 0),
            "groups": [
                {
                    "object": "commerce_statement_group",
                    "id": f"cstmtg_{payment.id.partition('_')[2]}",
                    "timestamp": payment.created_at,
                    "items": [payment_attempt_json(clerk, payer, payment)],
                }
                for payment in found
            ],
        }
        for month, found in months.items()
    ]


def payment_method_json(payer: Payer) -> Json:
    """The card that everybody has here. It is never charged."""
    return {
        "object": "commerce_payment_method",
        "id": f"cpm_{payer.id.partition('_')[2]}",
        "payer_id": payer.id,
        "payment_type": "card",
        "card_type": "visa",
        "last4": "4242",
        "is_default": True,
        "is_removable": False,
        "status": "active",
        "wallet_type": None,
        "expiry_year": 2099,
        "expiry_month": 12,
        "created_at": None,
        "updated_at": None,
    }


def _totals(cents: int, currency: str, base_fee: int) -> Json:
    amount = money_json(cents, currency)
    return {
        "subtotal": amount,
        "base_fee": money_json(base_fee, currency) if base_fee else None,
        "tax_total": money_json(0, currency),
        "grand_total": amount,
    }


def _month(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y%m")
