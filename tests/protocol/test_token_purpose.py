"""Tokens that Clerk signed for other parties or purposes: without ``azp`` or ``sid``, or long-lived."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app import create_app
from app.clerk import ConfigurationError, read_instance
from tests.app_fixtures import BROWSER, keys_of
from tests.local_server import LocalServer
from tests.protocol.test_handshake import directives
from tests.signing import Signer

YEAR = 365 * 24 * 3600
FETCH = {"Accept": "application/json"}
WRONG_PARTY = "token-invalid-authorized-parties"


@pytest.fixture
def lenient_app(live_environ: dict[str, str]) -> Flask:
    """An app of a production instance that allows API clients to omit ``azp``."""
    return create_app(live_environ | {"CLERK_ALLOW_MISSING_AZP": "true"})


def bearer(app: Flask, token: str) -> TestResponse:
    """An API call with this token."""
    return app.test_client().get("/api/me", headers=FETCH | {"Authorization": f"Bearer {token}"})


def by_cookie(app: Flask, token: str, path: str = "/") -> TestResponse:
    """A page load with this token."""
    client = app.test_client()
    client.set_cookie("__session", token)
    client.set_cookie("__client_uat", "1")
    return client.get(path, headers=BROWSER)


# --- No azp ---------------------------------------------------------------------------------------


def test_a_token_without_azp_is_refused_and_the_log_names_the_setting(
    live_app: Flask, live_signer: Signer, caplog: pytest.LogCaptureFixture
) -> None:
    for send in (bearer, by_cookie):
        answer = send(live_app, live_signer.token(azp=None))
        assert answer.headers["X-Clerk-Auth-Reason"] == WRONG_PARTY
        assert answer.headers["X-Clerk-Auth-Status"] == "signed-out"
        assert "azp" in caplog.text
        assert "CLERK_ALLOW_MISSING_AZP" in caplog.text
        assert "CLERK_SECRET_KEY" not in caplog.text
        caplog.clear()


def test_a_browser_that_is_signed_in_at_another_address_is_not_sent_back_and_forth(
    live_app: Flask, live_signer: Signer
) -> None:
    token = live_signer.token(azp="https://other.example.com")
    answer = by_cookie(live_app, token, "/dashboard")
    assert answer.status_code == 403  # the login page would lead back here
    assert "You can&#39;t sign in at this address." in answer.text
    assert "CLERK_AUTHORIZED_PARTIES" not in answer.text
    live_app.debug = True
    assert (
        "Add http://localhost to CLERK_AUTHORIZED_PARTIES." in by_cookie(live_app, token, "/dashboard").text
    )
    assert bearer(live_app, token).get_json()["message"] == "This token isn't valid here."


def test_a_token_without_azp_can_be_accepted_as_a_bearer_token(
    lenient_app: Flask, live_signer: Signer
) -> None:
    token = live_signer.token(azp=None)
    for _ in range(2):  # the second time, it is cached
        assert bearer(lenient_app, token).status_code == 200
        answer = by_cookie(lenient_app, token)
        assert answer.headers["X-Clerk-Auth-Reason"] == WRONG_PARTY


@pytest.mark.parametrize("azp", ["https://evil.example", "", 5, ["http://localhost"], False, {}], ids=repr)
def test_the_setting_allows_no_other_azp(lenient_app: Flask, live_signer: Signer, azp: object) -> None:
    assert bearer(lenient_app, live_signer.token(azp=azp)).status_code == 401


def test_the_setting_allows_neither_forged_nor_expired_tokens(
    lenient_app: Flask, live_signer: Signer, forger: Signer
) -> None:
    for token in (
        forger.token(azp=None, iss=f"https://{live_signer.host}"),
        live_signer.token(azp=None, iat=1, nbf=1, exp=60),
        live_signer.token({"cat": "cl_B7d4PD222AAA"}, azp=None),
    ):
        assert bearer(lenient_app, token).status_code == 401


def test_a_handshake_never_accepts_a_token_without_azp(lenient_app: Flask, live_signer: Signer) -> None:
    client = lenient_app.test_client()
    client.set_cookie("__clerk_handshake", live_signer.handshake(directives(live_signer.token(azp=None))))
    assert client.get("/", headers=BROWSER).headers["X-Clerk-Auth-Status"] == "signed-out"


@pytest.mark.parametrize("azp", [None, "https://other.example"])
def test_a_handshake_with_a_token_for_another_party_is_not_repeated(
    live_app: Flask,
    live_signer: Signer,
    backend: LocalServer,
    caplog: pytest.LogCaptureFixture,
    azp: str | None,
) -> None:
    cookies = directives(live_signer.token(azp=azp))
    backend.answers["GET /v1/clients/handshake_payload"] = (200, {"directives": cookies})
    client = live_app.test_client()
    client.set_cookie("__client_uat", "1")
    assert client.get("/", headers=BROWSER).status_code == 307
    answer = client.get("/?__clerk_handshake_nonce=n", headers=BROWSER)
    assert answer.status_code == 200
    assert answer.headers["X-Clerk-Auth-Reason"] == WRONG_PARTY
    assert "azp" in caplog.text
    assert "CLERK_AUTHORIZED_PARTIES" in caplog.text
    assert "keys" not in caplog.text


def test_the_result_for_another_app_does_not_end_a_session(live_app: Flask, live_signer: Signer) -> None:
    client = live_app.test_client()
    other = directives(live_signer.token(azp="https://other.example"))
    client.set_cookie("__clerk_handshake", live_signer.handshake(other))
    client.set_cookie("__session", live_signer.token())
    client.set_cookie("__client_uat", "1")
    assert client.get("/", headers=BROWSER).headers["X-Clerk-Auth-Status"] == "signed-in"


# --- No session, or a long life -------------------------------------------------------------------


@pytest.mark.parametrize(
    "claims",
    [
        {"sid": None},
        {"sid": ""},
        {"sid": 5},
        {"sid": None, "exp": YEAR},
        {"exp": 10 * YEAR},
        {"exp": 24 * 3600 + 60},
        {"exp": YEAR, "iat": None},
        {"exp": YEAR, "iat": None, "iss": None, "sid": None},
        {"iat": -YEAR, "exp": 60},
    ],
    ids=str,
)
def test_a_token_without_a_session_or_with_a_long_life_is_no_session_token(
    live_app: Flask, live_signer: Signer, claims: dict[str, Any]
) -> None:
    now = live_signer.claims()["iat"]
    timed = {
        name: now + value if name in ("exp", "iat") and value else value for name, value in claims.items()
    }
    token = live_signer.token(**timed)
    assert bearer(live_app, token).status_code == 401
    assert by_cookie(live_app, token).headers["X-Clerk-Auth-Status"] != "signed-in"
    client = live_app.test_client()
    client.set_cookie("__clerk_handshake", live_signer.handshake(directives(token)))
    assert client.get("/", headers=BROWSER).headers["X-Clerk-Auth-Status"] == "signed-out"


def test_a_token_of_a_few_hours_is_a_session_token(live_app: Flask, live_signer: Signer) -> None:
    now = live_signer.claims()["iat"]
    assert bearer(live_app, live_signer.token(exp=now + 8 * 3600)).status_code == 200


# --- Settings -------------------------------------------------------------------------------------


def test_the_clock_skew_is_a_setting(
    live_app: Flask, live_environ: dict[str, str], live_signer: Signer
) -> None:
    now = live_signer.claims()["iat"]
    late, early = live_signer.token(iat=now - 90, exp=now - 30), live_signer.token(iat=now + 30)
    patient = create_app(live_environ | {"CLERK_CLOCK_SKEW_SECONDS": "45"})
    for token in (late, early):
        assert bearer(live_app, token).status_code == 401
        assert bearer(patient, token).status_code == 200


@pytest.mark.parametrize("seconds", ["-1", "61", "ten", "1e1"])
def test_the_clock_skew_is_bounded(live_signer: Signer, seconds: str) -> None:
    with pytest.raises(ConfigurationError, match="CLERK_CLOCK_SKEW_SECONDS is"):
        read_instance(keys_of(live_signer) | {"CLERK_CLOCK_SKEW_SECONDS": seconds})
