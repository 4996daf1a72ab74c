"""Which session a sign-out ends: the one of a genuine token, even if it has expired meanwhile."""

from __future__ import annotations

import time
from typing import Any

import pytest
from flask import Flask
from werkzeug.http import parse_cookie

from app.clerk import clerk_of
from app.clerk.cookies import sign_out_cookies
from tests.signing import Signer

DAY = 24 * 3600


def aged(seconds: int) -> dict[str, Any]:
    """The times of a token that was issued this many seconds ago."""
    issued = int(time.time()) - seconds
    return {"at": issued}


def session_to_end(app: Flask, token: str, **headers: str) -> str:
    """The session that a sign-out with this session cookie ends."""
    cookies = f"__session={token}; __client_uat=1"
    with app.test_request_context("/logout", method="POST", headers={"Cookie": cookies, **headers}):
        return clerk_of(app).session_to_end()


@pytest.mark.parametrize("age", [0, 59, 120, DAY, 6 * DAY])
def test_an_expired_token_still_names_its_session(live_app: Flask, live_signer: Signer, age: int) -> None:
    assert session_to_end(live_app, live_signer.token(**aged(age))) == "sess_1"


def test_a_bearer_token_takes_precedence_over_cookies(live_app: Flask, live_signer: Signer) -> None:
    other = live_signer.token(sid="sess_2")
    token = live_signer.token()
    assert session_to_end(live_app, token, Authorization=f"Bearer {other}") == "sess_2"
    assert session_to_end(live_app, token, Authorization="Bearer forged") == ""


def test_an_expired_bearer_token_names_no_session(live_app: Flask, live_signer: Signer) -> None:
    expired = live_signer.token(**aged(120))
    assert session_to_end(live_app, live_signer.token(), Authorization=f"Bearer {expired}") == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"at": -8 * DAY},
        {"exp": "soon"},
        {"exp": True},
        {"exp": -(10**400)},
        {"exp": None},
        {"sid": None},
        {"sid": 5},
        {"sub": None},
        {"sub": "mch_1"},
        {"azp": None},
        {"azp": "https://evil.example"},
        {"iss": "https://clerk.other.example"},
        {"nbf": 3600},
        {"iat": 3600},
    ],
    ids=str,
)
def test_other_tokens_name_no_session(live_app: Flask, live_signer: Signer, changes: dict[str, Any]) -> None:
    for name in changes.keys() & {"at", "nbf", "iat"}:
        changes = changes | {name: int(time.time()) + changes[name]}
    assert session_to_end(live_app, live_signer.token(**changes)) == ""


def test_forged_tokens_name_no_session(live_app: Flask, live_signer: Signer, forger: Signer) -> None:
    names = {"iss": f"https://{live_signer.host}"} | aged(120)
    header, payload, signature = live_signer.token(**aged(120)).split(".")
    forged = {
        "another key": forger.token(**names),
        "another class": live_signer.token({"cat": "cl_B7d4PD222AAA"}, **names),
        "another signature": f"{header}.{payload}.{signature[:-5]}AAAAA",
        "no signature": f"{header}.{payload}.",
        "no token": "x",
        "nothing": "",
    }
    for name, token in forged.items():
        assert session_to_end(live_app, token) == "", name


def test_a_sign_out_deletes_every_cookie_that_could_sign_in_again(live_app: Flask) -> None:
    instance = clerk_of(live_app).instance
    suffix = instance.cookie_suffix
    deletions = sign_out_cookies(instance)
    assert all("Max-Age=0" in cookie and "Path=/" in cookie for cookie in deletions)
    hosts = {(next(iter(parse_cookie(c.partition(";")[0]))), "Domain=example.com" in c) for c in deletions}
    own = {"__session", f"__session_{suffix}", f"__refresh_{suffix}"}
    results = {"__clerk_handshake", "__clerk_handshake_nonce"}
    assert hosts == {(name, False) for name in own | results} | {(name, True) for name in results}
