"""Tokens of programs (protocol section 9)."""

from __future__ import annotations

import json
import logging
import time
from contextlib import suppress
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask.typing import ResponseReturnValue
from werkzeug.test import TestResponse

from app.clerk import (
    BackendApi,
    Clerk,
    current_machine,
    current_session,
    read_instance,
    requires,
    session_required,
)
from app.clerk import machine_tokens as machine_tokens_module
from app.clerk.keys import read_pem_key
from app.clerk.machine_tokens import MachineTokens, VerificationUnavailableError, kind_of
from app.clerk.tokens import TokenError
from tests.conftest import BROWSER, keys_of
from tests.local_server import LocalServer
from tests.signing import HOST, Signer

API_KEY, M2M, OAUTH = "ak_verysecret", "mt_verysecret", "oat_verysecret"
ALL = ("session", "api_key", "m2m", "oauth")

OPAQUE = [
    # kind, token, where it is verified, the name it has there
    ("api_key", API_KEY, "/v1/api_keys/verify", "secret"),
    ("m2m", M2M, "/v1/m2m_tokens/verify", "token"),
    ("oauth", OAUTH, "/v1/oauth_applications/access_tokens/verify", "access_token"),
]
GOOD: dict[str, Any] = {
    "id": "id_1",
    "subject": "user_alice",
    "scopes": ["read", "write"],
    "claims": None,
    "revoked": False,
    "expired": False,
    "expiration": None,
}
"""What the Backend API says of a good token."""

NOW = 1_800_000_000.0  # unix seconds
M2M_CLASS = {"cat": "cl_B7d4PD333AAA"}

ran: list[str] = []
"""Names of the views that ran."""


@pytest.fixture(scope="module")
def client(signer: Signer, server: LocalServer) -> FlaskClient:
    """A program, and an app that accepts programs. No positive answer is remembered."""
    environ = {"CLERK_API_URL": server.url, "CLERK_MACHINE_TOKEN_SECONDS": "0"}
    app = Flask("programs")
    Clerk().init_app(app, read_instance(keys_of(signer) | environ), login_endpoint="login")
    app.add_url_rule("/login", "login", lambda: "login")

    def answer() -> ResponseReturnValue:
        ran.append("view")
        machine = current_machine
        return {
            "machine": [machine.kind, machine.id, machine.subject, sorted(machine.scopes)]
            if machine
            else None,
            "user": current_session.user_id if current_session else None,
        }

    def silent() -> ResponseReturnValue:
        ran.append("view")
        return "does not ask who it is"

    for path, view in (
        ("/all", session_required(accepts=ALL)(answer)),
        ("/keys", session_required(accepts=("api_key",))(answer)),
        ("/keys-silent", session_required(accepts=("api_key",))(silent)),
        ("/m2m", session_required(accepts=["m2m"])(answer)),
        ("/oauth", session_required(accepts={"oauth"})(answer)),
        ("/people", session_required(answer)),
        ("/admin", requires(role="admin")(accepts=ALL)(answer)),
        ("/strict", requires(reverification="strict")(accepts=ALL)(answer)),
    ):
        app.add_url_rule(path, path, view, methods=["GET", "POST"])
    return app.test_client(use_cookies=False)


@pytest.fixture(autouse=True)
def _knows_opaque_tokens(backend: LocalServer) -> None:
    for _, _, path, _ in OPAQUE:
        backend.answers[f"POST {path}"] = (200, GOOD)
    ran.clear()


def ask(client: FlaskClient, path: str, token: str, **headers: str) -> TestResponse:
    """Ask for something with a token in the header."""
    return client.get(path, headers={"Authorization": f"Bearer {token}", **headers})


def reason(response: TestResponse) -> str:
    """Why a token was refused, as the answer and its headers say."""
    assert response.status_code == 401
    assert not ran
    assert response.json
    assert response.headers["X-Clerk-Auth-Status"] == "signed-out"
    assert response.headers["X-Clerk-Auth-Reason"] == response.json["reason"]
    return str(response.json["reason"])


@pytest.mark.parametrize(("kind", "token", "path", "name"), OPAQUE)
@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", ""])
def test_opaque_tokens_are_verified_at_clerk(
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
def test_what_a_program_gets_is_kept_by_no_cache(client: FlaskClient, path: str) -> None:
    for response in (ask(client, path, API_KEY), ask(client, path, "nonsense")):
        assert response.headers.get("Cache-Control") == "private, no-store"
        assert {"Cookie", "Authorization"} <= set(response.vary)


@pytest.mark.parametrize(
    ("path", "token"),
    [("/keys", M2M), ("/keys", OAUTH), ("/m2m", API_KEY), ("/oauth", M2M), ("/people", API_KEY)],
)
def test_a_token_of_another_class_is_refused_unasked(
    client: FlaskClient, backend: LocalServer, path: str, token: str
) -> None:
    assert reason(ask(client, path, token)) == "token-type-mismatch"
    assert not backend.received


@pytest.mark.parametrize("path", ["/keys", "/m2m", "/oauth"])
def test_people_are_refused_where_only_programs_are_accepted(
    client: FlaskClient, signer: Signer, path: str
) -> None:
    response = ask(client, path, signer.token())
    assert response.status_code == 401
    assert response.json
    assert response.json["reason"] == "token-type-mismatch"
    assert not ran


def test_a_browser_is_not_sent_to_log_in_where_that_does_not_help(
    client: FlaskClient, signer: Signer
) -> None:
    # The login page would send who is signed in straight back, and so on.
    cookies = f"__clerk_db_jwt=dvb_1; __client_uat=1; __session={signer.token()}"
    response = client.get("/keys", headers=BROWSER | {"Cookie": cookies})
    assert response.status_code == 401
    assert not ran


def test_people_are_let_in_where_they_are_accepted_too(client: FlaskClient, signer: Signer) -> None:
    cookies = f"__clerk_db_jwt=dvb_1; __client_uat=1; __session={signer.token()}"
    for response in (
        ask(client, "/all", signer.token()),
        client.get("/all", headers=BROWSER | {"Cookie": cookies}),
    ):
        assert response.json == {"machine": None, "user": "user_alice"}


def test_a_good_cookie_does_not_help_a_bad_token(
    client: FlaskClient, signer: Signer, backend: LocalServer
) -> None:
    cookies = f"__clerk_db_jwt=dvb_1; __client_uat=1; __session={signer.token()}"
    assert reason(ask(client, "/all", "xx_unknown", Cookie=cookies)) == "token-invalid"
    backend.answers["POST /v1/api_keys/verify"] = (404, {})
    assert reason(ask(client, "/all", API_KEY, Cookie=cookies)) == "token-invalid"


@pytest.mark.parametrize(("path", "token"), [("/all", API_KEY), ("/keys", API_KEY)])
def test_tokens_of_programs_do_not_come_in_cookies(
    client: FlaskClient, backend: LocalServer, path: str, token: str
) -> None:
    cookies = f"__clerk_db_jwt=dvb_1; __client_uat=1; __session={token}"
    assert client.get(path, headers={"Cookie": cookies}).status_code == 401
    assert not backend.received
    assert not ran


@pytest.mark.parametrize("path", ["/admin", "/strict"])
def test_a_program_has_no_role_and_no_factors(client: FlaskClient, path: str) -> None:
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
def test_a_token_that_clerk_does_not_know_is_invalid(
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
def test_an_answer_that_says_neither_yes_nor_no_is_a_503(
    client: FlaskClient, backend: LocalServer, status: int, body: object
) -> None:
    backend.answers["POST /v1/api_keys/verify"] = (status, body)
    assert ask(client, "/all", API_KEY).status_code == 503
    assert not ran


def test_odd_scopes_are_none(client: FlaskClient, backend: LocalServer) -> None:
    for scopes in (None, 5, {"admin": True}, [5, None]):
        backend.answers["POST /v1/api_keys/verify"] = (200, GOOD | {"scopes": scopes})
        response = ask(client, "/all", API_KEY)
        assert response.json
        assert response.json["machine"][3] == []


def test_a_refused_secret_key_is_logged_and_no_token_ever_is(
    client: FlaskClient, backend: LocalServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    error = {"code": "x", "message": "no", "long_message": f"{API_KEY} or your key is not valid"}
    for status in (401, 404, 422):
        backend.answers["POST /v1/api_keys/verify"] = (status, {"errors": [error]})
        answer = ask(client, "/all", API_KEY)
        assert API_KEY not in answer.text + str(answer.headers)
    assert "CLERK_SECRET_KEY is refused" in caplog.text
    assert API_KEY not in caplog.text


# Tokens in JWT form.


def program(signer: Signer, header: dict[str, Any] | None = None, **changes: Any) -> str:
    """A machine-to-machine token in JWT form."""
    claims = {"sub": "mch_1", "sid": None, "azp": None, "v": None, "jti": "mt_1", "scopes": "a b"}
    return signer.token(M2M_CLASS if header is None else header, **(claims | changes))


def oauth(signer: Signer, typ: str = "at+jwt", **changes: Any) -> str:
    """An OAuth access token in JWT form (RFC 9068)."""
    return program(signer, {"typ": typ}, **({"sub": "user_alice", "jti": "oat_1"} | changes))


def test_tokens_in_jwt_form_are_verified_with_the_instances_key(
    client: FlaskClient, signer: Signer, backend: LocalServer
) -> None:
    for path, token, machine in (
        ("/m2m", program(signer), ["m2m", "mt_1", "mch_1", ["a", "b"]]),
        ("/m2m", program(signer, {}), ["m2m", "mt_1", "mch_1", ["a", "b"]]),
        ("/all", program(signer, {"cat": "cl_I7d4PD111III"}), ["m2m", "mt_1", "mch_1", ["a", "b"]]),
        ("/oauth", oauth(signer), ["oauth", "oat_1", "user_alice", ["a", "b"]]),
        ("/all", oauth(signer, "application/at+jwt"), ["oauth", "oat_1", "user_alice", ["a", "b"]]),
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
def test_tokens_in_jwt_form_are_refused(
    client: FlaskClient,
    signer: Signer,
    header: dict[str, Any],
    changes: dict[str, Any],
    expected: str,
) -> None:
    # A page load: there is no handshake that could renew the token of a program.
    assert reason(ask(client, "/all", program(signer, header, **changes), **BROWSER)) == expected


def test_a_foreign_key_signs_for_no_program(client: FlaskClient, forger: Signer) -> None:
    for token in (program(forger), oauth(forger)):
        assert reason(ask(client, "/all", token)) == "token-invalid-signature"


def test_classes_in_jwt_form_are_kept_apart(client: FlaskClient, signer: Signer) -> None:
    for path, token in (
        ("/oauth", program(signer)),
        ("/m2m", oauth(signer)),
        ("/m2m", oauth(signer, sub="mch_1")),
        ("/keys", program(signer)),
        ("/people", program(signer)),
        ("/people", program(signer, {})),
        ("/people", oauth(signer)),
    ):
        assert reason(ask(client, path, token)) == "token-type-mismatch"


@pytest.mark.parametrize("make", [program, oauth])
def test_a_program_is_nobody_in_a_cookie(client: FlaskClient, signer: Signer, make: Any) -> None:
    cookies = f"__clerk_db_jwt=dvb_1; __client_uat=1; __session={make(signer)}"
    assert reason(client.get("/all", headers={"Cookie": cookies})) == "token-type-mismatch"


def test_without_clerks_keys_nobody_can_say(signer: Signer, backend: LocalServer) -> None:
    backend.answers["GET /v1/jwks"] = (500, b"")
    app = Flask("keyless")
    environ = keys_of(signer) | {"CLERK_API_URL": backend.url, "CLERK_JWT_KEY": ""}
    Clerk().init_app(app, read_instance(environ))
    app.add_url_rule("/m2m", "m2m", session_required(accepts=("m2m",))(lambda: "ran"))
    assert ask(app.test_client(), "/m2m", program(signer)).status_code == 503
    assert ask(app.test_client(), "/m2m", signer.token()).status_code == 401


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
def test_the_prefix_decides(token: str, kind: str | None) -> None:
    assert kind_of(token) == kind


# Remembering.


class Clock:
    """A clock that a test sets."""

    now = 1000.0

    def __call__(self) -> float:
        """Monotonic seconds."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """What time it is for the memory."""
    return Clock()


@pytest.fixture
def tokens(signer: Signer, backend: LocalServer, clock: Clock) -> MachineTokens:
    """A memory of 10 seconds."""
    instance = read_instance(keys_of(signer) | {"CLERK_API_URL": backend.url})
    key = read_pem_key(signer.pem)
    return MachineTokens(
        BackendApi(instance), lambda kid: key, instance.issuer, lifetime=10.0, clock=clock
    )


def test_a_good_token_is_not_asked_about_again_for_a_while(
    tokens: MachineTokens, backend: LocalServer, clock: Clock
) -> None:
    first = tokens.verify(API_KEY, "api_key", NOW)
    clock.now += 9.9
    assert tokens.verify(API_KEY, "api_key", NOW + 9.9) == first
    assert len(backend.received) == 1
    clock.now += 0.2
    tokens.verify(API_KEY, "api_key", NOW + 10.1)
    assert len(backend.received) == 2


def test_a_revoked_token_is_refused_at_the_latest_then(
    tokens: MachineTokens, backend: LocalServer, clock: Clock
) -> None:
    tokens.verify(API_KEY, "api_key", NOW)
    backend.answers["POST /v1/api_keys/verify"] = (404, {"errors": [{"code": "not_found"}]})
    clock.now += 10.0
    with pytest.raises(TokenError):
        tokens.verify(API_KEY, "api_key", NOW + 10)


def test_an_expiring_token_is_not_remembered_for_longer(
    tokens: MachineTokens, backend: LocalServer, clock: Clock
) -> None:
    ends = {"expiration": (NOW + 3) * 1000}
    backend.answers["POST /v1/m2m_tokens/verify"] = (200, GOOD | ends)
    tokens.verify(M2M, "m2m", NOW)
    clock.now += 3.1
    with pytest.raises(TokenError, match="expired"):
        tokens.verify(M2M, "m2m", NOW + 3.1)


@pytest.mark.parametrize(
    ("status", "body"), [(404, b""), (500, b""), (200, GOOD | {"revoked": True}), (200, {})]
)
def test_only_good_answers_are_remembered(
    tokens: MachineTokens, backend: LocalServer, status: int, body: object
) -> None:
    backend.queue("POST /v1/api_keys/verify", (status, body))
    with pytest.raises((TokenError, VerificationUnavailableError)):
        tokens.verify(API_KEY, "api_key", NOW)
    assert tokens.verify(API_KEY, "api_key", NOW).subject == "user_alice"


def test_each_token_is_remembered_for_itself(tokens: MachineTokens, backend: LocalServer) -> None:
    answers = [(200, GOOD | {"subject": f"user_{name}"}) for name in "abcd"]
    backend.queue("POST /v1/api_keys/verify", *answers)
    similar = ["ak_1", "ak_1 ", "ak_\u00e9", "ak_?"]
    for _ in range(2):
        subjects = [tokens.verify(token, "api_key", NOW).subject for token in similar]
        assert subjects == ["user_a", "user_b", "user_c", "user_d"]
    assert len(backend.received) == 4


def test_the_memory_is_bounded(
    tokens: MachineTokens, backend: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_tokens_module, "MAX_REMEMBERED", 3)
    for number in range(5):
        tokens.verify(f"ak_{number}", "api_key", NOW)
    assert len(tokens._remembered) == 3
    tokens.verify("ak_4", "api_key", NOW)
    assert len(backend.received) == 5
    tokens.verify("ak_0", "api_key", NOW)
    assert len(backend.received) == 6


def test_the_memory_holds_no_token(tokens: MachineTokens, backend: LocalServer) -> None:
    backend.answers["POST /v1/api_keys/verify"] = (200, GOOD | {"secret": API_KEY})
    machine = tokens.verify(API_KEY, "api_key", NOW)
    held = [(key, kept, dict(kept.claims)) for key, (_, kept) in tokens._remembered.items()]
    assert "user_alice" in repr(held)
    assert API_KEY not in repr((held, machine, dict(machine.claims)))


def test_the_memory_of_another_process_looks_different(
    signer: Signer, backend: LocalServer, clock: Clock
) -> None:
    instance = read_instance(keys_of(signer) | {"CLERK_API_URL": backend.url})
    key = read_pem_key(signer.pem)
    kept = []
    for _ in range(2):
        tokens = MachineTokens(BackendApi(instance), lambda kid: key, instance.issuer, clock=clock)
        tokens.verify(API_KEY, "api_key", NOW)
        kept += list(tokens._remembered)
    assert len(set(kept)) == 2


@pytest.mark.parametrize("form", ["opaque", "JWT"])
def test_what_one_request_does_to_the_claims_no_other_sees(
    tokens: MachineTokens, signer: Signer, form: str
) -> None:
    token = API_KEY if form == "opaque" else program(signer, at=int(NOW), nested={"a": "b"})
    machine = tokens.verify(token, "m2m", NOW)
    claims: Any = machine.claims
    with suppress(TypeError):  # a mapping that cannot be changed is fine, too
        claims["subject"] = claims["sub"] = "mch_admin"
    with suppress(TypeError, KeyError):
        claims["scopes" if form == "opaque" else "nested"].clear()
    again = tokens.verify(token, "m2m", NOW)
    assert again.subject == machine.subject
    assert again.scopes == machine.scopes
    assert "mch_admin" not in (again.claims.get("subject"), again.claims.get("sub"))
    assert again.claims["scopes" if form == "opaque" else "nested"]


@pytest.mark.parametrize("seconds", ["-1", "ten", "1e3", ".", "999999", "1.0001"])
def test_a_time_to_remember_that_is_none_is_refused(signer: Signer, seconds: str) -> None:
    with pytest.raises(ValueError, match="CLERK_MACHINE_TOKEN_SECONDS is"):
        read_instance(keys_of(signer) | {"CLERK_MACHINE_TOKEN_SECONDS": seconds})


def test_the_time_to_remember_is_a_setting(signer: Signer) -> None:
    given = {"": 10.0, "0": 0.0, "2.5": 2.5}
    for text, seconds in given.items():
        instance = read_instance(keys_of(signer) | {"CLERK_MACHINE_TOKEN_SECONDS": text})
        assert instance.machine_token_lifetime == seconds
