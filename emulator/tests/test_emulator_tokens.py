"""Session tokens, as the app's server verifies them."""

from __future__ import annotations

import json
from typing import Any

import jwt
from jwt.algorithms import RSAAlgorithm

from clerk_emulator.testing import Backend, Browser, ManualClock, error_of

ISSUER = "https://local-acme-1.clerk.accounts.dev"


def fresh_token(browser: Browser) -> str:
    answer = browser.post(f"/client/sessions/{browser.session()['id']}/tokens")
    token: str = answer.get_json()["jwt"]
    return token


def verify(token: str, jwks: dict[str, Any]) -> dict[str, Any]:
    (key,) = jwks["keys"]
    assert key["kid"] == jwt.get_unverified_header(token)["kid"]
    public_key: Any = RSAAlgorithm.from_jwk(json.dumps(key))
    return jwt.decode(token, public_key, algorithms=["RS256"], issuer=ISSUER)


def test_a_token_verifies_against_the_published_key(ada: Browser) -> None:
    jwks = ada.http.get("/.well-known/jwks.json").get_json()
    assert verify(fresh_token(ada), jwks)["sub"] == ada.session()["user"]["id"]


def test_the_backend_api_publishes_the_same_key(ada: Browser, backend: Backend) -> None:
    assert backend.get("/jwks").get_json() == ada.http.get("/.well-known/jwks.json").get_json()


def test_the_claims_are_clerks_version_2(ada: Browser, clock: ManualClock) -> None:
    clock.forward(seconds=-1)
    now = clock.now // 1000
    session = ada.session()
    claims = jwt.decode(fresh_token(ada), options={"verify_signature": False})
    assert claims == {
        "v": 2,
        "sub": session["user"]["id"],
        "sid": session["id"],
        "iss": ISSUER,
        "azp": "http://localhost:5000",
        "iat": now,
        "nbf": now - 10,
        "exp": now + 60,
        "fva": [0, -1],
        "sts": "active",
    }


def test_the_header_names_the_class_of_session_tokens(ada: Browser) -> None:
    header = jwt.get_unverified_header(fresh_token(ada))
    assert (header["alg"], header["typ"], header["cat"]) == ("RS256", "JWT", "cl_B7d4PD111AAA")


def test_the_age_of_the_first_factor_grows(ada: Browser, clock: ManualClock) -> None:
    clock.forward(seconds=125)
    assert ada.session()["factor_verification_age"] == [2, -1]


def test_the_authorized_party_is_the_current_origin(ada: Browser) -> None:
    answer = ada.http.get(
        "/v1/client",
        query_string={"__clerk_db_jwt": ada.dev_browser},
        headers={"Clerk-Proxy-Url": "http://127.0.0.1:5000/__clerk"},
    )
    token = answer.get_json()["response"]["sessions"][0]["last_active_token"]["jwt"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["azp"] == "http://127.0.0.1:5000"


def test_a_token_is_never_older_than_the_sign_in(ada: Browser, clock: ManualClock) -> None:
    """Otherwise, the app would start one handshake after the other."""
    clock.forward(seconds=30)
    client = ada.client()
    token = client["sessions"][0]["last_active_token"]["jwt"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert client["updated_at"] // 1000 <= claims["iat"]


def test_using_a_session_does_not_look_like_a_new_sign_in(ada: Browser, clock: ManualClock) -> None:
    before = ada.client()["updated_at"]
    clock.forward(seconds=30)
    ada.post(f"/client/sessions/{ada.session()['id']}/touch", active_organization_id="")
    assert ada.client()["updated_at"] == before


def test_there_are_no_token_templates(ada: Browser) -> None:
    answer = ada.post(f"/client/sessions/{ada.session()['id']}/tokens/supabase")
    assert error_of(answer)[:2] == (404, "resource_not_found")
