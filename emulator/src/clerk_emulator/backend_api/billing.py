"""``/billing`` and ``/…/billing``: plans, and who has which, as the app's server sees it."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, request

from ..billing import (
    Payer,
    cancel_item,
    extend_free_trial,
    plan_id,
    plan_of,
    require_billing,
    stop_item,
    subscription_items,
)
from ..billing_events import tell_subscription
from ..clerk import current_clerk
from ..errors import ClerkError, invalid, missing, not_found
from ..payers import money_json, payer_json
from ..resources import Organization, Record, SubscriptionItem, User
from ..serializers import Json
from ..serializers.billing import (
    payment_method_json,
    plan_json,
    subscription_item_json,
    subscription_json,
)
from .parameters import json_body, listed, optional_text, query_flag, required_text, whole_number
from .records import find_records, keep_record

blueprint = Blueprint("backend_billing", __name__)

LEDGER = "commerce_credit_ledger"
WHO = "/<any(users, organizations):kind>/<id>/billing"


@blueprint.get("/billing/plans")
def list_plans() -> Json:
    """What can be subscribed to; ``payer_type`` narrows it down to ``user`` or ``org``."""
    clerk = current_clerk()
    require_billing(clerk)
    wanted = request.args.get("payer_type")
    plans = [plan for plan in clerk.settings.billing.plans if wanted in (None, plan.payer)]
    return listed(
        plans, lambda plan: plan_json(clerk, plan) | {"product_id": "", "unit_prices": []}
    )


@blueprint.get("/billing/subscription_items")
def list_items() -> Json:
    """What all payers have, newest first: by ``status``, ``payer_type`` and ``plan_id``."""
    clerk, args = current_clerk(), request.args
    require_billing(clerk)
    payers = {item.payer_id: _payer(item) for item in clerk.store.find(SubscriptionItem)}
    items = [
        (payer, item) for payer in payers.values() for item in subscription_items(clerk, payer)
    ]
    found = [
        (payer, item)
        for payer, item in items
        if args.get("status") in (None, item.status)
        and args.get("payer_type") in (None, payer.kind)
        and args.get("plan_id") in (None, plan_id(plan_of(clerk, payer, item)))
    ]
    found.sort(key=lambda pair: -pair[1].created_at)
    return listed(found, lambda pair: _item_json(*pair))


@blueprint.delete("/billing/subscription_items/<id>")
def delete_item(id: str) -> Json:
    """Let an item end with its period, or with ``end_now`` at once.

    :raises ClerkError: 404 for one that is not there, or over.
    """
    clerk = current_clerk()
    require_billing(clerk)
    item = clerk.store.get(SubscriptionItem, id)
    if item is None:
        raise not_found("Subscription item")
    payer = _payer(item)
    if query_flag("end_now") and item.status != "ended":
        stop_item(clerk, payer, item, at_once=True)
        tell_subscription(clerk, payer)
    else:
        item = cancel_item(clerk, payer, id)
    return _item_json(payer, item)


@blueprint.post("/billing/subscription_items/<id>/extend_free_trial")
def post_free_trial(id: str) -> Json:
    """Let a free trial last longer, until ``extend_to``.

    :raises ClerkError: 404 if there is none, 422 for a wrong time.
    """
    clerk = current_clerk()
    require_billing(clerk)
    item = clerk.store.get(SubscriptionItem, id)
    if item is None:
        raise not_found("Subscription item")
    until = whole_number(json_body(), "extend_to") or 0
    return _item_json(_payer(item), extend_free_trial(clerk, _payer(item), id, until))


@blueprint.get(f"{WHO}/subscription")
def get_subscription(kind: str, id: str) -> Json:
    """All that somebody has."""
    clerk, payer = current_clerk(), _known(kind, id)
    shown = subscription_json(clerk, payer)
    more = {"instance_id": clerk.config.instance_id, "payer_id": payer_json(clerk, payer)["id"]}
    items = [_filled_up(payer, item) for item in shown["subscription_items"]]
    return shown | more | {"subscription_items": items}


@blueprint.get(f"{WHO}/credits")
def get_credits(kind: str, id: str) -> Json:
    """What somebody was given. Nobody is charged, so that it never gets less by itself."""
    payer = _known(kind, id)
    return {"object": "commerce_credit_balance", "balance": money_json(_balance(payer), "usd")}


@blueprint.post(f"{WHO}/credits")
def post_credits(kind: str, id: str) -> Json:
    """Give somebody credit, or take it back. The same ``idempotency_key`` counts once.

    :raises ClerkError: 422 for less than nothing.
    """
    payer, body = _known(kind, id), json_body()
    amount = whole_number(body, "amount", least=1)
    if amount is None:
        raise missing("amount")
    action, key = required_text(body, "action"), required_text(body, "idempotency_key")
    if action not in ("increase", "decrease"):
        raise invalid("action", "increase or decrease")
    for record in find_records(LEDGER, payer.id):
        if record.data["key"] == key:
            return _ledger_json(payer, record)
    change = amount if action == "increase" else -amount
    if _balance(payer) + change < 0:
        message = "The payer doesn't have that much credit."
        raise ClerkError("insufficient_credit_balance", message, 422, "amount")
    data = {"amount": change, "key": key, "note": optional_text(body, "note")}
    return _ledger_json(payer, keep_record(LEDGER, "ccled", data, payer.id))


def _known(kind: str, id: str) -> Payer:
    clerk = current_clerk()
    require_billing(clerk)
    sort = User if kind == "users" else Organization
    if clerk.store.get(sort, id) is None:
        raise not_found("User" if kind == "users" else "Organization")
    return Payer(id, "user" if kind == "users" else "org")


def _payer(item: SubscriptionItem) -> Payer:
    return Payer(item.payer_id, "org" if item.payer_id.startswith("org_") else "user")


def _item_json(payer: Payer, item: SubscriptionItem) -> Json:
    return _filled_up(payer, subscription_item_json(current_clerk(), payer, item))


def _filled_up(payer: Payer, shown: Json) -> Json:
    """What the app's server sees beyond what people see of an item."""
    clerk = current_clerk()
    who = payer_json(clerk, payer) | {"instance_id": clerk.config.instance_id}
    gateway = {"gateway": "stripe", "gateway_external_id": "local"}
    more = {
        "instance_id": clerk.config.instance_id,
        "plan_id": shown["plan"]["id"],
        "payer_id": who["id"],
        "payer": who,
        "ended_at": shown["canceled_at"] if shown["status"] == "ended" else None,
        "payment_method": payment_method_json(payer)
        | gateway
        | {"gateway_external_account_id": None, "created_at": 0, "updated_at": 0},
        "plan": shown["plan"] | {"product_id": "", "unit_prices": []},
    }
    kept = {name: value for name, value in shown.items() if name not in ("credit", "price_id")}
    return kept | more


def _balance(payer: Payer) -> int:
    return sum(int(record.data["amount"]) for record in find_records(LEDGER, payer.id))


def _ledger_json(payer: Payer, record: Record) -> Json:
    created = datetime.fromtimestamp(record.created_at / 1000, UTC)
    return {
        "object": LEDGER,
        "id": record.id,
        "payer_id": payer_json(current_clerk(), payer)["id"],
        "amount": money_json(record.data["amount"], "usd"),
        "source_type": "admin",
        "source_id": record.data["key"],
        "note": record.data["note"],
        "created_at": created.isoformat(),
    }
