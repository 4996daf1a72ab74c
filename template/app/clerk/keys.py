"""Public keys for verifying tokens: one given as PEM, or Clerk's JWKS (protocol section 4)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt import PyJWKSet
from jwt.exceptions import PyJWTError

from .forking import renew_after_fork
from .instance import ConfigurationError
from .tokens import TokenError

log = logging.getLogger(__name__)

LIFETIME = 300.0
"""Seconds for which fetched keys count as fresh."""

COOL_DOWN = 30.0
"""Seconds between two fetches that unknown keys may cause; also the longest wait after failures."""

PATIENCE_AT_START = 15.0
"""Seconds to wait for another thread's fetch while there are no keys at all."""

PATIENCE_WITH_UNKNOWN = 1.0
"""Seconds to wait for another thread's fetch with a key that nobody knows."""

FIRST_RETRY = 1.0
"""Seconds to wait after a first failed fetch; doubles with every further one."""


def read_pem_key(pem: str) -> RSAPublicKey:
    """Read ``CLERK_JWT_KEY``.

    :param pem: a PEM public key with real newlines.
    :raises ConfigurationError: it is not an RSA public key.
    """
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPublicKey):
        raise ConfigurationError(
            "CLERK_JWT_KEY is not an RSA public key in PEM form; expected text that starts with "
            "-----BEGIN PUBLIC KEY-----. Copy 'JWKS public key' from the Clerk dashboard, or "
            "leave CLERK_JWT_KEY empty: the keys are then fetched."
        )
    return key


class JwksKeys:
    """The keys of one instance, fetched when needed and kept through outages.

    One fetch at a time per process. An unknown ``kid`` causes at most one fetch per cool-down, so
    a flood of forged tokens costs no network. A failing fetch leaves the last good keys in use.

    :param fetch: returns Clerk's JWKS document; may raise anything.
    :param clock: monotonic time in seconds.
    """

    def __init__(
        self, fetch: Callable[[], object], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self.renew()
        renew_after_fork(self)
        self._keys: dict[str, RSAPublicKey] = {}
        self._fresh_until = float("-inf")
        self._next_attempt = float("-inf")
        self._failures = 0

    def renew(self) -> None:
        """Forget who is fetching: in a forked process nobody is."""
        self._lock = threading.Lock()

    def find(self, kid: str | None) -> RSAPublicKey:
        """Find the key that a token names.

        :param kid: the token's ``kid`` header.
        :raises TokenError: ``jwk-kid-mismatch``, or ``jwk-remote-failed-to-load`` while there are
            no keys at all.
        """
        key = self._keys.get(kid or "")
        if key is None or self._clock() >= self._fresh_until:
            self._refresh(wait=key is None)
            key = self._keys.get(kid or "")
        if key is not None:
            return key
        if not self._keys:
            raise TokenError("jwk-remote-failed-to-load", "Clerk's public keys cannot be loaded")
        raise TokenError("jwk-kid-mismatch", "no key of this instance has the token's kid")

    def _refresh(self, *, wait: bool) -> None:
        if self._clock() < self._next_attempt:
            return
        # Who still has a usable key does not wait for somebody else's fetch; who brings an unknown
        # key waits a little, as it is most likely forged.
        patience = (PATIENCE_WITH_UNKNOWN if self._keys else PATIENCE_AT_START) if wait else 0
        lock = self._lock
        if not lock.acquire(timeout=patience):
            return
        try:
            if self._clock() < self._next_attempt:
                return  # somebody else fetched while we waited
            self._next_attempt = self._load()
        finally:
            lock.release()

    def _load(self) -> float:
        """Fetch, and return the time before which nobody fetches again."""
        try:
            self._keys = self._keep_known(parse_jwks(self._fetch()))
        except Exception as error:  # whatever it is, requests must go on with the keys we have
            log.warning("Clerk's public keys (JWKS) could not be loaded: %s", error)
            pause = min(COOL_DOWN, FIRST_RETRY * 2.0**self._failures)
            self._failures = min(self._failures + 1, 10)
            return self._clock() + pause
        self._failures = 0
        self._fresh_until = self._clock() + LIFETIME
        return self._clock() + COOL_DOWN

    def _keep_known(self, fetched: dict[str, RSAPublicKey]) -> dict[str, RSAPublicKey]:
        """Go on with the same objects where nothing changed: verified tokens hang on them."""
        return {
            kid: known
            if (known := self._keys.get(kid)) and known.public_numbers() == key.public_numbers()
            else key
            for kid, key in fetched.items()
        }


def parse_jwks(document: object) -> dict[str, RSAPublicKey]:
    """Read the RSA signing keys of a JWKS document (RFC 7517), by ``kid``.

    :raises ValueError: the document has no usable key.
    """
    entries = document.get("keys") if isinstance(document, dict) else None
    try:
        parsed = PyJWKSet.from_dict({"keys": entries}).keys if isinstance(entries, list) else []
    except (PyJWTError, TypeError, AttributeError, ValueError):
        parsed = []
    keys = {
        jwk.key_id: jwk.key for jwk in parsed if jwk.key_id and isinstance(jwk.key, RSAPublicKey)
    }
    if not keys:
        raise ValueError("expected a JWKS document with RSA keys, got something else")
    return keys
