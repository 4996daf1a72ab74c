"""Forged tokens: valid ones with small changes, as an attacker would make them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from hypothesis import strategies as st

from tests.signing import Signer

NOW = 1_800_000_000
"""The time in these tests, as Unix time in seconds."""

Claims = dict[str, Any]


def encode(data: bytes) -> str:
    """Encode in base64url, without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@dataclass(frozen=True)
class Parties:
    """The instance and the attacker, each with a key."""

    ours: Signer
    forger: Signer

    @cached_property
    def genuine(self) -> str:
        """A valid session token, always the same one."""
        return self.ours.token(sub="user_genuine", at=NOW)


# Returns the signature of the given bytes.
Signature = Callable[[Parties, bytes], bytes]


def _rsa(who: str, algorithm: hashes.HashAlgorithm, *, pss: bool = False) -> Signature:
    def sign(parties: Parties, data: bytes) -> bytes:
        scheme = padding.PSS(padding.MGF1(algorithm), 32) if pss else padding.PKCS1v15()
        signer: Signer = getattr(parties, who)
        return signer.key.sign(data, scheme, algorithm)

    return sign


def _hmac_with_public_key(parties: Parties, data: bytes) -> bytes:
    return hmac.new(parties.ours.pem.encode(), data, hashlib.sha256).digest()


def _of_another_token(parties: Parties, data: bytes) -> bytes:
    return base64.urlsafe_b64decode(parties.genuine.split(".")[2] + "==")


SIGNATURES: dict[str, tuple[str, Signature]] = {
    "ours": ("RS256", _rsa("ours", hashes.SHA256())),
    "forger": ("RS256", _rsa("forger", hashes.SHA256())),
    "ours, RS512": ("RS512", _rsa("ours", hashes.SHA512())),
    "ours, PS256": ("PS256", _rsa("ours", hashes.SHA256(), pss=True)),
    "public key as HMAC secret": ("HS256", _hmac_with_public_key),
    "none": ("none", lambda parties, data: b""),
    "zeros": ("RS256", lambda parties, data: bytes(256)),
    "of another token": ("RS256", _of_another_token),
}


@dataclass(frozen=True)
class Offset:
    """A time relative to now."""

    seconds: float


# Changes a finished token. The parameters: the token, a genuine one, a number, a character.
Twist = Callable[[str, str, int, str], str]


def _part(token: str, index: int) -> str:
    return [*token.split("."), "", "", ""][index]


def _with_part(token: str, index: int, part: str) -> str:
    parts = [*token.split("."), "", "", ""][:3]
    parts[index] = part
    return ".".join(parts)


def _spare_bits(token: str) -> str:
    # The last base64 character of a 256-byte signature has four unused bits.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    position = alphabet.find(token[-1:])
    return token[:-1] + alphabet[position ^ 1] if position >= 0 else token


TWISTS: dict[str, Twist] = {
    "none": lambda t, g, n, c: t,
    "header of another": lambda t, g, n, c: _with_part(t, 0, _part(g, 0)),
    "payload of another": lambda t, g, n, c: _with_part(t, 1, _part(g, 1)),
    "signature of another": lambda t, g, n, c: _with_part(t, 2, _part(g, 2)),
    "no signature": lambda t, g, n, c: _with_part(t, 2, ""),
    "two parts": lambda t, g, n, c: t.rpartition(".")[0],
    "four parts": lambda t, g, n, c: f"{t}.{_part(g, 2)}",
    "five parts": lambda t, g, n, c: f"{t}.{c}.{c}",
    "cut at the end": lambda t, g, n, c: t[: -(n % 400) or None],
    "cut at the start": lambda t, g, n, c: t[n % 400 :],
    "one character more": lambda t, g, n, c: t[: n % 800] + c + t[n % 800 :],
    "one character other": lambda t, g, n, c: t[: n % 800] + c + t[n % 800 + 1 :],
    "spare bits": lambda t, g, n, c: _spare_bits(t),
    "padded": lambda t, g, n, c: t + "=" * (n % 4),
    "parts padded": lambda t, g, n, c: ".".join(p + "=" for p in t.split(".")),
    "other alphabet": lambda t, g, n, c: t.replace("-", "+").replace("_", "/"),
    "lower case": lambda t, g, n, c: t.lower(),
    "percent-encoded": lambda t, g, n, c: quote(t, safe=""),
    "dots percent-encoded": lambda t, g, n, c: t.replace(".", "%2E"),
    "quoted": lambda t, g, n, c: f'"{t}"',
    "octal in quotes": lambda t, g, n, c: f'"\\{ord(t[:1] or "e"):03o}{t[1:]}"',
    "twice": lambda t, g, n, c: t + t,
    "listed": lambda t, g, n, c: f"{t},{g}",
    "two cookies": lambda t, g, n, c: f"{t}; __session={g}",
    "with spaces": lambda t, g, n, c: f"  {t} \t",
    "of 20 kilobytes": lambda t, g, n, c: t + "A" * 20_000,
    "JWT in JWT": lambda t, g, n, c: f"{encode(t.encode('utf-8', 'replace'))}.{g}",
    "dots alone": lambda t, g, n, c: ".." if n % 2 else "." * (n % 9),
}


@dataclass(frozen=True)
class Forgery:
    """Instructions for making a token."""

    signed: str = "ours"
    """A key of :data:`SIGNATURES`."""
    header: Mapping[str, Any] = field(default_factory=dict)
    claims: Mapping[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    """Claims to leave out."""
    payload: bytes | None = None
    """The payload, in place of claims."""
    twist: str = "none"
    """A key of :data:`TWISTS`."""
    number: int = 0
    character: str = "A"

    def make(self, parties: Parties, base: Claims | None = None) -> str:
        """Make the token.

        :param base: the claims to change; by default those of a valid session token.
        """
        algorithm, sign = SIGNATURES[self.signed]
        header = {"typ": "JWT", "alg": algorithm, "kid": parties.ours.kid, **self.header}
        claims = {**(parties.ours.claims(at=NOW) if base is None else base), **self.claims}
        for name in self.without:
            claims.pop(name, None)
        for name, value in claims.items():
            if isinstance(value, Offset):
                claims[name] = NOW + value.seconds
        payload = json.dumps(claims).encode() if self.payload is None else self.payload
        data = f"{encode(json.dumps(header).encode())}.{encode(payload)}"
        token = f"{data}.{encode(sign(parties, data.encode()))}"
        return TWISTS[self.twist](token, parties.genuine, self.number, self.character)


DEEP: Any = json.loads("[" * 90 + "]" * 90)
ODD: list[Any] = [
    *(None, True, False, 0, -1, 1, 1.5, 2**31, 2**63, 10**400, -(10**400), 1e308, -1e308),
    *(float("nan"), float("inf"), float("-inf"), "", "0", "1800000060", "\ud800", "\x00"),
    *("caf\u00e9\u2028", [], {}, [[]], [1800000060], {"a": 1}, {"sub": "user_alice"}, DEEP),
]
"""Values of unexpected types and sizes."""

# Clerk doesn't document whether null counts as absent in these headers.
ODD_BUT_THERE = [value for value in ODD if value is not None]

TIMES: list[Any] = [
    *map(Offset, (-(10.0**9), -3600.0, -60.0, -6.0, -5.0, -4.9, -1.0, 0.0)),
    *map(Offset, (0.5, 4.9, 5.0, 5.1, 6.0, 60.0, 3600.0, 10.0**9)),
]
CHARACTERS = [*'Aa0_-.=+/% ,;"\\\t\r\n\x00\x7f\x85\xa0\xe9\u2028\U0001f511']

HEADERS: dict[str, list[Any]] = {
    "alg": ["RS256", "none", "None", "HS256", "RS384", "RS512", "PS256", "rs256", *ODD],
    "kid": ["ins_test", "ins_other", "../../etc/passwd", "' or 1=1 --", *ODD],
    "typ": ["JWT", "jwt", "at+jwt", "application/at+jwt", "JWS", *ODD_BUT_THERE],
    "cat": [
        *("cl_B7d4PD111AAA", "cl_I7d4PD111III", "cl_B7d4PD222AAA", "cl_B7d4PD333AAA", "cl_"),
        *ODD_BUT_THERE,
    ],
    "crit": [["exp"], ["b64"], ["b64", "exp"], [5], "exp", *ODD],
    "b64": [*ODD],
    "cty": ["JWT", "application/json", 5],
    "zip": ["DEF"],
    "jku": ["https://evil.example/jwks.json"],
    "jwk": [{"kty": "oct", "k": "AA"}, *ODD],
    "x5c": [["AA"], *ODD],
    "enc": ["A256GCM"],
}
CLAIMS: dict[str, list[Any]] = {
    "sub": ["user_eve", "mch_1", "org_1", "../users", "a" * 999, "\u202euser", *ODD],
    "sid": ["sess_2", "../x", *ODD],
    "iss": [
        *("https://evil.example", "https://clerk.example.com", "clerk.example.com"),
        *("https://quick-fox-7.clerk.accounts.dev", "https://quick-fox-7.clerk.accounts.dev/"),
        *("http://quick-fox-7.clerk.accounts.dev", "HTTPS://CLERK.EXAMPLE.COM", *ODD),
    ],
    "azp": [
        *("http://localhost", "http://localhost/", "HTTP://LOCALHOST", "https://evil.example"),
        *("http://localhost.evil.example", ["http://localhost"], "*", *ODD),
    ],
    "exp": [*TIMES, *ODD],
    "nbf": [*TIMES, *ODD],
    "iat": [*TIMES, *ODD],
    "v": [1, 2, 3, "2", *ODD],
    "o": [{"id": "org_1", "slg": "acme", "rol": "admin"}, {"id": 5}, *ODD],
    "org_id": ODD,
    "org_permissions": [["org:a:b"], [["x"]], *ODD],
    "fea": ["o:a,u:b", "ou:a,:,", ":::", *ODD],
    "pla": ODD,
    "act": [{"sub": "user_staff"}, {"sub": 5}, *ODD],
    "fva": [[1, -1], [1], ["1", "2"], [-5, 10**400], *ODD],
    "sts": ["active", "pending", *ODD],
    "handshake": [["__session=x"], "x", *ODD],
}
PAYLOADS = [
    *(b"", b"null", b"[]", b'"user_alice"', b"5", b"{", b"\xff\xfe{}", b"[" * 3000),
    *(b'{"sub":"user_alice","exp":NaN}', b'{"sub":"user_eve","exp":1e999}'),
    b'{"sub":"user_alice","sub":"user_eve","exp":1800000060}',
    '{"sub":"user_eve","exp":1800000060}'.encode("utf-16"),
    b'\xef\xbb\xbf{"sub":"user_eve","exp":1800000060}',
    b'{"sub":"user_eve","exp":%s}' % (b"9" * 5000),
    b'{"sub":"user_eve","exp":1800000060,"x":%s}' % (b"[" * 3000 + b"]" * 3000),
]

CHANGES: dict[str, list[Forgery]] = {
    "header": [Forgery(header={name: value}) for name in HEADERS for value in HEADERS[name]],
    "claim": [Forgery(claims={name: value}) for name in CLAIMS for value in CLAIMS[name]],
    "without": [Forgery(without=(name,)) for name in CLAIMS],
    "payload": [Forgery(payload=payload) for payload in PAYLOADS],
    "signature": [Forgery(signed) for signed in SIGNATURES],
    "twist": [
        Forgery(twist=twist, number=number, character=character)
        for twist in TWISTS
        for number in ((3, 27, 150, 301, 399) if "c" in twist else (3,))
        for character in (CHARACTERS if twist.startswith("one ") else ["\x00"])
    ],
}
"""Every single change to a valid token, by kind."""


def _merge(changes: list[Forgery]) -> Forgery:
    """Combine changes. If two concern the same value, the later one wins."""
    plain, merged = Forgery(), Forgery()
    for change in changes:
        values = {name: value for name, value in vars(change).items() if value != getattr(plain, name)}
        for name in values.keys() & {"header", "claims"}:
            values[name] = {**getattr(merged, name), **values[name]}
        merged = replace(merged, **values)
    return merged


# Draws the kind first, so that kinds with few values are as frequent as those with many.
_CHANGE = st.one_of(*map(st.sampled_from, CHANGES.values()))


def forgeries() -> st.SearchStrategy[Forgery]:
    """Tokens without a change, with one, and with several."""
    return st.one_of(
        st.just(Forgery()), _CHANGE, _CHANGE, st.lists(_CHANGE, min_size=2, max_size=4).map(_merge)
    )


JUNK = st.text(max_size=40) | st.binary(max_size=40).map(lambda data: data.decode("latin-1"))
"""Random text."""
