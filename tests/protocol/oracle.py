"""A test oracle: a second, simple implementation of the rules, to compare the app with.

It shares no code with ``app.clerk``.
"""

from __future__ import annotations

import base64
import json
import math
import re
from typing import Any
from urllib.parse import urljoin, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

JWT_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
LONGEST_TOKEN = 16_384
"""Characters."""

CLASSES = ("cl_B7d4PD111AAA", "cl_I7d4PD111III")
SKEW = 5
"""Seconds."""

LONGEST_LIFETIME = 24 * 3600
"""Seconds from the issue of a session token to its expiration."""

ONLY_THE_SIGNATURE: Any = {
    name: name == "verify_signature"
    for name in (
        "verify_signature",
        "verify_exp",
        "verify_nbf",
        "verify_iat",
        "verify_aud",
        "verify_iss",
        "verify_sub",
        "verify_jti",
    )
}


def signed_claims(token: str, key: RSAPublicKey, kid: str | None) -> dict[str, Any] | None:
    """The claims of a session token or handshake payload signed with this key, or None.

    :param kid: the required key ID; None accepts any.
    """
    if len(token) > LONGEST_TOKEN or not JWT_SHAPE.fullmatch(token):
        return None
    try:
        decoded = jwt.decode_complete(token, key, algorithms=["RS256"], options=ONLY_THE_SIGNATURE)
        _strict_json(token.split(".")[0])
        _strict_json(token.split(".")[1])
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        return None
    header: dict[str, Any] = decoded["header"]
    claims: dict[str, Any] = decoded["payload"]
    good = (
        header.get("typ", "JWT") == "JWT"
        # PyJWT supports one extension (RFC 7797); the app supports none.
        and "crit" not in header
        and ("cat" not in header or header["cat"] in CLASSES)
        and kid in (None, header.get("kid"))
        and not str(claims.get("sub")).startswith("mch_")
    )
    return claims if good else None


def session_claims(
    token: str,
    key: RSAPublicKey,
    kid: str | None,
    *,
    issuer: str,
    parties: frozenset[str],
    now: float,
) -> dict[str, Any] | None:
    """The claims of a valid session token; None for any other text.

    :param kid: the required key ID; None accepts any.
    :param issuer: the instance's ``iss``.
    :param parties: the origins accepted in ``azp``; an empty set accepts any.
    :param now: Unix time in seconds.
    """
    claims = signed_claims(token, key, kid)
    if claims is None:
        return None
    good = (
        isinstance(claims.get("sub"), str)
        and claims["sub"] != ""
        and (not parties or (isinstance(claims.get("azp"), str) and claims["azp"] in parties))
        and ("iss" not in claims or claims["iss"] == issuer)
        and _is_time(claims.get("exp"))
        and claims["exp"] > now - SKEW
        and all(
            name not in claims or (_is_time(claims[name]) and claims[name] <= now + SKEW)
            for name in ("nbf", "iat")
        )
        and ("iss" not in claims or (isinstance(claims.get("sid"), str) and claims["sid"] != ""))
        and claims["exp"] - claims.get("iat", now) <= LONGEST_LIFETIME
    )
    return claims if good else None


def handshake_directives(
    token: str, key: RSAPublicKey, kid: str | None, *, issuer: str, now: float
) -> list[str] | None:
    """The cookies in a valid handshake payload that was signed with this key, or None.

    :param issuer: the instance's ``iss``.
    :param now: Unix time in seconds.
    """
    claims = signed_claims(token, key, kid)
    if claims is None or "sub" in claims or claims.get("iss", issuer) != issuer:
        return None
    times = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
    if not all(map(_is_time, times.values())) or times.get("exp", now) <= now - SKEW:
        return None
    if any(times.get(name, now) > now + SKEW for name in ("nbf", "iat")):
        return None
    return header_safe_list(claims.get("handshake"))


def header_safe_list(values: object) -> list[str] | None:
    """The value itself if it is a list of valid HTTP header values, or None."""
    if not isinstance(values, list):
        return None
    for value in values:
        if not isinstance(value, str) or any(not " " <= c <= "\xff" for c in value):
            return None
    return values


def leads_away(target: str, origin: str) -> bool:
    """Whether this redirect target sends a browser to another origin.

    It does if either the URL standard (https://url.spec.whatwg.org/#url-parsing, for ``http`` and
    ``https``) or Python's URL parser says so.
    """
    return {_resolved_origin(target, origin), _python_origin(target, origin)} != {origin}


def _resolved_origin(target: str, origin: str) -> str | None:
    text = target.strip("".join(map(chr, range(0x21))))
    text = re.sub(r"[\t\n\r]", "", text).replace("\\", "/")
    scheme = urlsplit(origin).scheme
    given = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", text)
    if given:
        if given[1].lower() not in ("http", "https"):
            return None
        rest = text[given.end() :]
        if given[1].lower() == scheme and not rest.startswith("//"):
            return origin if not rest.startswith("//") else None
        scheme, text = given[1].lower(), "//" + rest.lstrip("/")
    if not text.startswith("//"):
        return origin
    authority = re.split(r"[/?#]", text.lstrip("/"), maxsplit=1)[0]
    return f"{scheme}://{authority.rpartition('@')[2].lower()}"


def _python_origin(target: str, origin: str) -> str | None:
    try:
        parts = urlsplit(urljoin(f"{origin}/", target))
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.netloc}"


def prefers_suffixed(
    cookies: dict[str, str], suffix: str, host: str, *, development: bool, now: float
) -> bool:
    """Whether to use the cookies with a suffix, by the eight rules of Clerk's SDKs.

    :param suffix: the instance's cookie suffix, without the underscore.
    :param host: the host of the instance's Frontend API.
    :param now: Unix time in seconds.
    """
    plain, other = cookies.get("__session"), cookies.get(f"__session_{suffix}")
    uat, other_uat = cookies.get("__client_uat"), cookies.get(f"__client_uat_{suffix}")
    claims, other_claims = _decoded(plain), _decoded(other)
    issuer = claims.get("iss")
    exp = other_claims.get("exp")
    rules = [
        (bool(plain) and not (isinstance(issuer, str) and issuer), False),
        (bool(plain) and re.sub("^https?://", "", str(issuer)) != host, True),
        (not other_uat and not other, False),
        (other_uat != "0" and uat != "0" and _number(claims) > _number(other_claims), False),
        (other_uat == "0" and uat != "0", False),
        (
            development
            and other_uat != "0"
            and uat == "0"
            and "exp" in other_claims
            and (not isinstance(exp, int | float) or exp <= now),
            False,
        ),
        (not other_uat and bool(other), False),
    ]
    return next((answer for applies, answer in rules if applies), True)


def _number(claims: dict[str, Any]) -> float:
    issued = claims.get("iat")
    return issued if isinstance(issued, int | float) else 0


def _decoded(token: str | None) -> dict[str, Any]:
    if not token or len(token) > LONGEST_TOKEN or not JWT_SHAPE.fullmatch(token):
        return {}
    try:
        header, claims = map(_strict_json, token.split(".")[:2])
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(header, dict) and isinstance(claims, dict) else {}


def _strict_json(part: str) -> Any:
    def refuse(name: str) -> None:
        raise ValueError(name)

    text = base64.urlsafe_b64decode(part + "==").decode()  # UTF-8 (RFC 7519, 7.2)
    return json.loads(text, parse_constant=refuse)


def _is_time(value: object) -> bool:
    if type(value) is int:
        return abs(value) < 10**300
    return type(value) is float and math.isfinite(value)
