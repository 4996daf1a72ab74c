"""The public keys that verify tokens: one given in PEM form, or Clerk's JWKS.

Source: https://clerk.com/docs/guides/sessions/manual-jwt-verification
"""

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
from .setting_values import ConfigurationError
from .tokens import TokenError

log = logging.getLogger(__name__)

LIFETIME = 300.0
"""Seconds for which fetched keys count as fresh."""

COOL_DOWN = 30.0
"""Minimum seconds between fetches for unknown key IDs; also the longest wait after failures."""

FIRST_FETCH_WAIT = 4.0
"""Seconds to wait for another thread's fetch when no keys have been loaded yet."""

FIRST_RETRY = 1.0
"""Seconds to wait after the first failed fetch; doubles with each further failure."""


def read_pem_key(pem: str) -> RSAPublicKey:
    """Read the value of ``CLERK_JWT_KEY``.

    :param pem: a public key in PEM form, with real newlines.
    :raises ConfigurationError: the value is not an RSA public key of at least 2048 bits.
    """
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPublicKey) or key.key_size < 2048:
        raise ConfigurationError(
            "CLERK_JWT_KEY is not an RSA public key of at least 2048 bits, in PEM form: "
            "-----BEGIN PUBLIC KEY-----…. Copy 'JWKS public key' from the Clerk dashboard, or "
            "leave CLERK_JWT_KEY empty: the keys are then fetched."
        )
    return key


class JwksKeys:
    """The keys of one instance, fetched when needed and kept during outages.

    A process fetches them once at a time. Unknown key IDs cause at most one fetch per
    :data:`COOL_DOWN`, so a flood of forged tokens causes no flood of fetches. When a fetch fails,
    the previous keys stay in use.

    :param fetch: returns Clerk's JWKS document; may raise any exception.
    :param clock: returns monotonic time in seconds.
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
        """Replace the lock: the thread that holds it may not exist in a forked process."""
        self._lock = threading.Lock()

    def find(self, kid: str | None) -> RSAPublicKey:
        """Find a key by its ID.

        :param kid: the token's ``kid`` header.
        :raises TokenError: ``jwk-kid-mismatch`` if the instance has no such key, or
            ``jwk-remote-failed-to-load`` if no keys could be loaded yet.
        """
        key = self._keys.get(kid or "")
        if key is None or self._clock() >= self._fresh_until:
            self._refresh()
            key = self._keys.get(kid or "")
        if key is not None:
            return key
        if not self._keys:
            raise TokenError("jwk-remote-failed-to-load", "Clerk's public keys can't be loaded")
        raise TokenError("jwk-kid-mismatch", "no key of this instance has the token's kid")

    def _refresh(self) -> None:
        if self._clock() < self._next_attempt:
            return
        # Only without any key does a thread wait for another thread's fetch: with keys, the token
        # is good already, or most likely forged.
        lock = self._lock
        if not lock.acquire(timeout=0 if self._keys else FIRST_FETCH_WAIT):
            return
        try:
            if self._clock() < self._next_attempt:
                return  # another thread fetched the keys during the wait
            self._next_attempt = self._load()
        finally:
            lock.release()

    def _load(self) -> float:
        """Fetch the keys, and return the earliest time of the next fetch."""
        try:
            self._keys = self._keep_known(parse_jwks(self._fetch()))
        except Exception as error:  # whatever failed, requests continue with the previous keys
            log.warning("Clerk's public keys (JWKS) could not be loaded: %s", error)
            pause = min(COOL_DOWN, FIRST_RETRY * 2.0**self._failures)
            self._failures = min(self._failures + 1, 10)
            return self._clock() + pause
        self._failures = 0
        self._fresh_until = self._clock() + LIFETIME
        return self._clock() + COOL_DOWN

    def _keep_known(self, fetched: dict[str, RSAPublicKey]) -> dict[str, RSAPublicKey]:
        """Keep the objects of unchanged keys, because cached tokens refer to them."""
        return {
            kid: known
            if (known := self._keys.get(kid)) and known.public_numbers() == key.public_numbers()
            else key
            for kid, key in fetched.items()
        }


def parse_jwks(document: object) -> dict[str, RSAPublicKey]:
    """Read the RSA keys of a JWKS document (RFC 7517), by ``kid``.

    :raises ValueError: the document contains no usable key.
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
        raise ValueError("the response is not a JWKS document with RSA keys")
    return keys
