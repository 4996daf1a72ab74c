"""Clients with machine tokens, and an app that accepts them."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask.typing import ResponseReturnValue
from werkzeug.test import TestResponse

from app.clerk import (
    Clerk,
    current_machine,
    current_session,
    read_instance,
    requires,
    session_required,
)
from tests.app_fixtures import keys_of
from tests.local_server import LocalServer
from tests.signing import Signer

API_KEY, M2M, OAUTH = "ak_verysecret", "mt_verysecret", "oat_verysecret"
ALL = ("session", "api_key", "m2m", "oauth")

OPAQUE = [
    # class, token, path that verifies it, name of its field there
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
"""The Backend API's description of a valid token."""

M2M_CLASS = {"cat": "cl_B7d4PD333AAA"}

ran: list[str] = []
"""Names of the views that ran."""


def machine_client(signer: Signer, server: LocalServer) -> FlaskClient:
    """A client of an app that accepts machine tokens and doesn't cache them."""
    environ = {"CLERK_API_URL": server.url, "CLERK_MACHINE_TOKEN_SECONDS": "0"}
    app = Flask("machine_clients")
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
        return "does not use the token"

    for path, view in (
        ("/all", session_required(accepts=ALL)(answer)),
        ("/keys", session_required(accepts=("api_key",))(answer)),
        ("/keys-silent", session_required(accepts=("api_key",))(silent)),
        ("/m2m", session_required(accepts=["m2m"])(answer)),
        ("/oauth", session_required(accepts={"oauth"})(answer)),
        ("/sessions", session_required(answer)),
        ("/admin", requires(role="admin")(accepts=ALL)(answer)),
        ("/strict", requires(reverification="strict")(accepts=ALL)(answer)),
    ):
        app.add_url_rule(path, path, view, methods=["GET", "POST"])
    return app.test_client(use_cookies=False)


def accept_opaque_tokens(backend: LocalServer) -> None:
    """Make every opaque token valid, and clear the list of views that ran."""
    for _, _, path, _ in OPAQUE:
        backend.answers[f"POST {path}"] = (200, GOOD)
    ran.clear()


def ask(client: FlaskClient, path: str, token: str, **headers: str) -> TestResponse:
    """Send a request with a token in the ``Authorization`` header."""
    return client.get(path, headers={"Authorization": f"Bearer {token}", **headers})


def reason(response: TestResponse) -> str:
    """The reason for a 401, which the body and the headers must agree on."""
    assert response.status_code == 401
    assert not ran
    assert response.json
    assert response.headers["X-Clerk-Auth-Status"] == "signed-out"
    assert response.headers["X-Clerk-Auth-Reason"] == response.json["reason"]
    return str(response.json["reason"])


def machine_jwt(signer: Signer, header: dict[str, Any] | None = None, **changes: Any) -> str:
    """A machine-to-machine token in JWT form."""
    claims = {"sub": "mch_1", "sid": None, "azp": None, "v": None, "jti": "mt_1", "scopes": "a b"}
    return signer.token(M2M_CLASS if header is None else header, **(claims | changes))


def oauth_jwt(signer: Signer, typ: str = "at+jwt", **changes: Any) -> str:
    """An OAuth access token in JWT form (RFC 9068)."""
    return machine_jwt(signer, {"typ": typ}, **({"sub": "user_alice", "jti": "oat_1"} | changes))
