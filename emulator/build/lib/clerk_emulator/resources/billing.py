"""Who has subscribed to what. No money moves: every payment is pretended."""

from __future__ import annotations

from dataclasses import dataclass

from .base import Resource


@dataclass
class SubscriptionItem(Resource):
    """A plan that a user or organization has, had, or will have. Default plans need none.

    ``status``: ``active``, ``upcoming``, ``ended``, or ``incomplete`` when its first payment was
    refused. One that was cancelled stays active until its period ends.
    """

    TABLE = "subscription_items"
    INDEXED = ("payer_id",)

    payer_id: str
    plan_slug: str
    period_start: int
    period_end: int
    plan_period: str = "month"
    """``month`` or ``annual``."""
    status: str = "active"
    canceled_at: int | None = None
    is_free_trial: bool = False
    """Whether nothing is paid until the period ends."""


@dataclass
class Checkout(Resource):
    """A change of plan that somebody looks at, and may confirm.

    ``status``: ``needs_confirmation`` or ``completed``.
    """

    TABLE = "checkouts"

    payer_id: str
    plan_slug: str
    plan_period: str
    status: str = "needs_confirmation"


@dataclass
class PaymentAttempt(Resource):
    """A payment, which was pretended or refused. Amounts are cents."""

    TABLE = "payment_attempts"
    INDEXED = ("payer_id",)

    payer_id: str
    subscription_item_id: str
    amount: int
    currency: str
    charge_type: str = "checkout"
    """``checkout`` or ``recurring``."""
    status: str = "paid"
    """``paid`` or ``failed``."""
