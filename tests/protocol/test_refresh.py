"""Refreshing an expired session token, server to server."""

from __future__ import annotations

import json
import logging
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.clerk import Clerk, current_session, read_instance
from tests.app_fixtures import BROWSER, keys_of
from tests.local_server import LocalServer
from tests.signing import LIVE_HOST, Signer, encode_part, publishable_key

REFRESH = "/v1/sessions/sess_1/refresh"
EXPIRED = "session-token-expired-refresh-"
FETCH = {"Accept": "application/json", "Sec-Fetch-Dest": "empty"}
SUFFIX = read_instance(
    {
        "CLERK_PUBLISHABLE_KEY": publishable_key(LIVE_HOST, "live"),
        "CLERK_SECRET_KEY": "sk_live_secret",
        "CLERK_AUTHORIZED_PARTIES": "*",
    }
).cookie_suffix


def who() -> dict[str, str | None]:
    """The user and the session that the app sees."""
    return {"user": current_session.user_id if current_session else None}


def app_of(signer: Signer, api_url: str) -> Flask:
    """An app that responds with the user and the session."""
    app = Flask("refresh")
    Clerk().init_app(app, read_instance(keys_of(signer) | {"CLERK_API_URL": api_url}))
    app.add_url_rule("/", "who", who, methods=["GET", "POST"])
    return app


@pytest.fixture(scope="module")
def app(live_signer: Signer, server: LocalServer) -> Flask:
    """A production instance."""
    return app_of(live_signer, server.url)


def client_with(app: Flask, session: str, **cookies: str) -> FlaskClient:
    """A browser with an expired session token and a refresh token."""
    client = app.test_client()
    given = {"__session": session, "__client_uat": "1", f"__refresh_{SUFFIX}": "refresh_1"}
    for name, value in (given | cookies).items():
        if value:
            client.set_cookie(name, value)
    return client


@pytest.fixture
def client(app: Flask, live_signer: Signer) -> FlaskClient:
    """Alice's browser."""
    return client_with(app, live_signer.expired())


def directives(token: str) -> list[str]:
    """The cookies that Clerk sets."""
    return [
        f"__session={token}; Path=/; Secure; SameSite=Lax",
        f"__session_{SUFFIX}={token}; Path=/; Secure; SameSite=Lax",
    ]


def answers(backend: LocalServer, token: str) -> list[str]:
    """Make the Backend API return this token."""
    cookies = directives(token)
    backend.answers[f"POST {REFRESH}"] = (200, {"cookies": cookies})
    return cookies


def handshakes(response: TestResponse, why: str) -> None:
    """Check that the refresh failed: no session, no cookies, and a redirect to Clerk."""
    assert response.status_code == 307
    assert response.headers["X-Clerk-Auth-Status"] == "handshake"
    assert response.headers["X-Clerk-Auth-Reason"] == EXPIRED + why
    query = parse_qs(urlsplit(response.headers["Location"]).query)
    assert query["__clerk_hs_reason"] == [EXPIRED + why]
    (cookie,) = response.headers.getlist("Set-Cookie")
    assert cookie.startswith("__clerk_redirect_count=1;")


@pytest.mark.parametrize("headers", [BROWSER, FETCH], ids=["page", "fetch"])
def test_an_expired_session_is_refreshed(
    client: FlaskClient, live_signer: Signer, backend: LocalServer, headers: dict[str, str]
) -> None:
    cookies = answers(backend, live_signer.token())
    response = client.get("/", headers=headers)
    assert response.json == {"user": "user_alice"}
    assert response.headers["X-Clerk-Auth-Status"] == "signed-in"
    assert "X-Clerk-Auth-Reason" not in response.headers
    assert response.headers.getlist("Set-Cookie") == cookies
    assert response.headers["Cache-Control"] == "private, no-store"


def test_the_body_of_a_refresh_call(app: Flask, live_signer: Signer, backend: LocalServer) -> None:
    answers(backend, live_signer.token())
    expired = live_signer.expired()
    client = client_with(app, expired)
    headers = {"User-Agent": "Browser/1", "X-Forwarded-For": "203.0.113.9"}
    client.get("/?a=1", headers=BROWSER | headers, base_url="http://localhost")

    (asked,) = backend.received
    assert (asked.method, asked.path) == ("POST", REFRESH)
    assert asked.headers["authorization"] == "Bearer sk_live_secret"
    assert asked.headers["clerk-api-version"] == "2026-05-12"
    assert asked.headers["content-type"] == "application/json"
    body = json.loads(asked.body)
    told = body.pop("request_headers")
    assert body == {
        "expired_token": expired,
        "refresh_token": "refresh_1",
        "request_origin": "http://localhost",
        "suffixed_cookies": False,
        "format": "cookie",
    }
    assert told["user-agent"] == ["Browser/1"]
    assert told["x-forwarded-for"] == ["203.0.113.9"]
    assert told["sec-fetch-dest"] == ["document"]
    assert all(isinstance(values, list) for values in told.values())


def test_a_refresh_call_has_no_other_secrets(app: Flask, live_signer: Signer, backend: LocalServer) -> None:
    answers(backend, live_signer.token())
    secrets = {"my-app-session": "SECRET1", "sessionid": "SECRET2", "__client_id": "SECRET3"}
    client = client_with(app, live_signer.expired(), **secrets)
    headers = {"Authorization": "Basic SECRET4", "Proxy-Authorization": "Basic SECRET5"}
    assert client.get("/", headers=BROWSER | headers).json == {"user": "user_alice"}
    told = json.loads(backend.received[0].body)["request_headers"]
    assert "SECRET" not in str(told)
    (cookies,) = told["cookie"]
    sent = {cookie.partition("=")[0] for cookie in cookies.split("; ")}
    assert sent == {"__session", "__client_uat", f"__refresh_{SUFFIX}"}


def test_the_refresh_call_says_whether_cookies_are_suffixed(
    app: Flask, live_signer: Signer, backend: LocalServer
) -> None:
    answers(backend, live_signer.token())
    expired = live_signer.expired()
    suffixed = {f"__session_{SUFFIX}": expired, f"__client_uat_{SUFFIX}": "1"}
    response = client_with(app, "", __client_uat="", **suffixed).get("/", headers=FETCH)
    assert response.json == {"user": "user_alice"}
    body = json.loads(backend.received[0].body)
    assert body["suffixed_cookies"] is True
    assert body["expired_token"] == expired


def test_an_expired_token_in_the_header_is_refreshed_too(
    app: Flask, live_signer: Signer, backend: LocalServer
) -> None:
    answers(backend, live_signer.token())
    expired = live_signer.expired()
    client = client_with(app, "", __client_uat="")
    response = client.get("/", headers=FETCH | {"Authorization": f"Bearer {expired}"})
    assert response.json == {"user": "user_alice"}
    assert json.loads(backend.received[0].body)["expired_token"] == expired


@pytest.mark.parametrize(
    ("method", "cookies", "why"),
    [
        ("GET", {f"__refresh_{SUFFIX}": ""}, "non-eligible-no-refresh-cookie"),
        # The refresh token is read only from the cookie with a suffix.
        ("GET", {f"__refresh_{SUFFIX}": "", "__refresh": "r"}, "non-eligible-no-refresh-cookie"),
        ("POST", {}, "non-eligible-non-get"),
        ("HEAD", {}, "non-eligible-non-get"),
        ("POST", {f"__refresh_{SUFFIX}": ""}, "non-eligible-non-get"),
    ],
)
def test_requests_that_are_not_eligible_for_a_refresh(
    app: Flask,
    live_signer: Signer,
    backend: LocalServer,
    method: str,
    cookies: dict[str, str],
    why: str,
) -> None:
    answers(backend, live_signer.token())
    client = client_with(app, live_signer.expired(), **cookies)
    response = client.open("/", method=method, headers=BROWSER)
    assert response.headers["X-Clerk-Auth-Reason"] == EXPIRED + why
    assert (response.status_code == 307) == (method == "GET")
    assert not backend.received


@pytest.mark.parametrize("claims", [{"nbf": 9_999_999_999}, {"iat": 9_999_999_999}])
def test_a_token_that_is_not_yet_valid_is_not_refreshed(
    app: Flask, live_signer: Signer, backend: LocalServer, claims: dict[str, Any]
) -> None:
    response = client_with(app, live_signer.token(**claims)).get("/", headers=BROWSER)
    assert response.headers["X-Clerk-Auth-Status"] == "handshake"
    assert not response.headers["X-Clerk-Auth-Reason"].startswith(EXPIRED)
    assert not backend.received


@pytest.mark.parametrize(
    "change",
    [{"azp": "https://evil.example"}, {"iss": "https://clerk.other.example"}, {"sub": "mch_1"}],
    ids=repr,
)
def test_only_tokens_that_are_valid_except_for_their_expiration_are_refreshed(
    app: Flask, live_signer: Signer, backend: LocalServer, change: dict[str, Any]
) -> None:
    answers(backend, live_signer.token())
    token = live_signer.token(exp=1_700_000_060, iat=1_700_000_000, nbf=1, **change)
    response = client_with(app, token, __client_uat="1").get("/", headers=BROWSER)
    assert response.headers["X-Clerk-Auth-Status"] != "signed-in"
    assert not backend.received


def test_a_forged_expired_token_causes_no_call(
    app: Flask, live_signer: Signer, forger: Signer, backend: LocalServer
) -> None:
    answers(backend, live_signer.token())
    past: dict[str, Any] = {"iat": 1_700_000_000, "nbf": 1, "exp": 1_700_000_060}
    forged = forger.token(iss=f"https://{LIVE_HOST}", **past)
    response = client_with(app, forged).get("/", headers=BROWSER)
    assert response.headers["X-Clerk-Auth-Reason"] == "token-invalid-signature"
    assert not backend.received


@pytest.mark.parametrize("sid", [None, 5, "", ["sess_1"]], ids=repr)
def test_a_token_without_a_session_cannot_be_refreshed(
    app: Flask, live_signer: Signer, backend: LocalServer, sid: object
) -> None:
    token = live_signer.token(sid=sid, iat=1_700_000_000, nbf=1, exp=1_700_000_060)
    response = client_with(app, token).get("/", headers=BROWSER)
    handshakes(response, "expired-session-token-missing-sid-claim")
    assert not backend.received


def test_the_session_id_is_escaped_in_the_path(app: Flask, live_signer: Signer, backend: LocalServer) -> None:
    token = live_signer.token(sid="../users/u?x=", iat=1_700_000_000, nbf=1, exp=1_700_000_060)
    client_with(app, token).get("/", headers=BROWSER)
    assert backend.received[0].path == "/v1/sessions/..%2Fusers%2Fu%3Fx%3D/refresh"


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (400, {"errors": [{"code": "refresh_token_expired"}]}, "refresh_token_expired"),
        (404, {"errors": [{"code": "a"}, {"code": "b"}]}, "a"),
        (401, {"errors": [{"code": "secret_key_invalid"}]}, "secret_key_invalid"),
        (429, {"errors": [{"code": "too_many_requests"}]}, "too_many_requests"),
        # Unusable responses.
        (500, b"", "unexpected-bapi-error"),
        (502, b"<html>", "unexpected-bapi-error"),
        (302, b"", "unexpected-bapi-error"),
        (400, {"errors": []}, "unexpected-bapi-error"),
        (400, {"errors": [{"code": "a\r\nX-Evil: 1"}]}, "unexpected-bapi-error"),
        (400, {"errors": [{"code": "caf\u00e9"}]}, "unexpected-bapi-error"),
        (400, {"errors": [{"code": 5}]}, "unexpected-bapi-error"),
        (200, b"", "unexpected-bapi-error"),
        (200, b"[" * 5000, "unexpected-bapi-error"),
        (200, [], "unexpected-bapi-error"),
        (200, {}, "unexpected-bapi-error"),
        (200, {"cookies": None}, "unexpected-bapi-error"),
        (200, {"cookies": "__session=x"}, "unexpected-bapi-error"),
        (200, {"cookies": [5]}, "unexpected-bapi-error"),
        # Cookies without a usable session token.
        (200, {"cookies": []}, "invalid-session-token"),
        (200, {"cookies": ["a=b"]}, "invalid-session-token"),
        (200, {"cookies": ["__session=; Path=/"]}, "invalid-session-token"),
        (200, {"cookies": ["__session=nonsense; Path=/"]}, "invalid-session-token"),
        (200, {"cookies": ["__session"]}, "invalid-session-token"),
        (200, {"cookies": ["a=b\r\nX-Evil: 1"]}, "invalid-session-token"),
        (200, {"cookies": ["a=\u2028"]}, "invalid-session-token"),
    ],
    ids=repr,
)
def test_the_reason_for_a_failed_refresh(
    client: FlaskClient, backend: LocalServer, status: int, body: object, why: str
) -> None:
    backend.answers[f"POST {REFRESH}"] = (status, body)
    response = client.get("/", headers=BROWSER)
    handshakes(response, why)
    assert "X-Evil" not in response.headers
    # One call only: calls that change something are never retried.
    assert backend.count(REFRESH) == 1


def test_after_a_failed_refresh_api_clients_are_signed_out(client: FlaskClient, backend: LocalServer) -> None:
    backend.answers[f"POST {REFRESH}"] = (400, {"errors": [{"code": "refresh_token_expired"}]})
    response = client.get("/", headers=FETCH)
    assert response.json == {"user": None}
    assert response.headers["X-Clerk-Auth-Status"] == "signed-out"
    assert response.headers["X-Clerk-Auth-Reason"] == f"{EXPIRED}refresh_token_expired"
    assert "Set-Cookie" not in response.headers


def test_without_a_response_the_browser_is_redirected_to_clerk(live_signer: Signer) -> None:
    # No server listens on port 1.
    client = client_with(app_of(live_signer, "http://127.0.0.1:1"), live_signer.expired())
    handshakes(client.get("/", headers=BROWSER), "fetch-error")


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ({"cat": "cl_B7d4PD222AAA"}, {}),
        ({"cat": "cl_B7d4PD333AAA"}, {"sub": "mch_1"}),
        ({"typ": "at+jwt"}, {}),
        ({}, {"exp": 1_700_000_000}),
        ({}, {"nbf": 9_999_999_999}),
        ({}, {"azp": "https://evil.example"}),
        ({}, {"azp": None}),
        ({}, {"iss": "https://clerk.other.example"}),
        ({}, {"sub": None}),
    ],
    ids=repr,
)
def test_an_invalid_new_token_is_rejected(
    client: FlaskClient,
    live_signer: Signer,
    backend: LocalServer,
    header: dict[str, str],
    claims: dict[str, Any],
) -> None:
    answers(backend, live_signer.token(header, **claims))
    handshakes(client.get("/", headers=BROWSER), "invalid-session-token")


def test_a_new_token_signed_with_another_key_is_rejected(
    client: FlaskClient, live_signer: Signer, forger: Signer, backend: LocalServer
) -> None:
    claims = encode_part(live_signer.claims(sub="user_admin"))
    for forged in (
        forger.token(iss=f"https://{LIVE_HOST}", sub="user_admin"),
        f"{encode_part({'alg': 'none', 'typ': 'JWT'})}.{claims}.x",
        f"{encode_part({'alg': 'RS256'})}.{claims}.{live_signer.token().split('.')[2]}",
    ):
        answers(backend, forged)
        client.delete_cookie("__clerk_redirect_count")
        handshakes(client.get("/", headers=BROWSER), "invalid-session-token")


def test_refresh_tokens_are_not_logged(
    client: FlaskClient, backend: LocalServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    backend.answers[f"POST {REFRESH}"] = (500, b"")
    client.get("/", headers=BROWSER)
    assert "refresh_1" not in caplog.text
    assert "sk_live_secret" not in caplog.text
