"""What the app is told of subscriptions and payments, in the form that webhooks have for them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from .clerk import LocalClerk
from .events import record_event
from .payers import money_json, payer_json
from .plans import Payer, default_plan, plan_id, plan_of, plans_for, price
from .resources import PaymentAttempt, SubscriptionItem
from .settings.model import Plan

Json = dict[str, Any]
DECLINED = {"code": "card_declined", "decline_code": "generic_decline"}


def tell_new_payer(clerk: LocalClerk, payer: Payer) -> None:
    """There is a user or organization that could subscribe; the default plan counts at once."""
    if not (clerk.settings.billing.enabled and plans_for(clerk, payer.kind)):
        return
    record_event(clerk, "subscription.created", _subscription(clerk, payer, []))
    plan = default_plan(clerk, payer.kind)
    if plan is None:
        return
    now = clerk.now
    id = f"csub_item_default_{payer.id.partition('_')[2]}"
    item = SubscriptionItem(id, now, now, payer.id, plan.slug, period_start=now, period_end=0)
    for what in ("created", "active"):
        tell_item(clerk, payer, item, what)
    record_event(clerk, "subscription.active", _subscription(clerk, payer, [item]))


def tell_item(clerk: LocalClerk, payer: Payer, item: SubscriptionItem, what: str) -> None:
    """Record ``subscriptionItem.created``, ``active``, ``canceled`` or the like."""
    data = _item(clerk, payer, item) | {"payer": _payer(clerk, payer)}
    record_event(clerk, f"subscriptionItem.{what}", data)


def tell_subscription(clerk: LocalClerk, payer: Payer) -> None:
    """Record ``subscription.updated``: something about what a payer has is another now."""
    found = clerk.store.find(SubscriptionItem, payer_id=payer.id)
    items = [item for item in found if item.status not in ("ended", "incomplete")]
    record_event(clerk, "subscription.updated", _subscription(clerk, payer, items))


def tell_payment(
    clerk: LocalClerk, payer: Payer, payment: PaymentAttempt, item: SubscriptionItem
) -> None:
    """Record ``paymentAttempt.created``, and ``updated``: it is paid at once, or has failed."""
    for what, status in (("created", "pending"), ("updated", payment.status)):
        data = _payment(clerk, payer, payment, item, status)
        record_event(clerk, f"paymentAttempt.{what}", data)


def _subscription(clerk: LocalClerk, payer: Payer, items: list[SubscriptionItem]) -> Json:
    shown = _payer(clerk, payer)
    return {
        "object": "commerce_subscription",
        "id": f"csub_{payer.id.partition('_')[2]}",
        "status": "active",
        "active_at": shown["created_at"],
        "canceled_at": None,
        "ended_at": None,
        "past_due_at": None,
        "created_at": shown["created_at"],
        "updated_at": clerk.now,
        "latest_payment_id": _latest_payment(clerk, payer),
        "payer_id": shown["id"],
        "payer": shown,
        "payment_source_id": f"cpm_{payer.id.partition('_')[2]}",
        "items": [_item(clerk, payer, item) for item in items],
    }


def _latest_payment(clerk: LocalClerk, payer: Payer) -> str:
    found = clerk.store.find(PaymentAttempt, payer_id=payer.id)
    return found[-1].id if found else ""


def _item(clerk: LocalClerk, payer: Payer, item: SubscriptionItem) -> Json:
    plan = plan_of(clerk, payer, item)
    goes_on = item.canceled_at is None and item.status != "ended"
    cents = price(plan, item.plan_period)
    return {
        "object": "commerce_subscription_item",
        "id": item.id,
        "status": item.status,
        "is_free_trial": item.is_free_trial,
        "credit": None,
        "proration_date": datetime.fromtimestamp(item.period_start / 1000, UTC).isoformat(),
        "plan_period": item.plan_period,
        "interval": item.plan_period,
        "period_start": item.period_start,
        "period_end": item.period_end or None,
        "canceled_at": item.canceled_at,
        "past_due_at": None,
        "lifetime_paid": _paid(clerk, item),
        "next_payment_amount": cents if goes_on else 0,
        "next_payment_date": item.period_end if goes_on else 0,
        "amount": money_json(cents, plan.currency),
        "plan_id": plan_id(plan),
        "plan": _plan(clerk, plan),
        "subscription_id": f"csub_{payer.id.partition('_')[2]}",
        "created_at": item.created_at,
        "updated_at": item.updated_at,
    }


def _paid(clerk: LocalClerk, item: SubscriptionItem) -> int:
    payments = clerk.store.find(PaymentAttempt, payer_id=item.payer_id)
    mine = [one for one in payments if one.subscription_item_id == item.id]
    return sum(one.amount for one in mine if one.status == "paid")


def _plan(clerk: LocalClerk, plan: Plan) -> Json:
    return {
        "id": plan_id(plan),
        "instance_id": clerk.config.instance_id,
        "product_id": "",
        "name": plan.name or plan.slug,
        "slug": plan.slug,
        "description": plan.description or None,
        "is_default": plan.is_default,
        "is_recurring": True,
        "amount": plan.amount,
        "period": "month",
        "interval": 1,
        "has_base_fee": plan.amount > 0,
        "currency": plan.currency.upper(),
        "annual_monthly_amount": plan.annual_amount // 12,
        "publicly_visible": True,
    }


def _payer(clerk: LocalClerk, payer: Payer) -> Json:
    return payer_json(clerk, payer) | {"instance_id": clerk.config.instance_id}


def _payment(
    clerk: LocalClerk, payer: Payer, payment: PaymentAttempt, item: SubscriptionItem, status: str
) -> Json:
    amount = money_json(payment.amount, payment.currency)
    nothing = money_json(0, payment.currency)
    return {
        "object": "commerce_payment_attempt",
        "id": payment.id,
        "instance_id": clerk.config.instance_id,
        "payment_id": payment.id,
        "statement_id": f"cstmt_{payment.id.partition('_')[2]}",
        "gateway_external_id": f"local_{payment.id}",
        "status": status,
        "created_at": payment.created_at,
        "updated_at": payment.updated_at,
        "paid_at": payment.created_at if status == "paid" else None,
        "failed_at": payment.created_at if status == "failed" else None,
        "failed_reason": DECLINED if status == "failed" else None,
        "billing_date": payment.created_at,
        "charge_type": payment.charge_type,
        "payee": {
            "id": f"cpayee_{clerk.config.instance_id.partition('_')[2]}",
            "gateway_type": "stripe",
            "gateway_external_id": "local",
            "gateway_status": "active",
        },
        "payer": _payer(clerk, payer),
        "totals": {"subtotal": amount, "tax_total": nothing, "grand_total": amount},
        "payment_source": {
            "id": f"cpm_{payer.id.partition('_')[2]}",
            "gateway": "stripe",
            "gateway_external_id": "local",
            "payment_method": "card",
            "status": "active",
            "card_type": "visa",
            "last4": "4242",
        },
        "subscription_items": [_item(clerk, payer, item)],
    }
