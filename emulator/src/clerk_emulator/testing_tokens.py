"""Testing tokens: they let a test's browser past bot protection."""

from __future__ import annotations

import logging
import secrets

from .clerk import LocalClerk
from .resources import TestingToken

log = logging.getLogger(__name__)

LIFETIME_MS = 3_600_000
PARAMETER = "__clerk_testing_token"


def create_testing_token(clerk: LocalClerk) -> TestingToken:
    """A token that is good for an hour."""
    now = clerk.now
    number = now // 1000
    token = TestingToken(f"{number}-{secrets.token_urlsafe(32)}", now, now, now + LIFETIME_MS)
    clerk.store.put(token)
    return token


def is_testing_token(clerk: LocalClerk, token: str) -> bool:
    """Whether it is one of ours, and good still. Clerk takes no notice of any other; we log it."""
    found = clerk.store.get(TestingToken, token)
    good = found is not None and clerk.now < found.expires_at
    if not good:
        log.warning("a testing token is invalid or has expired, and is ignored")
    return good
