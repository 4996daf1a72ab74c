"""Machines, their tokens, API keys and OAuth access tokens: which are accepted, and by whom."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from flask import Flask

from clerk_emulator.testing import Backend, Browser, ManualClock, error_of


def machine(backend: Backend, name: str, *scopes: str) -> dict[str, Any]:
    answer = backend.send("POST", "/machines", name=name, scoped_machines=list(scopes))
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.get_json()
    return made


@pytest.fixture
def three(backend: Backend, emulator: Flask) -> dict[str, Backend]:
    """Machines: a client, a server in its scope, and one outside of it."""
    server = machine(backend, "server")
    made = {"server": server, "stranger": machine(backend, "stranger")}
    made["client"] = machine(backend, "client", server["id"])
    return {name: Backend(emulator, one["secret_key"]) for name, one in made.items()}


def token_of(backend: Backend, **body: Any) -> dict[str, Any]:
    answer = backend.send("POST", "/m2m_tokens", **body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.get_json()
    return made


@pytest.mark.parametrize("kind", ["opaque", "jwt"])
def test_a_token_is_valid_within_its_scope(
    three: dict[str, Backend], backend: Backend, kind: str
) -> None:
    token = token_of(three["client"], token_format=kind, claims={"who": "me"})
    for reader in (three["server"], three["client"], backend):
        seen = reader.send("POST", "/m2m_tokens/verify", token=token["token"]).get_json()
        assert (seen["subject"], seen["claims"]) == (token["subject"], {"who": "me"})
        assert "token" not in seen
    refused = three["stranger"].send("POST", "/m2m_tokens/verify", token=token["token"])
    assert error_of(refused)[0] == 404


@pytest.mark.parametrize("kind", ["opaque", "jwt"])
def test_a_token_expires(three: dict[str, Backend], clock: ManualClock, kind: str) -> None:
    token = token_of(three["client"], token_format=kind, seconds_until_expiration=60)
    clock.forward(seconds=60)
    answer = three["server"].send("POST", "/m2m_tokens/verify", token=token["token"])
    assert error_of(answer)[0] == 404


def test_custom_claims_cannot_replace_the_subject(three: dict[str, Backend]) -> None:
    token = token_of(three["client"], token_format="jwt", claims={"sub": "mch_x", "exp": 1})
    said = jwt.decode(token["token"], options={"verify_signature": False})
    assert said["sub"] == token["subject"]


def test_a_revoked_token_is_rejected(three: dict[str, Backend], backend: Backend) -> None:
    token = token_of(three["client"])
    path = f"/m2m_tokens/{token['id']}/revoke"
    assert error_of(three["stranger"].send("POST", path))[0] == 404
    three["client"].send("POST", path, revocation_reason="lost")
    answer = backend.send("POST", "/m2m_tokens/verify", token=token["token"])
    assert error_of(answer)[0] == 404
    query = {"subject": token["subject"]}
    assert backend.get("/m2m_tokens", **query).get_json()["total_count"] == 0
    (listed,) = backend.get("/m2m_tokens", revoked="true", **query).get_json()["m2m_tokens"]
    assert listed["revocation_reason"] == "lost"


def test_a_token_is_reused_on_request(three: dict[str, Backend], clock: ManualClock) -> None:
    first = token_of(three["client"], min_remaining_ttl_seconds=600)
    clock.forward(seconds=600)
    assert token_of(three["client"], min_remaining_ttl_seconds=600)["token"] == first["token"]
    clock.forward(seconds=2500)
    assert token_of(three["client"], min_remaining_ttl_seconds=600)["token"] != first["token"]
    body = {"min_remaining_ttl_seconds": 3600}
    assert error_of(three["client"].send("POST", "/m2m_tokens", **body))[0] == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/users"), ("GET", "/machines"), ("POST", "/api_keys/verify"), ("GET", "/jwks")],
)
def test_a_machines_key_only_gives_access_to_tokens(
    three: dict[str, Backend], method: str, path: str
) -> None:
    assert error_of(three["client"].send(method, path))[:2] == (401, "clerk_key_invalid")


def test_the_instances_key_cannot_create_tokens(backend: Backend) -> None:
    assert error_of(backend.send("POST", "/m2m_tokens"))[0] == 401


def test_a_machine_sees_only_its_own_tokens(three: dict[str, Backend]) -> None:
    token = token_of(three["client"])
    answer = three["stranger"].get("/m2m_tokens", subject=token["subject"])
    assert error_of(answer)[0] == 404
    assert three["client"].get("/m2m_tokens").get_json()["total_count"] == 1


def test_a_rotated_key_is_rejected(backend: Backend, emulator: Flask) -> None:
    made = machine(backend, "client")
    path = f"/machines/{made['id']}/secret_key"
    fresh = backend.send("POST", f"{path}/rotate").get_json()["secret"]
    assert backend.get(path).get_json()["secret"] == fresh
    assert error_of(Backend(emulator, made["secret_key"]).send("POST", "/m2m_tokens"))[0] == 401
    assert Backend(emulator, fresh).send("POST", "/m2m_tokens").status_code == 201


def test_scopes_are_added_and_removed(backend: Backend) -> None:
    one, two = machine(backend, "one"), machine(backend, "two")
    path = f"/machines/{one['id']}/scopes"
    assert backend.send("POST", path, to_machine_id=two["id"]).status_code == 200
    assert error_of(backend.send("POST", path, to_machine_id=two["id"]))[0] == 409
    assert error_of(backend.send("POST", path, to_machine_id=one["id"]))[0] == 422
    assert error_of(backend.send("POST", path, to_machine_id="mch_none"))[0] == 404
    (scoped,) = backend.get(f"/machines/{one['id']}").get_json()["scoped_machines"]
    assert scoped["id"] == two["id"]
    backend.send("DELETE", f"{path}/{two['id']}")
    assert backend.get(f"/machines/{one['id']}").get_json()["scoped_machines"] == []


@pytest.mark.parametrize("kind", ["opaque", "jwt"])
def test_deleting_a_machine_deletes_its_tokens(
    three: dict[str, Backend], backend: Backend, kind: str
) -> None:
    token = token_of(three["client"], token_format=kind)
    backend.send("DELETE", f"/machines/{token['subject']}")
    answer = backend.send("POST", "/m2m_tokens/verify", token=token["token"])
    assert error_of(answer)[0] == 404


@pytest.mark.parametrize(
    "token", ["", "mt_guess", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtY2hfMSJ9."]
)
def test_a_made_up_token_is_rejected(backend: Backend, token: str) -> None:
    answer = backend.send("POST", "/m2m_tokens/verify", token=token)
    assert answer.status_code in (404, 422)


def test_a_session_token_is_not_a_machine_token(backend: Backend, ada: Browser) -> None:
    token = ada.session()["last_active_token"]["jwt"]
    assert error_of(backend.send("POST", "/m2m_tokens/verify", token=token))[0] == 404


@pytest.fixture
def key(backend: Backend, ada: Browser) -> dict[str, Any]:
    """Ada's API key."""
    subject = ada.session()["user"]["id"]
    made: dict[str, Any] = backend.send(
        "POST", "/api_keys", name="CI", subject=subject, scopes=["read"], claims={"a": 1}
    ).get_json()
    return made


def test_an_api_key_is_verified_by_its_secret(backend: Backend, key: dict[str, Any]) -> None:
    seen = backend.send("POST", "/api_keys/verify", secret=key["secret"]).get_json()
    assert (seen["id"], seen["scopes"], seen["claims"]) == (key["id"], ["read"], {"a": 1})
    assert "secret" not in seen
    path = f"/api_keys/{key['id']}"
    assert backend.get(f"{path}/secret").get_json() == {"secret": key["secret"]}
    assert "secret" not in backend.get(path).get_json()


@pytest.mark.parametrize("how", ["revoked", "expired", "deleted"])
def test_a_revoked_or_expired_api_key_is_rejected(
    backend: Backend, key: dict[str, Any], clock: ManualClock, how: str
) -> None:
    path = f"/api_keys/{key['id']}"
    if how == "revoked":
        backend.send("POST", f"{path}/revoke")
    elif how == "expired":
        backend.send("PATCH", path, seconds_until_expiration=60)
        clock.forward(seconds=61)
    else:
        assert backend.send("DELETE", path).get_json()["deleted"] is True
    answer = backend.send("POST", "/api_keys/verify", secret=key["secret"])
    assert error_of(answer)[0] == 404
    assert backend.get("/api_keys", subject=key["subject"]).get_json()["total_count"] == 0


def test_an_api_key_needs_a_subject(backend: Backend) -> None:
    answer = backend.send("POST", "/api_keys", name="CI", subject="user_none")
    assert error_of(answer) == (422, "form_param_value_invalid", "subject")


def test_an_oauth_token_is_verified_revoked_and_expires(
    backend: Backend, ada: Browser, clock: ManualClock
) -> None:
    body = {"name": "Other", "redirect_uris": ["https://other.example/back"]}
    application = backend.send("POST", "/oauth_applications", **body).get_json()
    path = f"/oauth_applications/{application['id']}"
    body = {"user_id": ada.session()["user"]["id"], "scopes": ["email"]}
    tokens = [backend.send("POST", f"{path}/access_tokens", **body).get_json() for _ in "ab"]
    verify = "/oauth_applications/access_tokens/verify"
    seen = backend.send("POST", verify, access_token=tokens[0]["access_token"]).get_json()
    assert (seen["subject"], seen["scopes"]) == (body["user_id"], ["email"])
    backend.send("POST", f"{path}/revoke_token", token=tokens[0]["access_token"])
    answer = backend.send("POST", verify, access_token=tokens[0]["access_token"])
    assert error_of(answer)[0] == 404
    clock.forward(seconds=24 * 3600)
    answer = backend.send("POST", verify, access_token=tokens[1]["access_token"])
    assert error_of(answer)[0] == 404


def test_an_oauth_application_shows_its_secret_once(backend: Backend) -> None:
    made = backend.send("POST", "/oauth_applications", name="Other").get_json()
    path = f"/oauth_applications/{made['id']}"
    assert "client_secret" not in backend.get(path).get_json()
    fresh = backend.send("POST", f"{path}/rotate_secret").get_json()["client_secret"]
    assert fresh != made["client_secret"]
    assert error_of(backend.send("PATCH", path, scopes="everything"))[0] == 422
    assert error_of(backend.send("PATCH", path, redirect_uris=["javascript:1"]))[0] == 422
    backend.send("DELETE", path)
    assert error_of(backend.get(path))[0] == 404


def test_machine_keys_and_tokens_need_no_version_in_the_path(
    emulator: Flask, backend: Backend, key: dict[str, Any]
) -> None:
    http = emulator.test_client()
    body, path = {"secret": key["secret"]}, "/api/api_keys/verify"
    assert http.post(path, json=body).status_code == 401
    headers = {"Authorization": f"Bearer {machine(backend, 'client')['secret_key']}"}
    assert http.post(path, json=body, headers=headers).status_code == 401
    assert http.post("/api/m2m_tokens", json={}, headers=headers).status_code == 201
    headers = {"Authorization": "Bearer sk_test_example"}
    assert http.post(path, json=body, headers=headers).get_json()["id"] == key["id"]
