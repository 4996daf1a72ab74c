"""Authentication of a request, as a table of cases through the real WSGI app."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from tests.app_fixtures import BROWSER
from tests.signing import HOST, LIVE_HOST, Signer

FETCH = {"Accept": "application/json", "Sec-Fetch-Dest": "empty"}


@dataclass
class Case:
    """A row of the table. Tokens are given by name, and made when the row is tested."""

    name: str
    status: str
    reason: str = ""
    live: bool = False
    cookies: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=lambda: BROWSER)
    method: str = "GET"
    path: str = "/"


DEV = {"__clerk_db_jwt": "dvb_1"}
IN = {"__client_uat": "1", "__session": "fresh"}

CASES = [
    # Development instances require a dev browser first.
    Case("no cookies", "handshake", "dev-browser-missing"),
    Case("no cookies, fetch", "signed-out", "dev-browser-missing", headers=FETCH),
    Case("no cookies, no headers", "signed-out", "dev-browser-missing", headers={}),
    Case("Accept alone", "handshake", "dev-browser-missing", headers={"Accept": "text/html"}),
    Case("in a frame", "handshake", "dev-browser-missing", headers={"Sec-Fetch-Dest": "iframe"}),
    Case("an unknown page too", "handshake", "dev-browser-missing", path="/nowhere"),
    Case("dev browser in the URL", "handshake", "dev-browser-sync", path="/?__clerk_db_jwt=x"),
    Case("dev browser only", "signed-out", "session-token-and-uat-missing", cookies=DEV),
    # Production instances don't.
    Case("live, no cookies", "signed-out", "session-token-and-uat-missing", live=True),
    Case(
        "live, dev browser in the URL means nothing",
        "signed-out",
        "session-token-and-uat-missing",
        live=True,
        path="/?__clerk_db_jwt=x",
    ),
    Case("signed in", "signed-in", cookies=DEV | IN),
    Case("live, signed in", "signed-in", live=True, cookies=IN),
    Case("signed in, fetch", "signed-in", live=True, cookies=IN, headers=FETCH),
    Case(
        "session without uat",
        "handshake",
        "session-token-but-no-client-uat",
        live=True,
        cookies={"__session": "fresh"},
    ),
    Case(
        "uat without session",
        "handshake",
        "client-uat-but-no-session-token",
        live=True,
        cookies={"__client_uat": "1"},
    ),
    Case(
        "signed in again since",
        "handshake",
        "session-token-iat-before-client-uat",
        live=True,
        cookies={"__client_uat": "9999999999", "__session": "fresh"},
    ),
    Case(
        "expired",
        "handshake",
        "session-token-expired-refresh-non-eligible-no-refresh-cookie",
        live=True,
        cookies={"__client_uat": "1", "__session": "expired"},
    ),
    Case(
        "expired, POST",
        "signed-out",
        "session-token-expired-refresh-non-eligible-non-get",
        live=True,
        cookies={"__client_uat": "1", "__session": "expired"},
        method="POST",
    ),
    Case(
        "not active yet",
        "handshake",
        "session-token-nbf",
        live=True,
        cookies={"__client_uat": "1", "__session": "early"},
    ),
    Case(
        "issued in the future",
        "handshake",
        "session-token-iat-in-the-future",
        live=True,
        cookies={"__client_uat": "1", "__session": "future"},
    ),
    Case(
        "forged",
        "signed-out",
        "token-invalid-signature",
        live=True,
        cookies={"__client_uat": "1", "__session": "forged"},
    ),
    Case(
        "garbage",
        "signed-out",
        "token-invalid",
        live=True,
        cookies={"__client_uat": "1", "__session": "a.b.c"},
    ),
    Case(
        "a token of another class",
        "signed-out",
        "token-type-mismatch",
        live=True,
        cookies={"__client_uat": "1", "__session": "template"},
    ),
    Case(
        "a link from another site",
        "handshake",
        "primary-domain-cross-origin-sync",
        live=True,
        cookies=IN,
        headers=BROWSER | {"Referer": "https://other.example/page"},
    ),
    Case(
        "a link from another site, right after a handshake",
        "signed-in",
        live=True,
        cookies=IN | {"__clerk_redirect_count": "1"},
        headers=BROWSER | {"Referer": "https://other.example/page"},
    ),
    Case(
        "a link from Clerk's own pages",
        "signed-in",
        live=True,
        cookies=IN,
        headers=BROWSER | {"Referer": "https://accounts.example.com/sign-in"},
    ),
    Case(
        "a link from the app itself",
        "signed-in",
        live=True,
        cookies=IN,
        headers=BROWSER | {"Referer": "http://localhost/page"},
    ),
    Case(
        "a malformed referrer",
        "signed-in",
        live=True,
        cookies=IN,
        headers=BROWSER | {"Referer": "http://[::1"},
    ),
    Case(
        "three handshakes in a row",
        "signed-out",
        "client-uat-but-no-session-token",
        live=True,
        cookies={"__client_uat": "1", "__clerk_redirect_count": "3"},
    ),
    # A token in the header takes precedence over all cookies.
    Case("bearer", "signed-in", live=True, headers={"Authorization": "Bearer fresh"}),
    Case("bearer, any case", "signed-in", live=True, headers={"Authorization": "bEaReR fresh"}),
    Case("bare token", "signed-in", live=True, headers={"Authorization": "fresh"}),
    Case("bearer in development", "signed-in", headers={"Authorization": "Bearer fresh"}),
    Case(
        "another scheme is ignored",
        "signed-in",
        live=True,
        cookies=IN,
        headers={"Authorization": "Basic fresh"},
    ),
    Case(
        "a bad header is not helped by good cookies",
        "signed-out",
        "token-invalid-signature",
        live=True,
        cookies=IN,
        headers={"Authorization": "Bearer forged"},
    ),
    Case(
        "bearer expired, API client",
        "signed-out",
        "session-token-expired-refresh-non-eligible-no-refresh-cookie",
        live=True,
        headers={"Authorization": "Bearer expired"},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_authentication(case: Case, request: pytest.FixtureRequest, forger: Signer) -> None:
    live = "live_" if case.live else ""
    app: Flask = request.getfixturevalue(f"{live}app")
    ours: Signer = request.getfixturevalue(f"{live}signer")
    soon = int(time.time()) + 60
    tokens = {
        "fresh": ours.token(),
        "expired": ours.expired(),
        "early": ours.token(nbf=soon),
        "future": ours.token(iat=soon),
        "template": ours.token({"cat": "cl_B7d4PD222AAA"}),
        "forged": forger.token(iss=f"https://{ours.host}"),
    }
    client = app.test_client()
    for name, value in case.cookies.items():
        client.set_cookie(name, tokens.get(value, value))
    headers = dict(case.headers)
    if "Authorization" in headers:
        scheme, _, token = headers["Authorization"].rpartition(" ")
        headers["Authorization"] = f"{scheme} {tokens[token]}".strip()
    response = client.open(case.path, method=case.method, headers=headers)

    assert response.headers["X-Clerk-Auth-Status"] == case.status
    assert response.headers.get("X-Clerk-Auth-Reason", "") == case.reason
    assert (response.status_code == 307) == (case.status == "handshake")


def test_a_handshake_sends_clerk_all_required_parameters(live_app: Flask, live_signer: Signer) -> None:
    client = live_app.test_client()
    expired = live_signer.expired()
    client.set_cookie("__session", expired)
    client.set_cookie("__client_uat", "1")
    response = client.get("/dashboard?tab=a%26b&__clerk_db_jwt=x", headers=BROWSER)

    target = urlsplit(response.headers["Location"])
    assert target.scheme == "https"
    assert (target.netloc, target.path) == (LIVE_HOST, "/v1/client/handshake")
    query = {name: values[0] for name, values in parse_qs(target.query).items()}
    assert query == {
        "redirect_url": "http://localhost/dashboard?tab=a%26b",
        "__clerk_api_version": "2026-05-12",
        "suffixed_cookies": "false",
        "__clerk_hs_reason": response.headers["X-Clerk-Auth-Reason"],
        "format": "nonce",
        "__session": expired,
    }
    assert response.headers["Cache-Control"] == "no-store"
    count = response.headers["Set-Cookie"]
    assert count == "__clerk_redirect_count=1; Path=/; Max-Age=2; HttpOnly; SameSite=Lax"


def test_a_development_handshake_includes_the_dev_browser(app: Flask) -> None:
    response = app.test_client().get("/?__clerk_db_jwt=dvb_9", headers=BROWSER)
    target = urlsplit(response.headers["Location"])
    assert target.netloc == HOST
    assert parse_qs(target.query)["__clerk_db_jwt"] == ["dvb_9"]
    assert parse_qs(target.query)["redirect_url"] == ["http://localhost/"]


@pytest.mark.parametrize(
    "name", ["__session", "__client_uat", "__clerk_db_jwt", "__refresh", "__clerk_redirect_count"]
)
@pytest.mark.parametrize(("length", "statuses"), [(15_000, (200, 401)), (100_000, (431, 431))])
def test_a_long_cookie_causes_no_error(app: Flask, name: str, length: int, statuses: tuple[int, int]) -> None:
    cookies = {"__clerk_db_jwt": "dvb_1", "__client_uat": "1", name: "9" * length}
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    client = app.test_client(use_cookies=False)
    answers = [client.get(path, headers=FETCH | {"Cookie": header}) for path in ("/", "/api/me")]
    assert tuple(answer.status_code for answer in answers) == statuses


@pytest.mark.parametrize("path", ["/static/app.css", "/healthz", "/bootstrap/static/css/x.css"])
def test_static_files_and_health_checks_are_not_authenticated(app: Flask, path: str) -> None:
    response = app.test_client().get(path, headers=BROWSER)
    assert "X-Clerk-Auth-Status" not in response.headers
    assert response.status_code in (200, 404)
