"""Accounts at social providers."""

from __future__ import annotations

from ..clerk import LocalClerk
from ..resources import ExternalAccount, Verification
from .json import Json
from .verifications import verification_json, visit_json


def external_account_json(clerk: LocalClerk, account: ExternalAccount, base_url: str) -> Json:
    """A connected account, or one whose visit to the provider is under way.

    :param base_url: where the reader reaches the provider's page.
    """
    strategy = f"oauth_{account.provider}"
    visit = clerk.store.get(Verification, account.verification_id)
    status = "verified" if account.verified else "unverified"
    return {
        "object": "google_account" if account.provider == "google" else "external_account",
        "id": account.id,
        "identification_id": account.identification_id,
        "provider": strategy,
        "provider_user_id": account.provider_user_id,
        "google_id": account.provider_user_id if account.provider == "google" else None,
        "email_address": account.email_address,
        "approved_scopes": account.approved_scopes,
        "first_name": account.first_name,
        "last_name": account.last_name,
        "given_name": account.first_name,
        "family_name": account.last_name,
        "username": account.username,
        "image_url": "",
        "avatar_url": "",
        "picture": "",
        "phone_number": None,
        "public_metadata": {},
        "label": None,
        "verification": visit_json(clerk, visit, base_url)
        if visit
        else verification_json(status, strategy),
        "created_at": account.created_at,
        "updated_at": account.updated_at,
    }
