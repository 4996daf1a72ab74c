"""Only genuine handshakes set cookies or sign users in. Forged ones never do."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from hypothesis import assume, event, given
from hypothesis import strategies as st

from tests.protocol.forgeries import NOW, Forgery, forgeries
from tests.protocol.oracle import handshake_directives, header_safe_list, leads_away
from tests.protocol.worlds import (
    NAVIGATION,
    WORLD,
    World,
    Worlds,
    clerk_cookies,
    is_developer_error,
    share,
)
from tests.protocol.wsgi import Answer, call

DIRECTIVES = st.lists(
    st.sampled_from(
        [
            *("__session={token}; Path=/", "__session_{suffix}={token}; Path=/; Secure"),
            *("__client_uat=1; Path=/", "__session=; Path=/", "a=b", "", "__session", "\xe9"),
            *("=;=", "a=b\r\nX-Evil: 1", "a=\u2028", "a=\0", "\ud800", "a=\x7f", "__session={bad}"),
        ]
    ),
    max_size=4,
)
ANSWERS: st.SearchStrategy[Any] = st.sampled_from(
    [{}, [], None, "x", {"directives": None}, {"directives": [5]}, b"{", b""]
)


def directives(world: World, patterns: list[str]) -> list[str]:
    """``Set-Cookie`` values from these patterns, with tokens made for this world."""
    tokens = {"token": world.parties.genuine, "bad": Forgery("forger").make(world.parties)}
    return [pattern.format(suffix=world.instance.cookie_suffix, **tokens) for pattern in patterns]


def check_handshake(world: World, allowed: list[str] | None, answer: Answer) -> None:
    """Check that cookies come only from a genuine payload, and that redirects stay on this host.

    :param allowed: the cookies of the genuine payload; None if the payload is not genuine.
    """
    assert answer.status < 500 or is_developer_error(world, answer)
    cookies = clerk_cookies(answer)
    assert not answer.header("X-Evil")
    assert not cookies or cookies == allowed
    if allowed is None:
        assert answer.header("X-Clerk-Auth-Status") != "signed-in"
        assert answer.status == 500 or not world.instance.is_development
    elif answer.header("X-Clerk-Auth-Status") == "signed-in":
        assert any(world.parties.genuine in cookie for cookie in allowed)
        assert cookies == allowed
    location = answer.header("Location")
    if location and answer.header("X-Clerk-Auth-Status") != "handshake":
        assert re.match(r"/(?![/\\])", location)
        assert not leads_away(location, "http://localhost")
        assert "__clerk_handshake" not in location


@share(2)
@given(
    WORLD,
    forgeries(),
    DIRECTIVES | st.sampled_from([None, "__session=x", {}, [5], [None], [["a=b"]]]),
    st.sampled_from(["/", "/api/me", "//evil.example/", "/\\evil.example", "///e.example"]),
    st.sampled_from(["", "&tab=1", "&a=%2F%2Fe", "&redirect_url=//evil.example", "&%ff=\xff"]),
    st.booleans(),
)
def test_only_a_payload_signed_with_the_instances_key_sets_cookies(
    worlds: Worlds,
    name: str,
    forgery: Forgery,
    patterns: Any,
    path: str,
    rest: str,
    by_cookie: bool,
) -> None:
    world = worlds[name]
    is_list = isinstance(patterns, list) and all(isinstance(item, str) for item in patterns)
    content = directives(world, patterns) if is_list else patterns
    payload = forgery.make(world.parties, {"handshake": content})
    assume(payload)  # an empty payload is not a handshake
    if not re.fullmatch(r"[A-Za-z0-9._-]+", payload):
        payload = quote(payload.encode("utf-8", "replace")) if not by_cookie else "broken"
    headers = NAVIGATION + ([("Cookie", f"__clerk_handshake={payload}")] if by_cookie else [])
    query = rest[1:] if by_cookie else f"__clerk_handshake={payload}{rest}"
    answer = call(world.app, path, query, headers=headers)
    issuer = f"https://{world.parties.ours.host}"
    allowed = handshake_directives(payload, world.key, world.kid, issuer=issuer, now=NOW)
    if not by_cookie and not world.instance.is_development:
        allowed = None  # in production, a payload in a link means nothing
    event("good" if allowed else "bad")
    check_handshake(world, allowed, answer)


@share(1)
@given(
    WORLD,
    st.sampled_from([200, 200, 200, 201, 204, 301, 400, 401, 404, 422, 500]),
    DIRECTIVES | ANSWERS,
    st.text(min_size=1, max_size=20),
)
def test_only_a_nonce_known_to_the_backend_api_sets_cookies(
    worlds: Worlds, name: str, status: int, content: Any, nonce: str
) -> None:
    world = worlds[name]
    if isinstance(content, list):
        content = {"directives": directives(world, content)}
    world.backend.answers["GET /v1/clients/handshake_payload"] = (status, content)
    query = f"__clerk_handshake_nonce={quote(nonce)}&tab=1"
    answer = call(world.app, "/api/me", query, headers=NAVIGATION)
    known = 200 <= status < 300 and status != 204 and isinstance(content, dict)
    allowed = header_safe_list(content.get("directives")) if known else None
    if not re.fullmatch(r"[A-Za-z0-9._~-]+", nonce):  # not a nonce, so as if there were none
        assert "x-clerk-auth-status" in {name.lower() for name, _ in answer.headers}
        assert answer.status == (307 if world.instance.is_development else 401)
        assert not clerk_cookies(answer)
        return
    check_handshake(world, allowed, answer)
