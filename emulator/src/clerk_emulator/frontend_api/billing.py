"""``/billing``, ``/me/billing`` and ``/organizations/{id}/billing``: plans and subscriptions."""

from __future__ import annotations

from typing import TypeVar

from flask import Blueprint, request

from ..billing import Payer, cancel_item, plan_with, plans_for, require_billing
from ..checkouts import checkout_of, confirm_checkout, start_checkout
from ..clerk import current_clerk
from ..errors import ClerkError, not_found
from ..organizations import require_member, require_permission, role_permissions
from ..resources import PaymentAttempt
from ..serializers import Json
from ..serializers.billing import (
    checkout_json,
    money_json,
    payment_attempt_json,
    payment_method_json,
    plan_json,
    statement_jsons,
    subscription_json,
)
from .browser import answer, current_user

T = TypeVar("T")

READ = "org:sys_billing:read"
MANAGE = "org:sys_billing:manage"
DEFAULT_LIMIT = 10
MAX_LIMIT = 500

blueprint = Blueprint("billing", __name__)
of_payer = Blueprint("payer_billing", __name__)


@blueprint.get("/billing/plans")
def list_plans() -> Json:
    """The plans for users, or for organizations. Also for who is not signed in."""
    clerk = current_clerk()
    require_billing(clerk)
    kind = "org" if request.args.get("payer_type") == "org" else "user"
    return _page([plan_json(clerk, plan) for plan in plans_for(clerk, kind)])


@blueprint.get("/billing/plans/<id>")
def get_plan(id: str) -> Json:
    """One plan."""
    clerk = current_clerk()
    require_billing(clerk)
    return plan_json(clerk, plan_with(clerk, id))


@of_payer.get("/subscription")
def get_subscription(organization_id: str | None = None) -> Json:
    """What the payer has subscribed to."""
    return answer(subscription_json(current_clerk(), _payer(organization_id)))


@of_payer.delete("/subscription_items/<id>")
def delete_subscription_item(id: str, organization_id: str | None = None) -> Json:
    """Cancel a subscription."""
    item = cancel_item(current_clerk(), _payer(organization_id, MANAGE), id)
    return answer({"object": "commerce_subscription_item", "id": item.id, "deleted": True})


@of_payer.post("/checkouts")
def create_checkout(organization_id: str | None = None) -> Json:
    """Look at a change of plan."""
    clerk = current_clerk()
    payer = _payer(organization_id, MANAGE)
    period = request.form.get("plan_period") or "month"
    checkout = start_checkout(clerk, payer, request.form.get("plan_id", ""), period)
    return answer(checkout_json(clerk, payer, checkout))


@of_payer.route("/checkouts/<id>", methods=["GET", "PATCH"])
def get_checkout(id: str, organization_id: str | None = None) -> Json:
    """The same again. There are no promotion codes here."""
    clerk = current_clerk()
    payer = _payer(organization_id, MANAGE)
    if request.form.get("promo_code"):
        raise ClerkError("promo_code_invalid", "This promo code is not valid.", 422, "promo_code")
    return answer(checkout_json(clerk, payer, checkout_of(clerk, payer, id)))


@of_payer.patch("/checkouts/<id>/confirm")
def confirm(id: str, organization_id: str | None = None) -> Json:
    """Change the plan; what is due counts as paid."""
    clerk = current_clerk()
    payer = _payer(organization_id, MANAGE)
    checkout = checkout_of(clerk, payer, id)
    before = checkout_json(clerk, payer, checkout)
    confirm_checkout(clerk, payer, checkout)
    return answer(before | {"status": checkout.status})


@of_payer.get("/payment_attempts")
def list_payment_attempts(organization_id: str | None = None) -> Json:
    """What was paid, newest first."""
    clerk = current_clerk()
    payer = _payer(organization_id)
    return _page([payment_attempt_json(clerk, payer, p) for p in _payments(payer)])


@of_payer.get("/payment_attempts/<id>")
def get_payment_attempt(id: str, organization_id: str | None = None) -> Json:
    """One payment."""
    payer = _payer(organization_id)
    for payment in _payments(payer):
        if payment.id == id:
            return payment_attempt_json(current_clerk(), payer, payment)
    raise not_found("Payment attempt")


@of_payer.get("/statements")
def list_statements(organization_id: str | None = None) -> Json:
    """A statement for every month in which something was paid."""
    payer = _payer(organization_id)
    return answer(_page(statement_jsons(current_clerk(), payer, _payments(payer))))


@of_payer.get("/statements/<id>")
def get_statement(id: str, organization_id: str | None = None) -> Json:
    """One statement."""
    payer = _payer(organization_id)
    for statement in statement_jsons(current_clerk(), payer, _payments(payer)):
        if statement["id"] == id:
            return answer(statement)
    raise not_found("Statement")


@of_payer.get("/payment_methods")
def list_payment_methods(organization_id: str | None = None) -> Json:
    """The card that everybody has."""
    return answer(_page([payment_method_json(_payer(organization_id))]))


@of_payer.put("/payers/default_payment_method")
def set_default_payment_method(organization_id: str | None = None) -> Json:
    """There is one card, so that it is the default."""
    return answer(payment_method_json(_payer(organization_id, MANAGE)))


@of_payer.post("/payment_methods")
@of_payer.post("/payment_methods/initialize")
def add_payment_method(organization_id: str | None = None) -> Json:
    """Cards are kept by a payment provider, which a local instance has not."""
    _payer(organization_id, MANAGE)
    message = "The local Clerk has one test card; you can't add another."
    raise ClerkError("payment_methods_not_available", message, 422)


@of_payer.get("/credits")
def get_credits(organization_id: str | None = None) -> Json:
    """Nobody has credit."""
    _payer(organization_id)
    return answer({"object": "commerce_credit_balance", "balance": money_json(0, "usd")})


@of_payer.get("/credits/history")
def list_credits(organization_id: str | None = None) -> Json:
    """Nobody has had credit."""
    _payer(organization_id)
    return answer(_page([]))


def _payer(organization_id: str | None, permission: str = READ) -> Payer:
    """The signed-in user, or an organization in which they have the permission."""
    clerk = current_clerk()
    user = current_user()
    require_billing(clerk)
    if organization_id is None:
        return Payer(user.id, "user")
    member = require_member(clerk, organization_id, user)
    if permission != READ or MANAGE not in role_permissions(clerk, member.role):
        require_permission(clerk, member, permission)
    return Payer(organization_id, "org")


def _payments(payer: Payer) -> list[PaymentAttempt]:
    return current_clerk().store.find(PaymentAttempt, payer_id=payer.id, newest_first=True)


def _page(all_of_them: list[T]) -> Json:
    limit = min(max(request.args.get("limit", DEFAULT_LIMIT, int), 0), MAX_LIMIT)
    start = max(request.args.get("offset", 0, int), 0)
    return {"data": all_of_them[start : start + limit], "total_count": len(all_of_them)}


blueprint.register_blueprint(of_payer, url_prefix="/me/billing")
blueprint.register_blueprint(
    of_payer, url_prefix="/organizations/<organization_id>/billing", name="organization_billing"
)
