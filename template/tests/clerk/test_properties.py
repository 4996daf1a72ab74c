"""Nobody gets in without our key, and nothing breaks: whatever the request is made of.

Each property is tried on its share of the profile's examples: 2,000 altogether in a normal run,
200,000 with ``--hypothesis-profile=nightly``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from flask import Flask
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from app import create_app
from app.clerk import Instance, clerk_of, safe_path
from app.clerk.cookies import uses_suffixed_cookies
from app.clerk.request import RequestFacts
from app.clerk.tokens import TokenError
from app.clerk.webhooks import WebhookError, verify_webhook
from tests.clerk.forgeries import JUNK, NOW, ODD, TIMES, Claims, Forgery, Parties, forgeries
from tests.clerk.oracle import (
    handshake_directives,
    header_safe_list,
    leads_away,
    prefers_suffixed,
    session_claims,
)
from tests.clerk.wsgi import Answer, Headers, call, on_the_wire
from tests.conftest import ALICE, BROWSER
from tests.local_server import LocalServer, local_server
from tests.signing import HOST, KID, LIVE_HOST, USER, Signer, encode_part, publishable_key

LOOP_GUARD = re.compile(r"__clerk_redirect_count=\d+; Path=/; Max-Age=2; HttpOnly; SameSite=Lax\Z")


def share(twentieths: int) -> settings:
    """So many twentieths of all examples of the profile."""
    return settings(max_examples=settings().max_examples * twentieths)


@dataclass(frozen=True, repr=False)
class World:
    """An app, the Clerk instance it belongs to, and somebody who wants in."""

    app: Flask
    parties: Parties
    kid: str | None
    """What a token's header must name; None: anything, as one key is configured."""
    backend: LocalServer

    @property
    def instance(self) -> Instance:
        return clerk_of(self.app).instance

    @property
    def key(self) -> RSAPublicKey:
        return self.parties.ours.key.public_key()

    @property
    def authorized_parties(self) -> frozenset[str]:
        return frozenset([] if self.instance.is_development else ["http://localhost"])

    def session(self, token: str) -> Claims | None:
        """The claims of a token that may sign in here."""
        return session_claims(
            token,
            self.key,
            self.kid,
            issuer=f"https://{self.parties.ours.host}",
            parties=self.authorized_parties,
            now=NOW,
        )


class Worlds(dict[str, World]):
    """By name: ``development`` and ``production``."""

    def __repr__(self) -> str:
        return "worlds"


@pytest.fixture(scope="module")
def worlds(
    empty_database: Path,
    tmp_path_factory: pytest.TempPathFactory,
    signer: Signer,
    live_signer: Signer,
    forger: Signer,
) -> Iterator[Worlds]:
    """A development instance with a key, and a production instance that fetches its keys."""
    database = tmp_path_factory.mktemp("properties") / "app.db"
    shutil.copy(empty_database, database)
    logging.disable(logging.CRITICAL)
    with local_server() as backend:
        backend.answers["GET /v1/jwks"] = (200, live_signer.jwks)
        backend.answers[f"GET /v1/users/{USER}"] = (200, ALICE)
        common = {
            "SECRET_KEY": "only for tests, never elsewhere",
            "CLERK_API_URL": backend.url,
            "CLERK_WEBHOOK_SIGNING_SECRET": "whsec_dGhlIHNpZ25pbmcgc2VjcmV0",
            "DATABASE_URL": f"sqlite:///{database}",
        }
        development = create_app(
            common
            | {
                "CLERK_PUBLISHABLE_KEY": publishable_key(HOST),
                "CLERK_SECRET_KEY": "sk_test_secret",
                "CLERK_JWT_KEY": signer.pem,
            }
        )
        production = create_app(
            common
            | {
                "CLERK_PUBLISHABLE_KEY": publishable_key(LIVE_HOST, "live"),
                "CLERK_SECRET_KEY": "sk_live_secret",
                "CLERK_AUTHORIZED_PARTIES": "http://localhost",
                "CLERK_PROXY_URL": "/__clerk",
            }
        )
        for app in (development, production):
            app.testing = True  # what a view raises reaches the test
            clerk_of(app).now = lambda: float(NOW)
        yield Worlds(
            development=World(development, Parties(signer, forger), None, backend),
            production=World(production, Parties(live_signer, forger), KID, backend),
        )
    logging.disable(logging.NOTSET)


WORLD = st.sampled_from(["development", "production"])

# --- Who is signed in ---------------------------------------------------------------------------


def identity(claims: Claims) -> tuple[str, str]:
    """User and session, as ``/api/me`` shows them."""
    session_id = claims.get("sid")
    return claims["sub"], session_id if isinstance(session_id, str) else ""


def is_complete(claims: Claims) -> bool:
    """Whether the user has no more tasks to do, such as choosing an organization."""
    return claims.get("sts") != "pending"


def shown_identity(answer: Answer) -> tuple[str, str]:
    """Whom ``/api/me`` takes us for."""
    shown = json.loads(answer.body)
    return shown["user_id"], shown["session_id"]


@share(4)
@given(WORLD, forgeries(), st.sampled_from(["Bearer {}", "bearer  {}", "{}"]))
@example("production", Forgery(claims={"azp": ["http://localhost"]}), "Bearer {}")
@example("production", Forgery(claims={"exp": 10**400}), "Bearer {}")
def test_a_bearer_token_counts_exactly_when_our_key_signed_it_and_its_claims_hold(
    worlds: Worlds, name: str, forgery: Forgery, scheme: str
) -> None:
    world = worlds[name]
    token = forgery.make(world.parties)
    answer = call(world.app, "/api/me", headers=[("Authorization", scheme.format(token))])
    claims = world.session(on_the_wire(token).strip())
    event("good" if claims else "bad")
    if claims is None:
        assert answer.status == 401
        assert answer.header("X-Clerk-Auth-Status") == "signed-out"
        assert answer.header("X-Clerk-Auth-Reason")
    else:
        assert answer.header("X-Clerk-Auth-Status") == "signed-in"
        assert answer.status == (200 if is_complete(claims) else 401)
        if is_complete(claims):
            assert shown_identity(answer) == identity(claims)


def outcome(world: World, token: str, now: float) -> Claims | None:
    """What the verification of a token says, which may only refuse in the documented way."""
    try:
        return clerk_of(world.app).tokens.verify(token, now)
    except TokenError as error:
        refusal = error
    assert re.fullmatch(r"token-[a-z-]+|jwk-[a-z-]+", refusal.reason)
    assert len(token) < 12 or token[:12] not in refusal.message
    return None


TIME = st.sampled_from([*TIMES, *TIMES, *ODD])


@share(2)
@given(WORLD, TIME, TIME, TIME, st.sampled_from([-60.0, -0.1, 0.0, 0.1, 60.0]))
def test_times_are_judged_to_the_second(
    worlds: Worlds, name: str, exp: Any, nbf: Any, iat: Any, later: float
) -> None:
    world, now = worlds[name], NOW + later
    token = Forgery(claims={"exp": exp, "nbf": nbf, "iat": iat}).make(world.parties)
    expected = session_claims(
        token,
        world.key,
        world.kid,
        issuer=f"https://{world.parties.ours.host}",
        parties=world.authorized_parties,
        now=now,
    )
    assert (outcome(world, token, now) is None) == (expected is None)


@share(1)
@given(WORLD, forgeries())
def test_a_token_that_was_accepted_helps_no_other(
    worlds: Worlds, name: str, forgery: Forgery
) -> None:
    world = worlds[name]
    good, other = world.parties.genuine, forgery.make(world.parties, _genuine_claims(world))
    for _ in range(2):
        assert outcome(world, good, NOW)
    expected = world.session(other)
    for _ in range(2):
        assert outcome(world, other, NOW) == expected
    assert outcome(world, good, NOW + 3600) is None


def _genuine_claims(world: World) -> Claims:
    return world.parties.ours.claims(sub="user_genuine", at=NOW)


# --- Whole requests -----------------------------------------------------------------------------

NAMES = [
    *("__session", "__session_{suffix}", "__client_uat", "__client_uat_{suffix}"),
    *("__refresh_{suffix}", "__refresh", "__clerk_db_jwt", "__clerk_db_jwt_{suffix}"),
    *("__clerk_redirect_count", "__session_AAAAAAAA", "__client_uat_AAAAAAAA", "__Session"),
    *("__clerk_handshake", "__clerk_handshake_{suffix}", "session", "__dev_session"),
]
UATS = [
    *(str(NOW), str(NOW - 60), "0", "1", "", "-1", "00", "1.5"),
    *("9" * 15, "9" * 5000, "\u00b2", "x"),
]
PATHS = ["/api/me"] * 4 + [
    *("/", "/dashboard", "/login", "/signup", "/profile", "/logout", "/healthz", "/nowhere"),
    *("//evil.example/dashboard", "/login/\\evil.example", "/dashboard\x7f\u2028", "/__clerk/v1/x"),
    *("/static/app.css", "/static/../app.css", "/webhooks/clerk", "/profile/..//x"),
]
PARAMETERS = [
    *("__clerk_db_jwt", "__dev_session", "__clerk_handshake", "__clerk_synced", "__clerk_help"),
    *("__clerk_redirect_url", "redirect_url", "next", "__session", "tab", "%5F_clerk_db_jwt"),
]
ADDRESSES = [
    *("//evil.example", "/dashboard", "https://evil.example/", "http://[::1", "javascript:x"),
    *("http://localhost/", "true", "false", "1", "", "%0d%0aX: y", "%ff%fe", "dvb_1", "&=;%"),
]
HEADERS = {
    "Sec-Fetch-Dest": ["document", "iframe", "empty", "", "Document", "document, empty"],
    "Accept": ["text/html", "application/json", "*/*", "text/html;q=x", ";q=1,,", "\xff/\xfe"],
    "Referer": ["https://other.example/", "http://localhost/x", "http://[", "//", "\xe9", "x:y"],
    "Host": ["localhost", "evil.example", "[::1", "a:b:c", "", "localhost:99999", "\xe9"],
    "Origin": ["null", "http://localhost", "https://evil.example"],
    "X-Forwarded-Host": ["evil.example", "[", ", ,"],
    "X-Forwarded-Proto": ["https", "javascript", ""],
    "Content-Type": ["application/json", "multipart/form-data", "x"],
    "Content-Length": ["0", "-1", "x"],
    "Accept-Language": ["de;q=,,,"],
    "If-None-Match": ["*", 'W/"'],
    "Range": ["bytes=9-1"],
    "Cookie": ["=", ";;;", "__session", '__session="\\777"', "=__session; =;", "\x01\x7f=\xff"],
}
HEADER = st.sampled_from([(name, value) for name in HEADERS for value in HEADERS[name]])
NAVIGATION: Headers = list(BROWSER.items())
Value = str | Forgery


@dataclass(frozen=True)
class Request:
    """A request, still without the tokens: they are made for the world it is sent to."""

    method: str
    path: str
    query: list[tuple[str, Value]]
    cookies: list[tuple[str, Value]]
    headers: Headers
    authorization: Value | None = None


EXTRA = st.tuples(st.sampled_from(NAMES), forgeries() | st.sampled_from(UATS + ADDRESSES) | JUNK)


@st.composite
def cookie_pairs(draw: st.DrawFn) -> list[tuple[str, Value]]:
    """Cookies: a browser's own, and some more, doubled, or in disorder."""
    pairs: list[tuple[str, Value]] = [("__clerk_db_jwt", "dvb_1")]
    for suffix in draw(st.sampled_from([(), ("",), ("",), ("_{suffix}",), ("", "_{suffix}")])):
        pairs.append((f"__session{suffix}", draw(forgeries())))
        pairs.append((f"__client_uat{suffix}", draw(st.sampled_from(UATS))))
    how = draw(st.sampled_from(["own", "more", "more", "reversed", "halved"]))
    if how == "more":
        pairs += draw(st.lists(EXTRA, min_size=1, max_size=2))
    return {"reversed": pairs[::-1], "halved": pairs[::2]}.get(how, pairs)


REQUESTS = st.builds(
    Request,
    st.sampled_from(["GET", "GET", "GET", "GET", "POST", "HEAD", "OPTIONS", "TRACE", "get"]),
    st.sampled_from(PATHS),
    st.lists(st.sampled_from([(p, a) for p in PARAMETERS for a in ADDRESSES]), max_size=1),
    cookie_pairs(),
    st.lists(HEADER, max_size=2) | st.just(NAVIGATION),
    st.none() | st.none() | forgeries(),
)


def send(world: World, request: Request) -> tuple[Answer, list[str]]:
    """Send a request; also returns all tokens that were in it."""
    tokens: list[str] = []

    def text(value: Value) -> str:
        if isinstance(value, str):
            return value
        tokens.append(on_the_wire(value.make(world.parties)))
        return tokens[-1]

    suffix = world.instance.cookie_suffix
    cookies = [f"{key.format(suffix=suffix)}={text(value)}" for key, value in request.cookies]
    query = "&".join(f"{key}={text(value)}" for key, value in request.query)
    headers = list(request.headers)
    if cookies:
        headers.append(("Cookie", "; ".join(cookies)))
    if request.authorization is not None:
        scheme = "Bearer " if isinstance(request.authorization, Forgery) else ""
        headers.append(("Authorization", scheme + text(request.authorization)))
    answer = call(
        world.app, request.path, query.replace("#", ""), method=request.method, headers=headers
    )
    return answer, tokens


def good_identities(world: World, tokens: list[str]) -> set[tuple[str, str]]:
    """Everybody whom one of these tokens may sign in, in any reading of the text around it."""
    found = {part for token in tokens for part in re.split(r"[^A-Za-z0-9._-]+", token)}
    claims = (world.session(token) for token in found)
    return {identity(claim) for claim in claims if claim is not None}


def is_developer_error(world: World, answer: Answer) -> bool:
    """Whether this is the one documented page with status 500: wrong keys, in development."""
    return (
        world.instance.is_development
        and answer.status == 500
        and (b"andshake" in answer.body or not answer.body)  # none with HEAD
        and not clerk_cookies(answer)
    )


def clerk_cookies(answer: Answer) -> list[str]:
    """The cookies that are set, but for Flask's own and the loop guard of a handshake."""
    is_handshake = answer.header("X-Clerk-Auth-Status") == "handshake"
    return [
        cookie
        for cookie in answer.all("Set-Cookie")
        if not cookie.startswith("session=") and not (is_handshake and LOOP_GUARD.match(cookie))
    ]


def check_answer(world: World, request: Request, answer: Answer) -> None:
    """What holds for every answer whatsoever."""
    assert answer.status < 500 or is_developer_error(world, answer)
    if answer.header("X-Clerk-Auth-Status") == "handshake":
        assert answer.status == 307
        assert answer.header("Cache-Control") == "no-store"
    elif answer.header("Location"):
        host = dict(request.headers).get("Host", "localhost")
        assert not leads_away(answer.header("Location"), f"http://{host}")


@share(3)
@given(WORLD, REQUESTS)
def test_no_request_breaks_the_app_or_signs_anybody_in_without_our_key(
    worlds: Worlds, name: str, request: Request
) -> None:
    world = worlds[name]
    world.backend.answers["POST /v1/sessions/sess_1/refresh"] = (
        200,
        {"cookies": [f"__session={Forgery('forger').make(world.parties)}; Path=/"]},
    )
    answer, tokens = send(world, request)
    check_answer(world, request, answer)
    good = good_identities(world, tokens)
    status = answer.header("X-Clerk-Auth-Status")
    event(f"{status or 'exempt'}")
    if not good:
        assert status != "signed-in"
    if status == "signed-in" and request.path == "/api/me" and answer.status == 200:
        assert not answer.body or shown_identity(answer) in good
    if request.path != "/logout":
        assert not clerk_cookies(answer)


HARMLESS_HEADER = st.sampled_from(
    [
        (name, value)
        for name in sorted(HEADERS.keys() - {"Referer", "Cookie", "Host"})
        for value in HEADERS[name]
    ]
)
NOISE = [
    *(("other", "1"), ("__Session", "x"), ("__session_AAAAAAAA", "a.b.c"), ("x", "=")),
    *(("__client_uat_AAAAAAAA", "0"), ("__clerk_redirect_count", "2"), ("__refresh", "x")),
]


@share(1)
@given(
    WORLD,
    st.sampled_from(["", "_{suffix}"]),
    st.lists(st.sampled_from(NOISE), max_size=4),
    st.sampled_from([str(NOW), str(NOW - 1), "1"]),
    st.lists(HARMLESS_HEADER, max_size=2),
)
def test_who_has_a_good_session_is_signed_in_whatever_else_is_sent(
    worlds: Worlds,
    name: str,
    suffix: str,
    noise: list[tuple[str, Value]],
    uat: str,
    headers: Headers,
) -> None:
    own: list[tuple[str, Value]] = [
        (f"__session{suffix}", Forgery()),
        (f"__client_uat{suffix}", uat),
        (f"__clerk_db_jwt{suffix}", "dvb_1"),
    ]
    half = len(noise) // 2
    cookies = noise[:half] + own + noise[half:]
    answer, _ = send(worlds[name], Request("GET", "/api/me", [], cookies, headers))
    assert answer.status == 200
    assert shown_identity(answer) == (USER, "sess_1")


@share(2)
@given(WORLD, JUNK, JUNK, JUNK, JUNK, st.sampled_from(["Cookie", "Authorization", "Accept"]))
def test_junk_is_answered_and_signs_nobody_in(
    worlds: Worlds, name: str, path: str, query: str, first: str, second: str, header: str
) -> None:
    headers = [(header, first), ("Cookie", f"__session={second}; __client_uat={first}")]
    request = Request("GET", f"/{path}", [], [], headers)
    answer = call(worlds[name].app, request.path, query, headers=headers)
    check_answer(worlds[name], request, answer)
    assert answer.header("X-Clerk-Auth-Status") != "signed-in"


# --- Handshakes ---------------------------------------------------------------------------------

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
    """Set-Cookie strings with tokens of this world."""
    tokens = {"token": world.parties.genuine, "bad": Forgery("forger").make(world.parties)}
    return [pattern.format(suffix=world.instance.cookie_suffix, **tokens) for pattern in patterns]


def check_handshake(world: World, allowed: list[str] | None, answer: Answer) -> None:
    """Cookies come from Clerk's own payload or from nowhere; a redirect stays on this host."""
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
def test_only_a_handshake_that_our_key_signed_sets_cookies(
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
    if not re.fullmatch(r"[A-Za-z0-9._-]+", payload):
        payload = quote(payload.encode("utf-8", "replace")) if not by_cookie else "broken"
    headers = NAVIGATION + ([("Cookie", f"__clerk_handshake={payload}")] if by_cookie else [])
    query = rest[1:] if by_cookie else f"__clerk_handshake={payload}{rest}"
    answer = call(world.app, path, query, headers=headers)
    allowed = handshake_directives(payload, world.key, world.kid)
    event("good" if allowed else "bad")
    check_handshake(world, allowed, answer)


@share(1)
@given(
    WORLD,
    st.sampled_from([200, 200, 200, 201, 204, 301, 400, 401, 404, 422, 500]),
    DIRECTIVES | ANSWERS,
    st.text(min_size=1, max_size=20),
)
def test_only_a_nonce_that_our_backend_api_knows_sets_cookies(
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
    check_handshake(world, allowed, answer)


# --- Which cookie ---------------------------------------------------------------------------------

ISSUERS: list[Any] = [
    *(f"https://{HOST}", f"http://{HOST}", HOST, f"https://{LIVE_HOST}", "", 5, None, []),
]
STAMPS: list[Any] = [NOW - 61, NOW - 60, NOW, NOW + 1, 0, -1, 1.5, 10**400, True, "1", None, []]


@st.composite
def unsigned_tokens(draw: st.DrawFn) -> str:
    """Session cookies that need no signature, as this choice comes before any check."""
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
def test_the_choice_of_cookies_follows_the_eight_rules_and_nothing_else(
    worlds: Worlds, name: str, patterns: dict[str, str], irrelevant: dict[str, str]
) -> None:
    instance = worlds[name].instance
    suffix = instance.cookie_suffix
    cookies = {key.format(suffix=suffix): value for key, value in patterns.items()}
    expected = prefers_suffixed(
        cookies, suffix, instance.host, development=instance.is_development, now=NOW
    )
    plain = RequestFacts("GET", "http://localhost", "/", "", {}, cookies)
    assert uses_suffixed_cookies(plain, instance, NOW) is expected
    # Another signature, another page, other headers and cookies change nothing.
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


@share(2)
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
def test_every_plain_path_is_a_safe_one(path: str, query: str) -> None:
    assert safe_path(f"/{path}{query}", ORIGIN) == f"/{path}{query}"
    assert safe_path(f"{ORIGIN}/{path}{query}", ORIGIN) == f"/{path}{query}"


# --- Webhooks -------------------------------------------------------------------------------------

SECRET = b"the signing secret of the tests"


@dataclass(frozen=True)
class Delivery:
    """A webhook as it arrives, and the secret we expect it to be signed with."""

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
    """Deliveries as Svix makes them."""
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
def test_a_webhook_is_accepted_only_exactly_as_it_was_signed(
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
