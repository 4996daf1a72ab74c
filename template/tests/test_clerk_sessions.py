"""Users stay signed in as long as their session lives, and forged tokens are rejected.

Source: https://clerk.com/docs/guides/sessions/session-tokens
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from flask import Flask
from flask.testing import FlaskClient

from app.clerk import clerk_of
from tests.conftest import PROGRAM

if TYPE_CHECKING:
    from clerk_emulator.testing import RunningClerk, User


@pytest.mark.parametrize("place", ["header", "cookie"])
def test_a_forged_token_is_refused(app: Flask, client: FlaskClient, place: str) -> None:
    issuer, now = clerk_of(app).instance.issuer, int(time.time())
    claims = {"sub": "user_ada", "sid": "sess_1", "iss": issuer, "iat": now, "nbf": now}
    ours, theirs = (generate_private_key(65537, key_size=2048) for _ in range(2))
    clerk_of(app).tokens.find_key = lambda kid: ours.public_key()
    token = jwt.encode(claims | {"exp": now + 60}, theirs, "RS256", headers={"kid": "ins_1"})
    client.set_cookie("__client_uat", "1")
    client.set_cookie("__session", token if place == "cookie" else "")
    headers = {"Authorization": f"Bearer {token}"} if place == "header" else {}
    answer = client.get("/api/me", headers=PROGRAM | headers)
    assert answer.status_code == 401
    assert answer.get_json()["reason"] == "token-invalid-signature"


def test_a_sleeping_tab_stays_signed_in(
    visitor: FlaskClient, clerk: RunningClerk, ada: User
) -> None:
    clerk.sign_in(visitor, ada)
    clerk.advance(seconds=120)
    assert visitor.get("/api/me", headers=PROGRAM).status_code == 401
    answer = visitor.get("/api/me", follow_redirects=True)
    assert answer.get_json()["user_id"] == ada.id
    assert answer.request.query_string == b""


def test_a_session_ends_after_a_week(visitor: FlaskClient, clerk: RunningClerk, ada: User) -> None:
    clerk.sign_in(visitor, ada)
    clerk.advance(seconds=8 * 24 * 3600)
    assert visitor.get("/api/me", follow_redirects=True).status_code == 401


def test_a_revoked_session_ends_with_its_token(
    visitor: FlaskClient, clerk: RunningClerk, ada: User
) -> None:
    clerk.revoke_session(clerk.sign_in(visitor, ada))
    clerk.advance(seconds=120)
    assert visitor.get("/api/me", follow_redirects=True).status_code == 401
