"""Amounts of money, and who pays them."""

from __future__ import annotations

from typing import Any

from .clerk import LocalClerk
from .plans import Payer
from .resources import EmailAddress, Organization, User

Json = dict[str, Any]

SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}


def money_json(cents: int, currency: str) -> Json:
    """An amount."""
    return {
        "amount": cents,
        "amount_formatted": f"{cents / 100:.2f}",
        "currency": currency.upper(),
        "currency_symbol": SYMBOLS.get(currency.lower(), currency.upper()),
    }


def payer_json(clerk: LocalClerk, payer: Payer) -> Json:
    """Who subscribes."""
    user = clerk.store.get(User, payer.id)
    organization = clerk.store.get(Organization, payer.id)
    email = clerk.store.get(EmailAddress, user.primary_email_address_id) if user else None
    return {
        "object": "commerce_payer",
        "id": f"cpayer_{payer.id.partition('_')[2]}",
        "created_at": payer_since(clerk, payer),
        "updated_at": payer_since(clerk, payer),
        "image_url": "",
        "user_id": user.id if user else None,
        "email": email.email_address if email else None,
        "first_name": user.first_name if user else None,
        "last_name": user.last_name if user else None,
        "organization_id": organization.id if organization else None,
        "organization_name": organization.name if organization else None,
    }


def payer_since(clerk: LocalClerk, payer: Payer) -> int:
    """Since when there is that user or organization."""
    found = clerk.store.get(User, payer.id) or clerk.store.get(Organization, payer.id)
    return found.created_at if found else 0
