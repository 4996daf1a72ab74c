"""A verification in any of Clerk's states."""

from __future__ import annotations

from ..clerk import LocalClerk
from ..resources import EmailAddress, PhoneNumber, Verification
from ..urls import with_query
from .json import Json


def verification_json(status: str, strategy: str) -> Json:
    """A verification in any of Clerk's states: ``unverified``, ``verified``…"""
    return {
        "object": "verification",
        "status": status,
        "strategy": strategy,
        "attempts": None,
        "expire_at": None,
        "verified_at_client": None,
        "error": None,
    }


def visit_json(clerk: LocalClerk, visit: Verification, base_url: str) -> Json:
    """A visit to a social provider.

    :param base_url: where the reader reaches the provider's page.
    """
    over = visit.status == "unverified" and visit.expire_at <= clerk.now
    page = f"{base_url}/oauth/{visit.strategy.removeprefix('oauth_')}"
    return verification_json("expired" if over else visit.status, visit.strategy) | {
        "expire_at": visit.expire_at,
        "external_verification_redirect_url": with_query(page, state=visit.token)
        if visit.token
        else None,
        "error": visit.error,
    }


def identification_verification_json(clerk: LocalClerk, found: EmailAddress | PhoneNumber) -> Json:
    """Whether an address or number is known to be its owner's, or how far that is."""
    if found.verified:
        return verification_json("verified", found.verified_by)
    under_way = clerk.store.get(Verification, found.verification_id)
    if under_way is None:
        return verification_json("unverified", found.verified_by)
    over = under_way.status == "unverified" and under_way.expire_at <= clerk.now
    return verification_json("expired" if over else under_way.status, under_way.strategy) | {
        "attempts": under_way.attempts,
        "expire_at": under_way.expire_at,
        "error": under_way.error,
    }
