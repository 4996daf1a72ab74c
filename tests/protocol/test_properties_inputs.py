"""The choice of cookies, redirect targets, and webhooks, tested with any input."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.clerk import safe_path
from app.clerk.cookies import uses_suffixed_cookies
from app.clerk.request import RequestFacts
from app.clerk.webhooks import WebhookError, verify_webhook
from tests.protocol.forgeries import JUNK, NOW
from tests.protocol.oracle import leads_away, prefers_suffixed
from tests.protocol.worlds import WORLD, Worlds, share
from tests.signing import HOST, LIVE_HOST, encode_part

# --- Which cookie ---------------------------------------------------------------------------------

ISSUERS: list[Any] = [
    *(f"https://{HOST}", f"http://{HOST}", HOST, f"https://{LIVE_HOST}", "", 5, None, []),
]
STAMPS: list[Any] = [NOW - 61, NOW - 60, NOW, NOW + 1, 0, -1, 1.5, 10**400, True, "1", None, []]


@st.composite
def unsigned_tokens(draw: st.DrawFn) -> str:
    """Session cookies, most of them without a valid signature, because none is checked yet."""
    claims = {
        "iss": draw(st.sampled_from(ISSUERS[:1] * 6 + ISSUERS)),
        "iat": draw(st.sampled_from(STAMPS)),
        "exp": draw(st.sampled_from(STAMPS)),
    }
    if draw(st.integers(0, 5)) == 0:
        return draw(st.sampled_from(["", "a.b.c", "..", "e30.W10.x", "e30.e30.", "\xe9"]) | JUNK)
    return f"{encode_part({'alg': 'RS256'})}.{encode_part(claims)}.x"


CHOICE_COOKIES = st.fixed_dictionaries(
    {},
    optional={
        "__session": unsigned_tokens(),
        "__session_{suffix}": unsigned_tokens(),
        "__client_uat": st.sampled_from(["0", "0", "1", "", "00", "x"]),
        "__client_uat_{suffix}": st.sampled_from(["0", "0", "1", "", "00", "x"]),
    },
)
IRRELEVANT = st.dictionaries(
    st.sampled_from(["__refresh", "__clerk_db_jwt", "__session_AAAAAAAA", "__Session", "x"]), JUNK
)


@share(1)
@given(WORLD, CHOICE_COOKIES, IRRELEVANT)
def test_the_choice_of_cookies_follows_only_the_eight_rules(
    worlds: Worlds, name: str, patterns: dict[str, str], irrelevant: dict[str, str]
) -> None:
    instance = worlds[name].instance
    suffix = instance.cookie_suffix
    cookies = {key.format(suffix=suffix): value for key, value in patterns.items()}
    expected = prefers_suffixed(cookies, suffix, instance.host, development=instance.is_development, now=NOW)
    plain = RequestFacts("GET", "http://localhost", "/", "", {}, cookies)
    assert uses_suffixed_cookies(plain, instance, NOW) is expected
    # Neither the signature, nor the page, nor other headers and cookies matter.
    resigned = {key: re.sub(r"\.x\Z", ".y", value) for key, value in cookies.items()}
    noisy = RequestFacts(
        "POST", "https://e.example", "/x", "__session=1", {"referer": "x"}, irrelevant | resigned
    )
    assert uses_suffixed_cookies(noisy, instance, NOW) is expected


# --- Redirect targets -----------------------------------------------------------------------------

ORIGIN = "https://app.example"
PIECES = [
    *("/", "/", "/", "\\", "//", "%2f", "%2F", "%5c", "%252f", "\t", "\n", "\r", " ", "\x00"),
    *("@", ":", "?", "#", ".", "..", "/../", "/./", ";", "[", "]", "%", "%09", "%0a", "%00", "%20"),
    *("evil.example", "app.example", ORIGIN, "https:", "http:", "HTTPS:", "javascript:", "data:"),
    *("x", "dashboard", "a=1&b=", "caf\xe9", "\u2028", "\uff0f", "\u2044", "\x85", "\ud800"),
]
TARGETS = st.lists(st.sampled_from(PIECES), max_size=6).map("".join) | JUNK


@share(4)
@given(TARGETS)
@example("/%09/evil.example")
def test_a_safe_path_never_leads_to_another_origin(target: str) -> None:
    path = safe_path(target, ORIGIN)
    if path is not None:
        assert path.startswith("/")
        assert not leads_away(path, ORIGIN)
        assert not leads_away(unquote(path.partition("?")[0]), ORIGIN)
        assert safe_path(path, ORIGIN) == path


PLAIN = st.lists(st.from_regex(r"[A-Za-z0-9_.~-]{1,8}", fullmatch=True), max_size=3).map("/".join)


@settings(max_examples=50)
@given(PLAIN, st.from_regex(r"(\?[a-z]{1,4}=[a-z0-9%2F/]{0,6})?", fullmatch=True))
def test_every_ordinary_path_is_safe(path: str, query: str) -> None:
    assert safe_path(f"/{path}{query}", ORIGIN) == f"/{path}{query}"
    assert safe_path(f"{ORIGIN}/{path}{query}", ORIGIN) == f"/{path}{query}"


# --- Webhooks -------------------------------------------------------------------------------------

SECRET = b"the signing secret of the tests"


@dataclass(frozen=True)
class Delivery:
    """A delivery as received, and the secret that should have signed it."""

    body: bytes
    id: str
    timestamp: str
    signature: str
    secret: bytes = SECRET

    def is_accepted(self) -> bool:
        headers = {
            "svix-id": self.id,
            "svix-timestamp": self.timestamp,
            "svix-signature": self.signature,
        }
        try:
            verify_webhook(self.body, headers, [self.secret], NOW)
        except WebhookError:
            return False
        return True


@st.composite
def deliveries(draw: st.DrawFn) -> Delivery:
    """Deliveries as Svix sends them."""
    event_type = draw(st.sampled_from(["user.created", "user.deleted", "x"]))
    data = draw(st.dictionaries(st.sampled_from(["id", "object"]), JUNK, max_size=2))
    body = json.dumps({"type": event_type, "data": data}).encode()
    delivery_id = draw(st.from_regex(r"msg_[A-Za-z0-9]{1,8}", fullmatch=True))
    timestamp = str(NOW + draw(st.integers(-300, 300)))
    signed = f"{delivery_id}.{timestamp}.".encode() + body
    mac = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    return Delivery(body, delivery_id, timestamp, f"v1,{mac}")


def _other_bytes(data: bytes, position: int, byte: int, how: str) -> bytes:
    position %= len(data)
    kept = data[position:] if how == "insert" else data[position + 1 :]
    return data[:position] + (b"" if how == "delete" else bytes([byte])) + kept


def _other_text(text: str, position: int, byte: int, how: str) -> str:
    return _other_bytes(text.encode(), position, byte, how).decode("latin-1")


@share(1)
@given(
    deliveries(),
    st.sampled_from(["body", "id", "timestamp", "signature", "secret"]),
    st.integers(0, 500),
    st.integers(0, 255),
    st.sampled_from(["replace", "insert", "delete"]),
)
def test_a_webhook_is_accepted_only_as_it_was_signed(
    delivery: Delivery, what: str, position: int, byte: int, how: str
) -> None:
    assert delivery.is_accepted()
    original = getattr(delivery, what)
    change: Any = _other_bytes if isinstance(original, bytes) else _other_text
    changed = change(original, position, byte, how)
    values = {**delivery.__dict__, what: changed}
    same_signature = what == "signature" and delivery.signature in changed.split()
    if changed != original and not same_signature:
        assert not Delivery(**values).is_accepted()
