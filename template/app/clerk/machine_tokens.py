"""Machine tokens: API keys, machine-to-machine (M2M) tokens, and OAuth access tokens.

Source: https://clerk.com/docs/guides/development/machine-auth/overview
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from .backend_api import BackendApi
from .backend_http import BackendApiError, TooManyCallsError
from .bounded_cache import BoundedCache
from .instance import Instance
from .tokens import OAUTH_TYPES, FindKey, TokenError, decode_unverified, verify_machine_jwt

log = logging.getLogger(__name__)

MACHINE_TOKEN_KINDS = ("api_key", "m2m", "oauth")
"""The classes of machine tokens, for use in ``@session_required(accepts=...)``."""

PREFIXES = {"ak_": "api_key", "mt_": "m2m", "oat_": "oauth"}
"""The prefixes of opaque machine tokens, and their classes."""

ENDPOINTS = {
    "api_key": ("/api_keys/verify", "secret"),
    "m2m": ("/m2m_tokens/verify", "token"),
    "oauth": ("/oauth_applications/access_tokens/verify", "access_token"),
}
"""The Backend API's endpoint for verifying an opaque token, and the body field for the token."""

MAX_OPAQUE_LENGTH = 1024
"""Characters. Clerk's opaque tokens have fewer than 200."""

MACHINE_TOKENS_SIZE = 2 * 1024 * 1024
"""Bytes for verified opaque tokens, which need about 1 kB each."""


@dataclass(frozen=True)
class MachineToken:
    """A verified machine token."""

    kind: str
    """Its class, one of :data:`MACHINE_TOKEN_KINDS`."""
    id: str
    subject: str
    """The ID of the user, organization, or machine that the token represents."""
    scopes: frozenset[str] = frozenset()
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The token's claims, or the Backend API's description of an opaque token."""


class VerificationUnavailableError(Exception):
    """The token can't be verified at the moment, so it must be neither accepted nor rejected."""


def machine_token_kind(token: str) -> str | None:
    """The token's class, from its format; None if it isn't a machine token."""
    for prefix, kind in PREFIXES.items():
        if token.startswith(prefix):
            return kind
    try:
        decoded = decode_unverified(token)
    except TokenError:
        return None
    if decoded.header.get("typ") in OAUTH_TYPES:
        return "oauth"
    subject = decoded.claims.get("sub")
    return "m2m" if isinstance(subject, str) and subject.startswith("mch_") else None


class MachineTokens:
    """Verifies machine tokens, and caches valid opaque ones for a few seconds.

    Cached tokens are stored under a keyed hash, never in plain text.

    :param api: the Backend API, which verifies opaque tokens.
    :param find_key: finds the public keys for tokens in JWT form.
    :param issuer: the instance's ``iss``.
    :param lifetime: seconds for which a verified opaque token is accepted without asking Clerk
        again, and so the longest time for which a revoked one is. 0 disables this.
    :param clock_skew: seconds by which Clerk's clock and the local one may differ.
    :param clock: returns monotonic time in seconds.
    """

    def __init__(
        self,
        api: BackendApi,
        find_key: FindKey,
        issuer: str,
        *,
        lifetime: float = 10.0,
        clock_skew: float = Instance.clock_skew,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._find_key = find_key
        self._issuer = issuer
        self._lifetime = lifetime
        self._clock_skew = clock_skew
        self._clock = clock
        self._hash_key = secrets.token_bytes(32)
        self._remembered: BoundedCache[bytes, tuple[float, str]] = BoundedCache(MACHINE_TOKENS_SIZE)

    def verify(self, token: str, kind: str, now: float) -> MachineToken:
        """Verify a token.

        :param kind: its class, from :func:`machine_token_kind`.
        :param now: Unix time in seconds.
        :raises TokenError: the token is not valid.
        :raises VerificationUnavailableError: Clerk's response is unusable.
        :raises TooManyCallsError: visitors cause too many calls, so this one was not made.
        """
        if not token.startswith(tuple(PREFIXES)):
            try:
                claims = verify_machine_jwt(
                    token, self._find_key, self._issuer, now, clock_skew=self._clock_skew
                )
            except TokenError as error:
                if error.reason == "jwk-remote-failed-to-load":
                    raise VerificationUnavailableError(error.message) from None
                raise
            # A copy, because decoded claims are shared between requests.
            return MachineToken(
                kind, str(claims.get("jti", "")), claims["sub"], _scopes(claims), deepcopy(claims)
            )
        if len(token) > MAX_OPAQUE_LENGTH:
            raise TokenError("token-invalid", f"the {kind} token is too long")
        key = hashlib.blake2b(token.encode(errors="replace"), key=self._hash_key).digest()
        answer = self._recall(key)
        if answer is None:
            answer = self._ask_clerk(token, kind)
            machine_token = _read_machine_token(answer, kind, now)
            self._remember(key, answer, now)
            return machine_token
        return _read_machine_token(answer, kind, now)

    def _ask_clerk(self, token: str, kind: str) -> dict[str, Any]:
        path, name = ENDPOINTS[kind]
        try:
            answer = self._api.verify_machine_token(path, name, token)
        except TooManyCallsError:
            raise
        except BackendApiError as error:
            if error.status == 404:
                raise TokenError("token-invalid", f"Clerk has no such {kind} token") from None
            if error.status == 401:
                log.error("Clerk rejects CLERK_SECRET_KEY. Run 'flask clerk doctor'.")
            # Without Clerk's message, which may contain the token.
            raise VerificationUnavailableError(f"{error.code}, status {error.status}") from None
        return {name: value for name, value in answer.items() if value != token}

    def _recall(self, key: bytes) -> dict[str, Any] | None:
        until, answer = self._remembered.get(key) or (0.0, "")
        return json.loads(answer) if self._clock() < until else None

    def _remember(self, key: bytes, answer: dict[str, Any], now: float) -> None:
        until = self._clock() + min(self._lifetime, _expiration(answer) - now)
        text = json.dumps(answer)  # as text, its size is known
        self._remembered.put(key, (until, text), size=len(text))


def _read_machine_token(answer: dict[str, Any], kind: str, now: float) -> MachineToken:
    """Read the Backend API's description of a token; anything unexpected is an error."""
    subject, token_id = answer.get("subject"), answer.get("id")
    if not isinstance(subject, str) or not subject or not isinstance(token_id, str):
        raise VerificationUnavailableError("Clerk's response has no subject or no ID")
    if answer.get("revoked") or answer.get("expired") or _expiration(answer) <= now:
        raise TokenError("token-expired", f"the {kind} token has expired or was revoked")
    return MachineToken(kind, token_id, subject, _scopes(answer), answer)


def _expiration(answer: Mapping[str, Any]) -> float:
    """Unix time in seconds of ``expiration`` or ``expires_at``, which are in milliseconds."""
    value = answer.get("expiration", answer.get("expires_at"))
    if value is None:
        return float("inf")
    # The bounds also reject NaN, and integers too large for a float.
    return value / 1000 if type(value) in (int, float) and 0 < value < 2**62 else 0.0


def _scopes(claims: Mapping[str, Any]) -> frozenset[str]:
    """The scopes, from a list (``scopes``) or a space-separated string (``scope``, RFC 8693)."""
    listed = claims.get("scopes", claims.get("scope", claims.get("scp")))
    if isinstance(listed, str):
        listed = listed.split()
    scopes = listed if isinstance(listed, list) else []
    return frozenset(scope for scope in scopes if isinstance(scope, str))
