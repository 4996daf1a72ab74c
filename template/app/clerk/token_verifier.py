"""Session tokens that were good before: a browser sends the same one for most of a minute."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from .forking import renew_after_fork
from .instance import Instance
from .tokens import CLOCK_SKEW, FindKey, check_times, verify_session_token

SIZE = 4096
"""Tokens remembered at once; about 2 kB each."""


class _Verified(NamedTuple):
    claims: dict[str, Any]
    kid: str | None
    key: RSAPublicKey


class TokenVerifier:
    """Verifies session tokens of one instance, and remembers which ones were good.

    What is remembered counts only while its key is still in use, and its times are checked anew
    each time. Only verified tokens are remembered, so that forgers cannot fill the memory.

    :param instance: who must have issued the tokens.
    :param find_key: finds its public keys by ``kid``.
    """

    def __init__(self, instance: Instance, find_key: FindKey) -> None:
        self.find_key = find_key
        self._instance = instance
        self._verified: dict[str, _Verified] = {}
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        """Forget who is writing: in a forked process nobody is."""
        self._lock = threading.Lock()

    def verify(self, token: str, now: float, *, clock_skew: float = CLOCK_SKEW) -> dict[str, Any]:
        """The claims of a good token: shared between requests, so treat them as read-only.

        :param now: unix time in seconds.
        :param clock_skew: seconds of tolerance.
        :raises TokenError: as :func:`~.tokens.verify_session_token`.
        """
        known = self._verified.get(token)
        if known is not None and self.find_key(known.kid) is known.key:
            check_times(known.claims, now, clock_skew)
            return known.claims
        used: list[tuple[str | None, RSAPublicKey]] = []

        def find_key(kid: str | None) -> RSAPublicKey:
            used.append((kid, self.find_key(kid)))
            return used[-1][1]

        claims = verify_session_token(token, self._instance, find_key, now, clock_skew=clock_skew)
        self._remember(token, _Verified(claims, *used[-1]))
        return claims

    def _remember(self, token: str, verified: _Verified) -> None:
        with self._lock:
            if len(self._verified) >= SIZE:
                # The first one in expires first, as all tokens live equally long.
                self._verified.pop(next(iter(self._verified)))
            self._verified[token] = verified
