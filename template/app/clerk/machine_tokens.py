"""Tokens of programs: API keys, machine-to-machine and OAuth access tokens (protocol section 9)."""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from .backend_api import BackendApi, BackendApiError
from .tokens import OAUTH_TYPES, FindKey, TokenError, decode_unverified, verify_program_token

log = logging.getLogger(__name__)

KINDS = ("api_key", "m2m", "oauth")
"""Classes of machine tokens, as ``@session_required(accepts=...)`` names them."""

PREFIXES = {"ak_": "api_key", "mt_": "m2m", "oat_": "oauth"}
"""How opaque machine tokens begin."""

ENDPOINTS = {
    "api_key": ("/api_keys/verify", "secret"),
    "m2m": ("/m2m_tokens/verify", "token"),
    "oauth": ("/oauth_applications/access_tokens/verify", "access_token"),
}
"""Where the Backend API verifies an opaque token, and how the field in the body is called."""

MAX_REMEMBERED = 10_000
"""Verified tokens that are remembered at once."""


@dataclass(frozen=True)
class MachineToken:
    """A verified token of a program."""

    kind: str
    """One of :data:`KINDS`."""
    id: str
    subject: str
    """Whom it stands for: a user, an organization or a machine."""
    scopes: frozenset[str] = frozenset()
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """All that Clerk says about it."""


class VerificationUnavailableError(Exception):
    """Nobody can say right now whether a token is good: neither yes nor no may be answered."""


def kind_of(token: str) -> str | None:
    """The class of a machine token by its looks; None: it is none, or a session token."""
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
    """Verifies machine tokens, and remembers good opaque ones for a short while.

    Remembered under a keyed hash: the memory of the process never maps a token to anything.

    :param api: the Backend API, which knows opaque tokens.
    :param find_key: finds the public keys for tokens in JWT form.
    :param lifetime: seconds for which a positive answer counts; a revoked token is refused at the
        latest then. 0: every request asks.
    :param clock: monotonic time in seconds.
    """

    def __init__(
        self,
        api: BackendApi,
        find_key: FindKey,
        issuer: str,
        *,
        lifetime: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._find_key = find_key
        self._issuer = issuer
        self._lifetime = lifetime
        self._clock = clock
        self._hash_key = secrets.token_bytes(32)
        self._remembered: dict[bytes, tuple[float, MachineToken]] = {}
        self._lock = threading.Lock()

    def verify(self, token: str, kind: str, now: float) -> MachineToken:
        """Verify a token.

        :param kind: its class, from :func:`kind_of`.
        :param now: unix time in seconds.
        :raises TokenError: it is not good.
        :raises VerificationUnavailableError: Clerk gave no usable answer.
        """
        if not token.startswith(tuple(PREFIXES)):
            try:
                claims = verify_program_token(token, self._find_key, self._issuer, now)
            except TokenError as error:
                if error.reason == "jwk-remote-failed-to-load":
                    raise VerificationUnavailableError(error.message) from None
                raise
            # A copy: what was decoded is shared between requests.
            return MachineToken(
                kind, str(claims.get("jti", "")), claims["sub"], _scopes(claims), deepcopy(claims)
            )
        key = hashlib.blake2b(token.encode(errors="replace"), key=self._hash_key).digest()
        remembered = self._recall(key)
        if remembered is None:
            remembered = self._ask(token, kind, now)
            self._remember(key, remembered, now)
        return replace(remembered, claims=deepcopy(remembered.claims))

    def _ask(self, token: str, kind: str, now: float) -> MachineToken:
        path, name = ENDPOINTS[kind]
        try:
            answer = self._api.call("POST", path, json={name: token})
        except BackendApiError as error:
            if error.status == 404:
                raise TokenError("token-invalid", f"Clerk knows no such {kind} token") from None
            if error.status == 401:
                log.error("CLERK_SECRET_KEY is refused by Clerk; run 'flask clerk doctor'.")
            # Without Clerk's own words, which may repeat what was sent.
            raise VerificationUnavailableError(f"{error.code}, status {error.status}") from None
        kept = {name: value for name, value in answer.items() if value != token}
        return _read(kept, kind, now)

    def _recall(self, key: bytes) -> MachineToken | None:
        until, token = self._remembered.get(key, (0.0, None))
        return token if self._clock() < until else None

    def _remember(self, key: bytes, token: MachineToken, now: float) -> None:
        expires_in = _expiration(token.claims) - now
        until = self._clock() + min(self._lifetime, expires_in)
        with self._lock:
            if len(self._remembered) >= MAX_REMEMBERED:
                # All live equally long: the first one in is the next to expire.
                self._remembered.pop(next(iter(self._remembered)))
            self._remembered[key] = (until, token)


def _read(answer: dict[str, Any], kind: str, now: float) -> MachineToken:
    """A machine token out of what the Backend API says of it; anything odd is a refusal."""
    subject, token_id = answer.get("subject"), answer.get("id")
    if not isinstance(subject, str) or not subject or not isinstance(token_id, str):
        raise VerificationUnavailableError("Clerk's answer names no subject")
    if answer.get("revoked") or answer.get("expired") or _expiration(answer) <= now:
        raise TokenError("token-expired", f"the {kind} token has expired or was revoked")
    return MachineToken(kind, token_id, subject, _scopes(answer), answer)


def _expiration(answer: Mapping[str, Any]) -> float:
    """Unix seconds of ``expiration`` or ``expires_at``, which Clerk gives in milliseconds."""
    value = answer.get("expiration", answer.get("expires_at"))
    if value is None:
        return float("inf")
    # 0 < … also refuses NaN, and 2**62 what no float can hold.
    return value / 1000 if type(value) in (int, float) and 0 < value < 2**62 else 0.0


def _scopes(claims: Mapping[str, Any]) -> frozenset[str]:
    """Scopes as a list (``scopes``) or separated by spaces (``scope``, RFC 8693)."""
    listed = claims.get("scopes", claims.get("scope", claims.get("scp")))
    if isinstance(listed, str):
        listed = listed.split()
    scopes = listed if isinstance(listed, list) else []
    return frozenset(scope for scope in scopes if isinstance(scope, str))
