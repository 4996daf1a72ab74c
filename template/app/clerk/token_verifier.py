"""Verify session tokens once: a browser sends the same one for most of a minute."""

from __future__ import annotations

from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from .bounded_cache import BoundedCache
from .instance import Instance
from .lost_cookies import RecentHandshakes
from .tokens import (
    FindKey,
    check_authorized_party,
    check_times,
    decode_unverified,
    verify_session_token,
)

SESSION_TOKENS_SIZE = 3 * 1024 * 1024
"""Bytes for verified tokens, which need about 1 kB each."""


class _SigningKey(NamedTuple):
    kid: str | None
    key: RSAPublicKey


class TokenVerifier:
    """Verifies the session tokens of one instance, and caches valid ones.

    A cached token is accepted only while its key is in use, and its times are checked on every
    request. Only verified tokens are cached, so forged ones can't evict them.

    :param instance: the instance that must have issued the tokens.
    :param find_key: finds the instance's public keys by ``kid``.
    """

    def __init__(self, instance: Instance, find_key: FindKey) -> None:
        self.find_key = find_key
        self.recent_handshakes = RecentHandshakes()
        self.clock_offset = 0.0
        """Seconds to add to the local clock to get Clerk's; in production always 0."""
        self._instance = instance
        self._clock_skew = instance.clock_skew
        self._allows_missing_azp = instance.allow_missing_azp
        self._verified: BoundedCache[str, _SigningKey] = BoundedCache(SESSION_TOKENS_SIZE)

    def verify(
        self, token: str, now: float, *, clock_skew: float | None = None, bearer: bool = False
    ) -> dict[str, Any]:
        """Verify a token, and return its claims.

        The claims are shared between requests, so treat them as read-only.

        :param token: the JWT in compact form.
        :param now: Unix time in seconds.
        :param clock_skew: seconds of tolerance for ``exp``, ``nbf`` and ``iat``, if not those of
            the instance.
        :param bearer: whether the token is from the ``Authorization`` header.
        :raises TokenError: see :func:`~.tokens.verify_session_token`.
        """
        skew = self._clock_skew if clock_skew is None else clock_skew
        known = self._verified.get(token)
        if known is not None and self.find_key(known.kid) is known.key:
            claims = decode_unverified(token).claims
            check_times(claims, now, skew)
            if self._allows_missing_azp:  # the cached token may be a bearer's
                check_authorized_party(claims, self._instance, bearer=bearer)
            return claims
        used: list[_SigningKey] = []

        def find_key(kid: str | None) -> RSAPublicKey:
            used.append(_SigningKey(kid, self.find_key(kid)))
            return used[-1].key

        claims = verify_session_token(
            token, self._instance, find_key, now, clock_skew=skew, bearer=bearer
        )
        self._verified.put(token, used[-1], size=len(token))
        return claims
