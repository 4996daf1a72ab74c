"""How the app decides whether a request is signed in, with keys made here.

Clerk signs a session token every minute. A browser sends it in the cookie ``__session``, an API
client in the header ``Authorization``. Sources:
https://clerk.com/docs/guides/how-clerk-works/overview and
https://clerk.com/docs/guides/sessions/session-tokens
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from tests.app_fixtures import BROWSER
from tests.signing import USER

PROGRAM = {"Accept": "application/json", "Sec-Fetch-Dest": "empty"}

ISSUER = "https://quick-fox-7.clerk.accounts.dev"
OURS = generate_private_key(public_exponent=65537, key_size=2048)
"""The private key of the Clerk instance."""
THEIRS = generate_private_key(public_exponent=65537, key_size=2048)
"""The private key of an attacker."""
PEM = OURS.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)


def claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of a session token made now. A change to None removes a claim."""
    now = int(time.time())
    standard = {
        "sub": USER,
        "sid": "sess_1",
        "iss": ISSUER,
        "azp": "http://localhost",
        "iat": now,
        "nbf": now - 10,
        "exp": now + 60,
        "v": 2,
    }
    return {name: value for name, value in (standard | changes).items() if value is not None}


def token(key: RSAPrivateKey = OURS, header: dict[str, Any] | None = None, **changes: Any) -> str:
    """Return a signed token."""
    headers = {"kid": "ins_1"} | (header or {})
    return jwt.encode(claims(**changes), key, algorithm="RS256", headers=headers)


def base64url(data: bytes) -> str:
    """Encode a part of a token (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unsigned(algorithm: str) -> str:
    """Return the first two parts of a token that names this algorithm."""
    header = {"alg": algorithm, "typ": "JWT", "kid": "ins_1"}
    return ".".join(base64url(json.dumps(part).encode()) for part in (header, claims()))


def with_public_key_as_secret() -> str:
    """Return a token signed by HMAC, with the public key as the secret."""
    signed = unsigned("HS256")
    return f"{signed}.{base64url(hmac.new(PEM, signed.encode(), hashlib.sha256).digest())}"


def with_other_claims() -> str:
    """Return a genuine token whose payload was replaced."""
    header, _, signature = token().split(".")
    payload = base64url(json.dumps(claims(sub="user_admin")).encode())
    return f"{header}.{payload}.{signature}"


@pytest.fixture
def client(environ: dict[str, str]) -> FlaskClient:
    """A browser on the app, which has the public key of the Clerk instance."""
    settings = {"CLERK_JWT_KEY": PEM.decode(), "CLERK_AUTHORIZED_PARTIES": "http://localhost"}
    client = create_app(environ | settings).test_client()
    client.environ_base |= {
        "HTTP_ACCEPT": BROWSER["Accept"],
        "HTTP_SEC_FETCH_DEST": BROWSER["Sec-Fetch-Dest"],
    }
    client.set_cookie("__clerk_db_jwt", "dvb_1")
    return client


def as_api_client(client: FlaskClient, token: str) -> TestResponse:
    """Call the app with a token in the header."""
    return client.get("/api/me", headers=PROGRAM | {"Authorization": f"Bearer {token}"})


def as_browser(client: FlaskClient, token: str, *, signed_in_at: int = 1) -> TestResponse:
    """Load a page with a token in the cookie.

    :param signed_in_at: the time of the last sign-in, in Unix seconds.
    """
    client.set_cookie("__session", token)
    client.set_cookie("__client_uat", str(signed_in_at))
    return client.get("/api/me")


def test_a_genuine_token_is_accepted(client: FlaskClient) -> None:
    assert as_api_client(client, token()).get_json()["user_id"] == USER
    assert as_browser(client, token()).get_json()["user_id"] == USER


FORGED: dict[str, tuple[Callable[[], str], str]] = {
    "another key": (lambda: token(THEIRS), "token-invalid-signature"),
    "other claims": (with_other_claims, "token-invalid-signature"),
    "a key that the token brings": (
        lambda: token(THEIRS, {"jku": "https://evil.example/jwks"}),
        "token-invalid-signature",
    ),
    "no signature": (lambda: f"{unsigned('none')}.", "token-invalid"),
    "algorithm none": (lambda: f"{unsigned('none')}.eA", "token-invalid-algorithm"),
    "the public key as a secret": (with_public_key_as_secret, "token-invalid-algorithm"),
    "another instance": (
        lambda: token(iss="https://other-1.clerk.accounts.dev"),
        "token-invalid",
    ),
    "another app": (
        lambda: token(azp="https://evil.example"),
        "token-invalid-authorized-parties",
    ),
    "no app": (lambda: token(azp=None), "token-invalid-authorized-parties"),
    "no user": (lambda: token(sub=None), "token-invalid"),
    "no expiration": (lambda: token(exp=None), "token-invalid"),
    "an infinite expiration": (lambda: token(exp=float("inf")), "token-invalid"),
    "a token from a template": (
        lambda: token(header={"cat": "cl_B7d4PD222AAA"}),
        "token-type-mismatch",
    ),
    "a machine-to-machine token": (lambda: token(sub="mch_1"), "token-type-mismatch"),
    "an OAuth access token": (lambda: token(header={"typ": "at+jwt"}), "token-type-mismatch"),
    "an API key": (lambda: "ak_secret", "token-type-mismatch"),
    "not a token": (lambda: "a.b.c", "token-invalid"),
}


@pytest.mark.parametrize("forgery", FORGED)
def test_a_forged_token_in_the_header_is_refused(client: FlaskClient, forgery: str) -> None:
    make, reason = FORGED[forgery]
    answer = as_api_client(client, make())
    assert (answer.status_code, answer.get_json()["reason"]) == (401, reason)


@pytest.mark.parametrize("forgery", FORGED)
def test_a_forged_token_in_the_cookie_is_refused(client: FlaskClient, forgery: str) -> None:
    make, _ = FORGED[forgery]
    answer = as_browser(client, make())
    assert answer.headers["X-Clerk-Auth-Status"] != "signed-in"
    assert "user_id" not in answer.text


def test_a_forged_token_is_refused_even_if_the_cookie_is_genuine(client: FlaskClient) -> None:
    assert as_browser(client, token()).status_code == 200
    assert as_api_client(client, token(THEIRS)).status_code == 401


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [
        ({"exp": -60}, "session-token-expired-refresh-non-eligible-no-refresh-cookie"),
        ({"nbf": 60}, "session-token-nbf"),
        ({"iat": 60}, "session-token-iat-in-the-future"),
    ],
)
def test_a_token_outside_its_lifetime_is_exchanged_for_a_new_one(
    client: FlaskClient, seconds: dict[str, int], reason: str
) -> None:
    times: dict[str, Any] = {name: int(time.time()) + offset for name, offset in seconds.items()}
    answer = as_browser(client, token(**times))
    assert answer.status_code == 307
    target = urlsplit(answer.location)
    assert f"{target.scheme}://{target.netloc}" == ISSUER
    assert target.path == "/v1/client/handshake"
    assert parse_qs(target.query)["redirect_url"] == ["http://localhost/api/me"]
    assert answer.headers["X-Clerk-Auth-Reason"] == reason
    # An API client can't follow such a redirect.
    assert as_api_client(client, token(**times)).status_code == 401


def test_a_token_older_than_the_last_sign_in_is_exchanged(client: FlaskClient) -> None:
    assert as_browser(client, token(), signed_in_at=9_999_999_999).status_code == 307


def test_a_post_is_never_redirected(client: FlaskClient) -> None:
    client.set_cookie("__session", token(exp=int(time.time()) - 60))
    client.set_cookie("__client_uat", "1")
    answer = client.post("/logout")
    assert answer.status_code == 400
    assert answer.headers["X-Clerk-Auth-Status"] == "signed-out"


def test_handshakes_end_after_three_redirects(client: FlaskClient) -> None:
    client.set_cookie("__clerk_redirect_count", "3")
    assert as_browser(client, token(exp=int(time.time()) - 60)).status_code == 401


def test_a_forged_handshake_does_not_sign_anyone_in(client: FlaskClient) -> None:
    directives = [f"__session={token(sub='user_admin')}; Path=/"]
    forged = jwt.encode({"handshake": directives}, THEIRS, "RS256", headers={"kid": "ins_1"})
    answer = client.get(f"/api/me?__clerk_handshake={forged}")
    assert answer.status_code == 500
    assert "__session" not in "".join(answer.headers.getlist("Set-Cookie"))
