"""The plans that the settings offer, and who could have one."""

from __future__ import annotations

from dataclasses import dataclass

from .clerk import LocalClerk
from .errors import not_found
from .resources import SubscriptionItem
from .settings.model import Plan


@dataclass(frozen=True)
class Payer:
    """Who subscribes.

    :param kind: ``user`` or ``org``, as plans name it.
    """

    id: str
    kind: str


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


def price(plan: Plan, period: str) -> int:
    """Cents for a whole period."""
    return plan.annual_amount if period == "annual" else plan.amount
