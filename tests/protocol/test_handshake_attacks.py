"""Handshake results are ignored if an attacker made them or an earlier handshake left them behind."""

from __future__ import annotations

import time
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.clerk import clerk_of
from tests.app_fixtures import BROWSER
from tests.local_server import LocalServer
from tests.signing import Signer

NONCES = "/v1/clients/handshake_payload"
SUBRESOURCES: list[tuple[str, dict[str, str]]] = [
    ("POST", BROWSER),
    ("HEAD", BROWSER),
    ("PUT", BROWSER),
    ("GET", {"Accept": "application/json"}),
    ("GET", {"Accept": "*/*"}),
    ("GET", {"Accept": "text/html", "Sec-Fetch-Dest": "image"}),
    ("GET", {"Accept": "text/html", "Sec-Fetch-Dest": "empty"}),
    ("GET", {"Accept": "image/avif,image/webp"}),
]
"""Requests that can't be the return from a handshake."""


def directives(token: str) -> list[str]:
    """The cookies that Clerk sets for a signed-in user; without a token, those of a sign-out."""
    return [f"__session={token}; Path=/; SameSite=Lax", f"__client_uat={int(bool(token))}; Path=/"]


def visit(app: Flask, path: str = "/", **cookies: str) -> TestResponse:
    """Load a page with these cookies."""
    client = app.test_client()
    for name, value in cookies.items():
        client.set_cookie(name, value)
    return client.get(path, headers=BROWSER)


def set_by(response: TestResponse) -> list[str]:
    """The session cookies that a response sets."""
    return [cookie for cookie in response.headers.getlist("Set-Cookie") if cookie.startswith("__session")]


# --- Payloads in links ----------------------------------------------------------------------------


def test_a_link_cannot_sign_a_victim_in_as_the_attacker(live_app: Flask, live_signer: Signer) -> None:
    payload = live_signer.handshake(directives(live_signer.token(sub="user_mallory")))
    for spelling in ("__clerk_handshake", "__clerk%5Fhandshake"):
        response = visit(live_app, f"/?{spelling}={payload}")
        assert response.headers["X-Clerk-Auth-Reason"] == "session-token-and-uat-missing"
        assert not response.headers.getlist("Set-Cookie")


def test_a_link_cannot_sign_a_victim_out_or_change_the_user(live_app: Flask, live_signer: Signer) -> None:
    own = {"__session": live_signer.token(), "__client_uat": "1"}
    for token in ("", live_signer.token(sub="user_mallory")):
        payload = live_signer.handshake(directives(token))
        response = visit(live_app, f"/api/me?__clerk_handshake={payload}", **own)
        assert response.json
        assert response.json["user_id"] == "user_alice"
        assert not response.headers.getlist("Set-Cookie")


# --- Issuer and times of a payload ----------------------------------------------------------------


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://clerk.other.example"},
        {"iss": ""},
        {"iss": None},
        {"exp": -6},
        {"exp": -3600},
        {"iat": 7},
        {"iat": 3600},
        {"nbf": 3600},
        {"exp": "never"},
        {"exp": True},
        {"exp": float("inf")},
        {"iat": None},
    ],
    ids=str,
)
@pytest.mark.parametrize("user", ["alice", ""])
def test_a_payload_of_another_issuer_or_time_is_not_used(
    app: Flask, live_app: Flask, signer: Signer, live_signer: Signer, claims: dict[str, Any], user: str
) -> None:
    now = int(time.time())
    timed = {name: now + value if type(value) is int else value for name, value in claims.items()}
    token = live_signer.token() if user else ""
    live = visit(live_app, __clerk_handshake=live_signer.payload(directives(token), **timed))
    assert live.headers["X-Clerk-Auth-Reason"] == "session-token-and-uat-missing"
    assert not live.headers.getlist("Set-Cookie")

    token = signer.token() if user else ""
    response = visit(app, f"/?__clerk_handshake={signer.payload(directives(token), **timed)}")
    assert response.status_code == 500
    assert not set_by(response)


@pytest.mark.parametrize("claims", [{}, {"exp": 60}, {"exp": -4}, {"iat": 4, "exp": 60}, {"nbf": 0}], ids=str)
def test_a_payload_with_a_valid_issuer_and_times_is_used(
    live_app: Flask, live_signer: Signer, claims: dict[str, int]
) -> None:
    timed = {name: int(time.time()) + seconds for name, seconds in claims.items()}
    own = {"iss": f"https://{live_signer.host}"} if claims else {}
    payload = live_signer.payload(directives(live_signer.token()), **own, **timed)
    response = visit(live_app, __clerk_handshake=payload)
    assert response.headers["X-Clerk-Auth-Status"] == "signed-in"


# --- Results that were left behind ----------------------------------------------------------------


@pytest.mark.parametrize(("method", "headers"), SUBRESOURCES, ids=str)
@pytest.mark.parametrize("live", [False, True], ids=["development", "production"])
def test_only_page_loads_finish_a_handshake(
    request: pytest.FixtureRequest,
    backend: LocalServer,
    method: str,
    headers: dict[str, str],
    live: bool,
) -> None:
    app: Flask = request.getfixturevalue("live_app" if live else "app")
    ours: Signer = request.getfixturevalue("live_signer" if live else "signer")
    backend.answers[f"GET {NONCES}"] = (200, {"directives": directives(ours.token())})
    for name, value in {
        "handshake": ours.handshake(directives(ours.token())),
        "handshake_nonce": "n",
    }.items():
        for path, cookies in (
            ("/", {f"__clerk_{name}": value}),
            (f"/?__clerk_{name}={value}", {}),
        ):
            client = app.test_client()
            for cookie, content in ({"__clerk_db_jwt": "dvb_1"} | cookies).items():
                client.set_cookie(cookie, content)
            response = client.open(path, method=method, headers=headers)
            assert response.headers["X-Clerk-Auth-Status"] == "signed-out"
            assert not set_by(response)
    assert not backend.count(NONCES)


@pytest.mark.parametrize("name", ["__clerk_handshake", "__clerk_handshake_nonce"])
def test_a_result_in_a_cookie_is_deleted_once_it_has_been_used(
    live_app: Flask, live_signer: Signer, backend: LocalServer, name: str
) -> None:
    cookies = directives(live_signer.token())
    backend.answers[f"GET {NONCES}"] = (200, {"directives": cookies})
    value = live_signer.handshake(cookies) if name == "__clerk_handshake" else "n"
    response = visit(live_app, **{name: value})
    assert response.headers["X-Clerk-Auth-Status"] == "signed-in"
    added = response.headers.getlist("Set-Cookie")[len(cookies) :]
    deletions = [cookie for cookie in added if cookie.startswith("__clerk")]
    assert any(c.startswith(f"{name}=;") and "Domain" not in c for c in deletions)
    assert any(c.startswith(f"{name}=;") and c.endswith("Domain=example.com") for c in deletions)
    assert all("Max-Age=0" in cookie for cookie in deletions)


def test_a_result_in_a_cookie_causes_no_endless_redirects_in_development(app: Flask, signer: Signer) -> None:
    client = app.test_client()
    client.set_cookie("__clerk_handshake", signer.handshake(directives(signer.token())))
    client.set_cookie("__clerk_db_jwt", "dvb_1")
    assert client.get("/", headers=BROWSER).status_code == 307
    assert client.get("/", headers=BROWSER).status_code == 200


def test_signing_out_ignores_and_deletes_a_result_that_was_left_behind(
    live_app: Flask, live_signer: Signer, backend: LocalServer
) -> None:
    backend.answers["POST /v1/sessions/sess_1/revoke"] = (200, {"id": "sess_1"})
    live_app.config["WTF_CSRF_ENABLED"] = False
    client: FlaskClient = live_app.test_client()
    token = live_signer.token()
    client.set_cookie("__clerk_handshake", live_signer.handshake(directives(token)))
    client.set_cookie("__session", token)
    client.set_cookie("__client_uat", "1")
    try:
        response = client.post("/logout", headers=BROWSER)
    finally:
        live_app.config["WTF_CSRF_ENABLED"] = True
    assert not [cookie for cookie in set_by(response) if token in cookie]
    assert client.get_cookie("__clerk_handshake") is None
    assert clerk_of(live_app).instance.host == "clerk.example.com"
    after = client.get("/", headers=BROWSER)
    assert after.headers["X-Clerk-Auth-Status"] != "signed-in"


def test_a_new_handshake_drops_the_result_of_an_earlier_one(live_app: Flask) -> None:
    path = "/p?a=1&__clerk_handshake_nonce=bad&__clerk_handshake=bad&b=2"
    response = visit(live_app, path, __client_uat="1")
    assert "redirect_url=http%3A%2F%2Flocalhost%2Fp%3Fa%3D1%26b%3D2&" in response.headers["Location"]
