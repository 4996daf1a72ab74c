"""A verification in any of Clerk's states."""

from __future__ import annotations

from ..clerk import LocalClerk
from ..resources import EmailAddress, PhoneNumber, Verification
from ..urls import with_query
from .json import Json


def verification_json(status: str, strategy: str) -> Json:
    """A verification in any of Clerk's states: ``unverified``, ``verified``…"""
    return {
        "object": object_of(strategy),
        "status": status,
        "strategy": strategy,
        "attempts": None,
        "expire_at": None,
        "verified_at_client": None,
        "error": None,
    }


def object_of(strategy: str) -> str:
    """What Clerk calls a verification by this strategy; its SDKs tell them apart by that."""
    if strategy.endswith("_code") and strategy != "backup_code":
        return "verification_otp"
    if strategy.startswith("from_oauth_"):
        return "verification_from_oauth"
    kind = "oauth" if strategy.startswith("oauth_") else strategy
    return f"verification_{kind}" if kind else "verification"


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
    return stored_verification_json(clerk, under_way)


def stored_verification_json(clerk: LocalClerk, verification: Verification) -> Json:
    """A code or link that was sent."""
    over = verification.status == "unverified" and verification.expire_at <= clerk.now
    status = "expired" if over else verification.status
    nonce = {"nonce": verification.nonce} if verification.nonce and status == "unverified" else {}
    return (
        verification_json(status, verification.strategy)
        | {
            "attempts": verification.attempts,
            "expire_at": verification.expire_at,
            "verified_at_client": verification.verified_at_client or None,
            "channel": (verification.channel or "sms")
            if verification.strategy.endswith("phone_code")
            else None,
            "error": verification.error,
        }
        | nonce
    )
