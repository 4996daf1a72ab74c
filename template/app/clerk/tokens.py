"""Verify session tokens, and machine tokens in JWT form.

Source: https://clerk.com/docs/guides/sessions/manual-jwt-verification
"""

from __future__ import annotations

import binascii
import json
import re
import string
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from .instance import Instance

TIME_ERRORS = ("token-expired", "token-not-active-yet", "token-iat-in-the-future")
"""The reasons for rejecting a token that a new token, or a correct clock, can fix."""

LONGEST_LIFETIME = 24 * 3600.0
"""Seconds between the issue and the expiration of a session token.

Clerk's live for 60 seconds; its Backend API makes longer ones for tests. A token can't be revoked,
so one that lives for months is not a session.
Source: https://clerk.com/docs/guides/sessions/session-tokens
"""

LATEST_TIME = 1e308
"""Unix time in seconds. Larger numbers can't be compared with floats."""

NUMBERS = (int, float)
"""The types of JSON numbers. In Python, bool is a subclass of int."""

MAX_TOKEN_LENGTH = 16_384
"""Characters. Clerk's tokens fit into a cookie of 4 kB; longer ones aren't even decoded."""

UNCLASSIFIED = "cl_I7d4PD111III"
"""The value of the ``cat`` header in tokens without a class."""

MAX_COOKIE_LENGTH = 4096
"""Characters. Browsers don't store longer cookies."""


MAX_HEADER_LENGTH = 512
"""Characters. The encoded headers of Clerk's tokens have about 130."""

SESSION_CLASSES = (None, "cl_B7d4PD111AAA", UNCLASSIFIED)
"""The values of the ``cat`` header in session tokens."""

MACHINE_CLASS = "cl_B7d4PD333AAA"
"""The value of the ``cat`` header in machine-to-machine tokens."""

OAUTH_TYPES = ("at+jwt", "application/at+jwt")
"""The values of the ``typ`` header in OAuth access tokens (RFC 9068)."""

_ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
_LAST_CHARACTERS = (_ALPHABET, _ALPHABET[::4], _ALPHABET[::16], "")
"""The last characters allowed in canonical base64url, by length of omitted padding.

Their unused bits are zero (RFC 4648, section 3.5).
"""
_PARTS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\Z")
# PyJWT's verifier for signatures. Its decode() would decode the token a second time.
_RS256 = jwt.get_algorithm_by_name("RS256")

FindKey = Callable[[str | None], RSAPublicKey]
"""Finds the public key for a ``kid``; raises :class:`TokenError`."""


class TokenError(Exception):
    """A token is invalid.

    :param reason: Clerk's code, such as ``token-expired``.
    :param message: describes the error; never contains the token.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class DecodedToken(NamedTuple):
    """The contents of a token, not verified."""

    header: dict[str, Any]
    claims: dict[str, Any]


def decode_unverified(token: str) -> DecodedToken:
    """Decode a token without verifying it.

    The result may be forged. It is shared between requests, so treat it as read-only.

    :param token: the JWT in compact form.
    :raises TokenError: ``token-invalid``.
    """
    return _decode_recent(token) if len(token) <= MAX_COOKIE_LENGTH else _decode(token)


def _decode(token: str) -> DecodedToken:
    if len(token) > MAX_TOKEN_LENGTH or not _PARTS.match(token):
        raise TokenError("token-invalid", "not a JWT of three base64url parts")
    header, payload, _ = token.split(".")
    decode_header = _decode_recent_header if len(header) <= MAX_HEADER_LENGTH else _decode_object
    return DecodedToken(decode_header(header, "header"), _decode_object(payload, "payload"))


# One request decodes its token several times, and all tokens of an instance have the same header.
# Forged tokens can't fill the memory: four of each need less than 1 MB, whatever is in them.
_decode_recent = lru_cache(maxsize=4)(_decode)


def verify_session_token(
    token: str,
    instance: Instance,
    find_key: FindKey,
    now: float,
    *,
    clock_skew: float | None = None,
    bearer: bool = False,
) -> dict[str, Any]:
    """Verify a session token and return its claims.

    The order of the checks, and so the reason for an error, is that of Clerk's own SDKs.

    :param token: the JWT in compact form.
    :param instance: the instance that must have issued it.
    :param find_key: finds the public key for a ``kid``.
    :param now: Unix time in seconds.
    :param clock_skew: seconds of tolerance for ``exp``, ``nbf`` and ``iat``, if not those of the
        instance.
    :param bearer: whether the token is from the ``Authorization`` header.
    :raises TokenError: the token is invalid.
    """
    decoded = decode_unverified(token)
    claims = decoded.claims
    check_token_class(decoded)
    verify_signature(token, decoded.header, find_key)
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise TokenError("token-invalid", "the claim sub is not a user ID")
    check_authorized_party(claims, instance, bearer=bearer)
    if claims.get("iss", instance.issuer) != instance.issuer:
        raise TokenError("token-invalid", "the claim iss names another Clerk instance")
    check_times(claims, now, instance.clock_skew if clock_skew is None else clock_skew)
    _check_is_session(claims, now)
    return claims


def verify_machine_jwt(
    token: str,
    find_key: FindKey,
    issuer: str,
    now: float,
    *,
    clock_skew: float = Instance.clock_skew,
) -> dict[str, Any]:
    """Verify a machine-to-machine or OAuth access token in JWT form, and return its claims.

    Source: https://clerk.com/docs/guides/development/machine-auth/token-formats

    :param token: the JWT in compact form.
    :param find_key: finds the public key for a ``kid``.
    :param issuer: the instance's ``iss``.
    :param now: Unix time in seconds.
    :param clock_skew: seconds of tolerance for ``exp``, ``nbf`` and ``iat``.
    :raises TokenError: the token is invalid, or of another class.
    """
    decoded = decode_unverified(token)
    claims, kind = decoded.claims, decoded.header.get("typ", "JWT")
    is_oauth = kind in OAUTH_TYPES
    if not is_oauth and not str(claims.get("sub")).startswith("mch_"):
        raise TokenError("token-type-mismatch", "the token is not a machine token")
    if decoded.header.get("cat") not in (None, UNCLASSIFIED, MACHINE_CLASS):
        raise TokenError("token-type-mismatch", "the token is of another class")
    verify_signature(token, decoded.header, find_key, types=OAUTH_TYPES if is_oauth else ("JWT",))
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise TokenError("token-invalid", "the claim sub is not an ID")
    if claims.get("iss", issuer) != issuer:
        raise TokenError("token-invalid", "the claim iss names another Clerk instance")
    check_times(claims, now, clock_skew)
    return claims


def check_token_class(decoded: DecodedToken) -> None:
    """Reject tokens that are not session tokens.

    The same key signs JWT templates and machine tokens, whose claims the app's developers choose.

    :raises TokenError: ``token-type-mismatch``.
    """
    subject = decoded.claims.get("sub")
    if (
        decoded.header.get("cat") not in SESSION_CLASSES
        or decoded.header.get("typ") in OAUTH_TYPES
        or (isinstance(subject, str) and subject.startswith("mch_"))
    ):
        raise TokenError("token-type-mismatch", "the token is not a session token")


def verify_signature(
    token: str, header: dict[str, Any], find_key: FindKey, *, types: tuple[str, ...] = ("JWT",)
) -> None:
    """Check that the instance signed a token, using RS256.

    :param token: the JWT in compact form.
    :param header: the token's header, from :func:`decode_unverified`.
    :param find_key: finds the public key for a ``kid``.
    :param types: the accepted values of the ``typ`` header; without the header, it is ``JWT``.
    :raises TokenError: ``token-invalid``, ``token-invalid-algorithm``,
        ``token-invalid-signature``, or an error from ``find_key``.
    """
    kid = header.get("kid")
    if "kid" in header and not isinstance(kid, str):
        raise TokenError("token-invalid", "the header's kid is not a string")
    key = find_key(kid)
    if header.get("typ", "JWT") not in types:
        raise TokenError("token-invalid", f"the header's typ is not {types[0]}")
    if header.get("alg") != "RS256":
        raise TokenError("token-invalid-algorithm", "the header's alg is not RS256")
    # crit lists extensions that a verifier must support (RFC 7515, section 4.1.11), and b64 changes
    # what is signed (RFC 7797). Neither is supported here.
    if "crit" in header or header.get("b64") is False:
        raise TokenError("token-invalid", "the header requires an extension of JWS")
    signed, _, signature = token.rpartition(".")
    try:
        good = _RS256.verify(signed.encode(), key, _decode_base64(signature))
    except ValueError:
        good = False
    if not good:
        raise TokenError(
            "token-invalid-signature", "the signature does not match this instance's key"
        )


def check_authorized_party(claims: dict[str, Any], instance: Instance, *, bearer: bool) -> None:
    """Check that the token was issued for one of the origins in ``CLERK_AUTHORIZED_PARTIES``.

    :param bearer: whether the token is from the ``Authorization`` header.
    :raises TokenError: ``token-invalid-authorized-parties``.
    """
    azp = claims.get("azp")
    if not instance.authorized_parties:
        return
    if isinstance(azp, str) and azp in instance.authorized_parties:
        return
    if "azp" in claims:
        seen = ascii(azp)[:100]
        message = f"the claim azp is {seen}, which CLERK_AUTHORIZED_PARTIES doesn't list"
    elif not instance.allow_missing_azp:
        message = (
            "the token has no claim azp, so CLERK_AUTHORIZED_PARTIES can't be checked; "
            "CLERK_ALLOW_MISSING_AZP=true accepts such tokens from API clients"
        )
    elif bearer:
        return
    else:
        message = "the cookie's token has no claim azp, which only API clients may omit"
    raise TokenError("token-invalid-authorized-parties", message)


def _check_is_session(claims: dict[str, Any], now: float) -> None:
    """Reject tokens with other purposes, which the same key signs: they could outlive a session.

    All of Clerk's session tokens have ``iss`` and ``sid``. Tokens from JWT templates have ``iss``
    alone, and the app's developers choose how long they live.

    :raises TokenError: ``token-invalid``.
    """
    session_id = claims.get("sid")
    if "iss" in claims and not (isinstance(session_id, str) and session_id):
        raise TokenError("token-invalid", "the claim sid is not a session ID")
    if claims["exp"] - claims.get("iat", now) > LONGEST_LIFETIME:
        raise TokenError("token-invalid", "the token lives longer than a session token")


def check_times(claims: dict[str, Any], now: float, skew: float) -> None:
    """Check ``exp``, ``nbf`` and ``iat``, in this order.

    :param now: Unix time in seconds.
    :param skew: seconds of tolerance.
    :raises TokenError: ``token-expired``, ``token-not-active-yet``, ``token-iat-in-the-future``,
        or ``token-invalid`` if a claim is not a number.
    """
    if _seconds(claims, "exp") <= now - skew:
        raise TokenError("token-expired", f"the token expired {_span(now - claims['exp'])} ago")
    if "nbf" in claims and _seconds(claims, "nbf") > now + skew:
        message = f"the token becomes valid in {_span(claims['nbf'] - now)}"
        raise TokenError("token-not-active-yet", message)
    if "iat" in claims and _seconds(claims, "iat") > now + skew:
        message = f"the token was issued {_span(claims['iat'] - now)} in the future"
        raise TokenError("token-iat-in-the-future", message)


def unverified_time(claims: dict[str, Any], name: str) -> float:
    """Read a time from claims that have not been verified, to compare tokens by age.

    :returns: Unix time in seconds; 0 if the claim is missing or not a number.
    """
    value: float = claims.get(name)  # type: ignore[assignment]
    return value if isinstance(value, NUMBERS) else 0


def _span(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 1e10 else "centuries"


def _seconds(claims: dict[str, Any], name: str) -> float:
    value: float = claims.get(name)  # type: ignore[assignment]
    # NaN and infinity would pass comparisons, and huge integers can't be compared with floats.
    if type(value) not in NUMBERS or not abs(value) <= LATEST_TIME:
        raise TokenError("token-invalid", f"the claim {name} is not a time in seconds")
    return value


@lru_cache(maxsize=4)
def _decode_recent_header(part: str, name: str) -> dict[str, Any]:
    return _decode_object(part, name)


def _decode_object(part: str, name: str) -> dict[str, Any]:
    try:
        value = _DECODER.decode(_decode_base64(part).decode())
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise TokenError("token-invalid", f"the {name} is not a JSON object")
    return value


def _decode_base64(part: str) -> bytes:
    spare = -len(part) % 4
    # Unused bits in the last character would allow several spellings of one signature.
    if part[-1] not in _LAST_CHARACTERS[spare]:
        raise ValueError("not the canonical base64url")
    return binascii.a2b_base64(part.replace("-", "+").replace("_", "/") + "=" * spare)


def _reject_constant(name: str) -> NoReturn:
    # Python's parser accepts NaN and Infinity, which are not JSON and would pass comparisons.
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_reject_constant)
