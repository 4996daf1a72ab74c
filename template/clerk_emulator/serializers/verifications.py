"""A verification in any of Clerk's states."""

from __future__ import annotations

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
