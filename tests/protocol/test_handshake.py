"""Requests that return from a handshake."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.app_fixtures import BROWSER
from tests.local_server import LocalServer
from tests.signing import LIVE_HOST, Signer


def directives(token: str) -> list[str]:
    """The cookies that Clerk sets for a signed-in user."""
    return [f"__session={token}; Path=/; SameSite=Lax", "__client_uat=1; Path=/"]


def come_back(client: FlaskClient, payload: str, path: str = "/dashboard?tab=1") -> TestResponse:
    """Return to the app from a development handshake."""
    return client.get(f"{path}&__clerk_handshake={payload}", headers=BROWSER)


def test_development_sets_the_cookies_and_cleans_up_the_url(client: FlaskClient, signer: Signer) -> None:
    cookies = directives(signer.token())
    response = come_back(client, signer.handshake(cookies))
    assert response.status_code == 307
    assert response.headers["Location"] == "/dashboard?tab=1"
    assert response.headers.getlist("Set-Cookie") == cookies
    assert response.headers["X-Clerk-Auth-Status"] == "signed-in"
    assert response.headers["Cache-Control"] == "no-store"
    assert client.get("/dashboard", headers=BROWSER).status_code == 200


def test_production_responds_without_a_redirect(live_app: Flask, live_signer: Signer) -> None:
    client = live_app.test_client()
    cookies = directives(live_signer.token())
    client.set_cookie("__clerk_handshake", live_signer.handshake(cookies))
    response = client.get("/api/me", headers=BROWSER)
    assert response.status_code == 200
    assert response.json
    assert response.json["user_id"] == "user_alice"
    assert response.headers.getlist("Set-Cookie")[:2] == cookies


def test_a_nonce_is_exchanged_at_the_backend_api(
    client: FlaskClient, signer: Signer, backend: LocalServer
) -> None:
    answer = {"directives": directives(signer.token())}
    backend.answers["GET /v1/clients/handshake_payload"] = (200, answer)
    response = client.get("/?__clerk_handshake_nonce=n-1._~2", headers=BROWSER)
    assert response.headers["X-Clerk-Auth-Status"] == "signed-in"
    assert response.headers["Location"] == "/"
    asked = backend.received[-1]
    assert asked.path == "/v1/clients/handshake_payload?nonce=n-1._~2"
    assert asked.headers["authorization"] == "Bearer sk_test_secret"
    assert asked.headers["clerk-api-version"] == "2026-05-12"


def test_a_user_signed_out_of_clerk_is_signed_out_here(client: FlaskClient, signer: Signer) -> None:
    response = come_back(client, signer.handshake(["__session=; Path=/", "__client_uat=0"]))
    assert response.headers["X-Clerk-Auth-Status"] == "signed-out"
    assert response.headers["X-Clerk-Auth-Reason"] == "session-token-missing"
    assert response.headers["Location"] == "/dashboard?tab=1"


@pytest.mark.parametrize("spelling", ["__clerk_handshake", "%5F_clerk_handshake"])
def test_every_spelling_of_the_parameter_is_removed(
    client: FlaskClient, signer: Signer, spelling: str
) -> None:
    payload = signer.handshake(directives(signer.token()))
    response = client.get(f"/?{spelling}={payload}&__clerk_db_jwt=d&a=1", headers=BROWSER)
    assert response.headers["Location"] == "/?a=1"


@pytest.mark.parametrize("path", ["//evil.example/x?a=1", "/%5Cevil.example?a=1", "///e.example/?a"])
def test_the_redirect_after_a_handshake_stays_on_this_host(
    client: FlaskClient, signer: Signer, path: str
) -> None:
    response = come_back(client, signer.handshake(directives(signer.token())), path)
    location = response.headers["Location"]
    assert location.startswith("/")
    assert location[1:2] not in ("/", "\\")


def test_a_forged_payload_is_explained_to_the_developer(client: FlaskClient, forger: Signer) -> None:
    response = come_back(client, forger.handshake(directives(forger.token())))
    assert response.status_code == 500
    assert "reload the page" in response.text
    assert "Set-Cookie" not in response.headers


def test_a_payload_signed_with_another_key_or_class_is_rejected(client: FlaskClient, signer: Signer) -> None:
    cookies = directives(signer.token())
    template = signer.handshake(cookies, cat="cl_B7d4PD222AAA")
    session_with_claim = signer.token(handshake=cookies)
    for payload in (template, session_with_claim, signer.handshake(cookies, typ="at+jwt")):
        assert come_back(client, payload).status_code == 500


@pytest.mark.parametrize("bad", [["a=b\r\nX-Evil: 1"], ["a=\u2028"], "text", [5], None, {}])
def test_malformed_payloads_set_no_cookies(client: FlaskClient, signer: Signer, bad: object) -> None:
    response = come_back(client, signer.handshake(bad))  # type: ignore[arg-type]
    assert response.status_code == 500
    assert "X-Evil" not in response.headers


def test_production_ignores_a_payload_meant_for_another_app(live_app: Flask, forger: Signer) -> None:
    client = live_app.test_client()
    client.set_cookie("__clerk_handshake", forger.handshake(directives(forger.token())))
    response = client.get("/", headers=BROWSER)
    assert response.status_code == 200
    assert response.headers["X-Clerk-Auth-Reason"] == "session-token-and-uat-missing"
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, {"errors": [{"code": "x"}]}), (200, b"nonsense"), (200, [1]), (500, b"")],
)
def test_an_unusable_payload_response(
    client: FlaskClient, live_app: Flask, backend: LocalServer, status: int, body: object
) -> None:
    backend.answers["GET /v1/clients/handshake_payload"] = (status, body)
    assert client.get("/?__clerk_handshake_nonce=n", headers=BROWSER).status_code == 500
    live = live_app.test_client().get("/?__clerk_handshake_nonce=n", headers=BROWSER)
    assert live.headers["X-Clerk-Auth-Reason"] == "session-token-and-uat-missing"


def test_a_wrong_clock_is_tolerated_in_development_only(
    client: FlaskClient, signer: Signer, live_app: Flask, live_signer: Signer
) -> None:
    late: dict[str, Any] = {"iat": int(time.time()) - 7200, "exp": int(time.time()) - 7140}
    response = come_back(client, signer.handshake(directives(signer.token(**late))))
    assert response.headers["X-Clerk-Auth-Status"] == "signed-in"

    payload = live_signer.handshake(directives(live_signer.token(**late)))
    client = live_app.test_client()
    client.set_cookie("__clerk_handshake", payload)
    live = client.get("/", headers=BROWSER)
    assert live.headers["X-Clerk-Auth-Status"] == "signed-out"


def test_wrong_keys_cause_no_endless_redirects(live_app: Flask, live_signer: Signer) -> None:
    client = live_app.test_client()
    client.set_cookie("__client_uat", "1")
    answers = [client.get("/", headers=BROWSER) for _ in range(5)]
    # The test client keeps the counter, a cookie of 2 seconds: three redirects, then a response.
    assert [answer.status_code for answer in answers] == [307, 307, 307, 200, 200]


def test_a_proxy_path_replaces_the_frontend_api(live_environ: dict[str, str]) -> None:
    from app import create_app

    client = create_app(live_environ | {"CLERK_PROXY_URL": "/__clerk"}).test_client()
    client.set_cookie("__client_uat", "1")
    location = client.get("/", headers=BROWSER).headers["Location"]
    assert location.startswith("http://localhost/__clerk/v1/client/handshake?")
    assert quote(LIVE_HOST) not in location
