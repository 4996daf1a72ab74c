"""Testing tokens: they let a test's browser past bot protection."""

from __future__ import annotations

import secrets

from .clerk import LocalClerk
from .errors import ClerkError
from .resources import TestingToken

LIFETIME_MS = 3_600_000
PARAMETER = "__clerk_testing_token"


def create_testing_token(clerk: LocalClerk) -> TestingToken:
    """A token that is good for an hour."""
    now = clerk.now
    number = now // 1000
    token = TestingToken(f"{number}-{secrets.token_urlsafe(32)}", now, now, now + LIFETIME_MS)
    clerk.store.put(token)
    return token


def check_testing_token(clerk: LocalClerk, token: str) -> None:
    """Refuse a token that we have not given, or that is too old.

    :raises ClerkError: 400 ``testing_token_invalid``.
    """
    found = clerk.store.get(TestingToken, token)
    if found is None or found.expires_at <= clerk.now:
        message = "The testing token is invalid or has expired. Fetch a new one."
        raise ClerkError("testing_token_invalid", message, 400, PARAMETER)
