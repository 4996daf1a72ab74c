"""Machine tokens in JWT form, which are verified locally."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.clerk import Clerk, read_instance, session_required
from tests.app_fixtures import BROWSER, keys_of
from tests.local_server import LocalServer
from tests.protocol.machine_clients import (
    M2M_CLASS,
    accept_opaque_tokens,
    ask,
    machine_client,
    machine_jwt,
    oauth_jwt,
    reason,
)
from tests.signing import HOST, Signer


@pytest.fixture(scope="module")
def client(signer: Signer, server: LocalServer) -> FlaskClient:
    """A client of an app that accepts machine tokens and doesn't cache them."""
    return machine_client(signer, server)


@pytest.fixture(autouse=True)
def _accepts_opaque_tokens(backend: LocalServer) -> None:
    accept_opaque_tokens(backend)


def test_machine_jwts_are_verified_with_the_instances_key(
    client: FlaskClient, signer: Signer, backend: LocalServer
) -> None:
    for path, token, machine in (
        ("/m2m", machine_jwt(signer), ["m2m", "mt_1", "mch_1", ["a", "b"]]),
        ("/m2m", machine_jwt(signer, {}), ["m2m", "mt_1", "mch_1", ["a", "b"]]),
        ("/all", machine_jwt(signer, {"cat": "cl_I7d4PD111III"}), ["m2m", "mt_1", "mch_1", ["a", "b"]]),
        ("/oauth", oauth_jwt(signer), ["oauth", "oat_1", "user_alice", ["a", "b"]]),
        ("/all", oauth_jwt(signer, "application/at+jwt"), ["oauth", "oat_1", "user_alice", ["a", "b"]]),
    ):
        assert ask(client, path, token).json == {"machine": machine, "user": None}
    assert not backend.received


@pytest.mark.parametrize(
    ("header", "changes", "expected"),
    [
        ({"cat": "cl_B7d4PD111AAA"}, {}, "token-type-mismatch"),
        ({"cat": "cl_B7d4PD222AAA"}, {}, "token-type-mismatch"),
        ({"cat": "cl_B7d4PD222AAA", "typ": "at+jwt"}, {}, "token-type-mismatch"),
        ({"cat": ""}, {}, "token-type-mismatch"),
        ({"cat": ["cl_B7d4PD333AAA"]}, {}, "token-type-mismatch"),
        ({"typ": "JOSE"}, {}, "token-invalid"),
        (M2M_CLASS, {"exp": 1}, "token-expired"),
        (M2M_CLASS, {"exp": None}, "token-invalid"),
        (M2M_CLASS, {"exp": "tomorrow"}, "token-invalid"),
        (M2M_CLASS, {"nbf": 9_999_999_999}, "token-not-active-yet"),
        (M2M_CLASS, {"iat": 9_999_999_999}, "token-iat-in-the-future"),
        (M2M_CLASS, {"iss": f"https://{HOST}.evil.example"}, "token-invalid"),
        ({"typ": "at+jwt"}, {"sub": None}, "token-invalid"),
        ({"typ": "at+jwt"}, {"sub": ""}, "token-invalid"),
        ({"typ": "at+jwt"}, {"sub": ["user_alice"]}, "token-invalid"),
    ],
)
def test_invalid_machine_jwts_are_rejected(
    client: FlaskClient,
    signer: Signer,
    header: dict[str, Any],
    changes: dict[str, Any],
    expected: str,
) -> None:
    # Even for a page load: a handshake can't renew a machine token.
    assert reason(ask(client, "/all", machine_jwt(signer, header, **changes), **BROWSER)) == expected


def test_a_machine_jwt_signed_with_another_key_is_rejected(client: FlaskClient, forger: Signer) -> None:
    for token in (machine_jwt(forger), oauth_jwt(forger)):
        assert reason(ask(client, "/all", token)) == "token-invalid-signature"


def test_a_machine_jwt_of_another_class_is_rejected(client: FlaskClient, signer: Signer) -> None:
    for path, token in (
        ("/oauth", machine_jwt(signer)),
        ("/m2m", oauth_jwt(signer)),
        ("/m2m", oauth_jwt(signer, sub="mch_1")),
        ("/keys", machine_jwt(signer)),
        ("/sessions", machine_jwt(signer)),
        ("/sessions", machine_jwt(signer, {})),
        ("/sessions", oauth_jwt(signer)),
    ):
        assert reason(ask(client, path, token)) == "token-type-mismatch"


@pytest.mark.parametrize("make", [machine_jwt, oauth_jwt])
def test_a_machine_jwt_in_a_cookie_is_rejected(client: FlaskClient, signer: Signer, make: Any) -> None:
    cookies = f"__clerk_db_jwt=dvb_1; __client_uat=1; __session={make(signer)}"
    assert reason(client.get("/all", headers={"Cookie": cookies})) == "token-type-mismatch"


def test_without_clerks_keys_a_machine_jwt_gets_a_503(signer: Signer, backend: LocalServer) -> None:
    backend.answers["GET /v1/jwks"] = (500, b"")
    app = Flask("keyless")
    environ = keys_of(signer) | {"CLERK_API_URL": backend.url, "CLERK_JWT_KEY": ""}
    Clerk().init_app(app, read_instance(environ))
    app.add_url_rule("/m2m", "m2m", session_required(accepts=("m2m",))(lambda: "ran"))
    assert ask(app.test_client(), "/m2m", machine_jwt(signer)).status_code == 503
    assert ask(app.test_client(), "/m2m", signer.token()).status_code == 401
