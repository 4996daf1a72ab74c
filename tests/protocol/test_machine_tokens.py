"""Opaque machine tokens: which views accept them, and how Clerk verifies them."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.clerk.machine_tokens import machine_token_kind
from tests.app_fixtures import BROWSER
from tests.local_server import LocalServer
from tests.protocol.machine_clients import (
    API_KEY,
    GOOD,
    M2M,
    OAUTH,
    OPAQUE,
    accept_opaque_tokens,
    ask,
    machine_client,
    ran,
    reason,
)
from tests.signing import Signer


@pytest.fixture(scope="module")
def client(signer: Signer, server: LocalServer) -> FlaskClient:
    """A client of an app that accepts machine tokens and doesn't cache them."""
    return machine_client(signer, server)


@pytest.fixture(autouse=True)
def _accepts_opaque_tokens(backend: LocalServer) -> None:
    accept_opaque_tokens(backend)


@pytest.mark.parametrize(("kind", "token", "path", "name"), OPAQUE)
@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", ""])
def test_opaque_tokens_are_verified_by_clerk(
    client: FlaskClient,
    backend: LocalServer,
    kind: str,
    token: str,
    path: str,
    name: str,
    scheme: str,
) -> None:
    response = client.get("/all", headers={"Authorization": scheme + token})
    assert response.json == {
        "machine": [kind, "id_1", "user_alice", ["read", "write"]],
        "user": None,
    }
    assert response.headers["X-Clerk-Auth-Status"] == "signed-in"
    assert "X-Clerk-Auth-Reason" not in response.headers
    (asked,) = backend.received
    assert (asked.method, asked.path) == ("POST", path)
    assert json.loads(asked.body) == {name: token}
    assert asked.headers["authorization"] == "Bearer sk_test_secret"


@pytest.mark.parametrize("path", ["/all", "/keys", "/keys-silent"])
def test_responses_to_machine_tokens_are_not_cacheable(client: FlaskClient, path: str) -> None:
    for response in (ask(client, path, API_KEY), ask(client, path, "nonsense")):
        assert response.headers.get("Cache-Control") == "private, no-store"
        assert {"Cookie", "Authorization"} <= set(response.vary)


@pytest.mark.parametrize(
    ("path", "token"),
    [("/keys", M2M), ("/keys", OAUTH), ("/m2m", API_KEY), ("/oauth", M2M), ("/sessions", API_KEY)],
)
def test_a_token_of_another_class_is_rejected_without_asking_clerk(
    client: FlaskClient, backend: LocalServer, path: str, token: str
) -> None:
    assert reason(ask(client, path, token)) == "token-type-mismatch"
    assert not backend.received


@pytest.mark.parametrize("path", ["/keys", "/m2m", "/oauth"])
def test_sessions_are_rejected_where_only_machine_tokens_are_accepted(
    client: FlaskClient, signer: Signer, path: str
) -> None:
    response = ask(client, path, signer.token())
    assert response.status_code == 401
    assert response.json
    assert response.json["reason"] == "token-type-mismatch"
    assert not ran


def test_a_browser_is_not_redirected_to_the_login_page_where_sessions_are_rejected(
    client: FlaskClient, signer: Signer
) -> None:
    # The login page redirects signed-in users back, which would be an endless loop.
    cookies = f"__clerk_db_jwt=dvb_1; __client_uat=1; __session={signer.token()}"
    response = client.get("/keys", headers=BROWSER | {"Cookie": cookies})
    assert response.status_code == 401
    assert not ran


def test_sessions_are_accepted_in_addition_to_machine_tokens(client: FlaskClient, signer: Signer) -> None:
    cookies = f"__clerk_db_jwt=dvb_1; __client_uat=1; __session={signer.token()}"
    for response in (
        ask(client, "/all", signer.token()),
        client.get("/all", headers=BROWSER | {"Cookie": cookies}),
    ):
        assert response.json == {"machine": None, "user": "user_alice"}


def test_a_valid_cookie_does_not_help_an_invalid_token(
    client: FlaskClient, signer: Signer, backend: LocalServer
) -> None:
    cookies = f"__clerk_db_jwt=dvb_1; __client_uat=1; __session={signer.token()}"
    assert reason(ask(client, "/all", "xx_unknown", Cookie=cookies)) == "token-invalid"
    backend.answers["POST /v1/api_keys/verify"] = (404, {})
    assert reason(ask(client, "/all", API_KEY, Cookie=cookies)) == "token-invalid"


@pytest.mark.parametrize(("path", "token"), [("/all", API_KEY), ("/keys", API_KEY)])
def test_machine_tokens_in_cookies_are_rejected(
    client: FlaskClient, backend: LocalServer, path: str, token: str
) -> None:
    cookies = f"__clerk_db_jwt=dvb_1; __client_uat=1; __session={token}"
    assert client.get(path, headers={"Cookie": cookies}).status_code == 401
    assert not backend.received
    assert not ran


@pytest.mark.parametrize("path", ["/admin", "/strict"])
def test_a_machine_token_has_no_role_and_no_factors(client: FlaskClient, path: str) -> None:
    assert ask(client, path, API_KEY).status_code == 403
    assert not ran


@pytest.mark.parametrize(("kind", "token", "path", "name"), OPAQUE)
@pytest.mark.parametrize(
    "answer",
    [
        GOOD | {"revoked": True},
        GOOD | {"expired": True},
        GOOD | {"expiration": 1_700_000_000_000},
        GOOD | {"expiration": 0},
        GOOD | {"expiration": "tomorrow"},
        GOOD | {"expiration": True},
        GOOD | {"expiration": [9_999_999_999_999]},
        GOOD | {"expiration": float("nan")},
        GOOD | {"expiration": 10**400},
    ],
    ids=[
        "revoked",
        "expired",
        "in the past",
        "zero",
        "a text",
        "a boolean",
        "a list",
        "no number",
        "a number of 400 digits",
    ],
)
def test_revoked_and_expired_tokens_are_refused(
    client: FlaskClient,
    backend: LocalServer,
    kind: str,
    token: str,
    path: str,
    name: str,
    answer: dict[str, Any],
) -> None:
    backend.answers[f"POST {path}"] = (200, answer)
    assert reason(ask(client, "/all", token)) == "token-expired"


def test_expirations_are_in_milliseconds(client: FlaskClient, backend: LocalServer) -> None:
    soon = int(time.time() * 1000) + 60_000
    backend.answers["POST /v1/api_keys/verify"] = (200, GOOD | {"expiration": soon})
    assert ask(client, "/all", API_KEY).status_code == 200


@pytest.mark.parametrize(("kind", "token", "path", "name"), OPAQUE)
def test_a_token_unknown_to_clerk_is_invalid(
    client: FlaskClient, backend: LocalServer, kind: str, token: str, path: str, name: str
) -> None:
    backend.answers[f"POST {path}"] = (404, {"errors": [{"code": "not_found"}]})
    assert reason(ask(client, "/all", token)) == "token-invalid"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"errors": [{"code": "bad_request"}]}),
        (401, {"errors": [{"code": "secret_key_invalid"}]}),
        (403, {"errors": [{"code": "forbidden"}]}),
        (429, {"errors": [{"code": "too_many_requests"}]}),
        (500, b"oops"),
        (503, b""),
        (302, b""),
        (200, b"<html>"),
        (200, b""),
        (200, b"\xff"),
        (200, b"[" * 5000),
        (200, []),
        (200, True),
        (200, {}),
        (200, GOOD | {"subject": None}),
        (200, GOOD | {"subject": ""}),
        (200, GOOD | {"subject": ["user_alice"]}),
        (200, GOOD | {"id": 5}),
    ],
    ids=repr,
)
def test_an_unusable_response_about_a_token_causes_a_503(
    client: FlaskClient, backend: LocalServer, status: int, body: object
) -> None:
    backend.answers["POST /v1/api_keys/verify"] = (status, body)
    assert ask(client, "/all", API_KEY).status_code == 503
    assert not ran


def test_malformed_scopes_are_ignored(client: FlaskClient, backend: LocalServer) -> None:
    for scopes in (None, 5, {"admin": True}, [5, None]):
        backend.answers["POST /v1/api_keys/verify"] = (200, GOOD | {"scopes": scopes})
        response = ask(client, "/all", API_KEY)
        assert response.json
        assert response.json["machine"][3] == []


def test_a_rejected_secret_key_is_logged_but_no_token_is(
    client: FlaskClient, backend: LocalServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    error = {"code": "x", "message": "no", "long_message": f"{API_KEY} or your key is not valid"}
    for status in (401, 404, 422):
        backend.answers["POST /v1/api_keys/verify"] = (status, {"errors": [error]})
        answer = ask(client, "/all", API_KEY)
        assert API_KEY not in answer.text + str(answer.headers)
    assert "Clerk rejects CLERK_SECRET_KEY" in caplog.text
    assert API_KEY not in caplog.text


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ("ak_x", "api_key"),
        ("mt_x", "m2m"),
        ("oat_x", "oauth"),
        ("ak_", "api_key"),
        ("AK_x", None),
        ("xak_x", None),
        ("ak", None),
        ("", None),
        ("a.b.c", None),
        ("sk_test_x", None),
    ],
)
def test_the_class_of_a_token_follows_from_its_format(token: str, kind: str | None) -> None:
    assert machine_token_kind(token) == kind
