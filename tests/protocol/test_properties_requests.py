"""No request causes an error or gets access without a valid token, whatever it contains."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hypothesis import event, given
from hypothesis import strategies as st

from tests.protocol.forgeries import JUNK, NOW, Forgery, forgeries
from tests.protocol.oracle import leads_away
from tests.protocol.worlds import (
    NAVIGATION,
    WORLD,
    World,
    Worlds,
    clerk_cookies,
    identity,
    is_developer_error,
    share,
    shown_identity,
)
from tests.protocol.wsgi import Answer, Headers, call, on_the_wire
from tests.signing import USER

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
Value = str | Forgery


@dataclass(frozen=True)
class Request:
    """A request to send to a world. Its tokens are created then, with the keys of that world."""

    method: str
    path: str
    query: list[tuple[str, Value]]
    cookies: list[tuple[str, Value]]
    headers: Headers
    authorization: Value | None = None


EXTRA = st.tuples(st.sampled_from(NAMES), forgeries() | st.sampled_from(UATS + ADDRESSES) | JUNK)


@st.composite
def cookie_pairs(draw: st.DrawFn) -> list[tuple[str, Value]]:
    """The cookies that a browser sends; sometimes with others, reversed, or with some missing."""
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
    """Send a request, and return its response and the tokens it contained."""
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
    answer = call(world.app, request.path, query.replace("#", ""), method=request.method, headers=headers)
    return answer, tokens


def good_identities(world: World, tokens: list[str]) -> set[tuple[str, str]]:
    """The user and session IDs of all valid tokens in these texts, however a text is split up."""
    # Werkzeug decodes octal escapes, such as \101, in a quoted cookie.
    plain = [re.sub(r"\\([0-3][0-7]{2})", lambda m: chr(int(m[1], 8)), t) for t in tokens]
    found = {part for token in tokens + plain for part in re.split(r"[^A-Za-z0-9._-]+", token)}
    claims = (world.session(token) for token in found)
    return {identity(claim) for claim in claims if claim is not None}


def check_answer(world: World, request: Request, answer: Answer) -> None:
    """Check what must hold for every response."""
    assert answer.status < 500 or is_developer_error(world, answer)
    if answer.header("X-Clerk-Auth-Status") == "handshake":
        assert answer.status == 307
        assert answer.header("Cache-Control") == "no-store"
    elif answer.header("Location"):
        host = dict(request.headers).get("Host", "localhost")
        if host != "[::1":  # an invalid URL has no host to compare
            assert not leads_away(answer.header("Location"), f"http://{host}")


@share(2)
@given(WORLD, REQUESTS)
def test_no_request_causes_an_error_or_signs_in_without_a_valid_token(
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
def test_a_valid_session_is_accepted_whatever_else_is_sent(
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
def test_random_input_causes_no_error_and_no_sign_in(
    worlds: Worlds, name: str, path: str, query: str, first: str, second: str, header: str
) -> None:
    headers = [(header, first), ("Cookie", f"__session={second}; __client_uat={first}")]
    request = Request("GET", f"/{path}", [], [], headers)
    answer = call(worlds[name].app, request.path, query, headers=headers)
    check_answer(worlds[name], request, answer)
    assert answer.header("X-Clerk-Auth-Status") != "signed-in"
