"""Sessions in the Backend API: their tokens, and refreshing one with a refresh token."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any

import jwt
import pytest

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.testing import Backend, Browser, ManualClock, error_of


def claims(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


@pytest.fixture
def made(backend: Backend) -> dict[str, Any]:
    """A session that the app's server has made."""
    user = backend.send("POST", "/users", email_address=["grace@example.com"]).get_json()
    session: dict[str, Any] = backend.send("POST", "/sessions", user_id=user["id"]).get_json()
    return session


def test_a_session_can_be_made_for_tests(backend: Backend, made: dict[str, Any]) -> None:
    token = backend.send("POST", f"/sessions/{made['id']}/tokens").get_json()["jwt"]
    assert (made["status"], claims(token)["sid"]) == ("active", made["id"])
    verified = backend.send("POST", f"/sessions/{made['id']}/verify", token=token)
    assert verified.get_json()["id"] == made["id"]


def test_a_token_can_last_longer(backend: Backend, made: dict[str, Any]) -> None:
    path = f"/sessions/{made['id']}/tokens"
    token = claims(backend.send("POST", path, expires_in_seconds=300).get_json()["jwt"])
    assert token["exp"] - token["iat"] == 300
    assert error_of(backend.send("POST", path, expires_in_seconds=1))[0] == 422


def test_templates_make_tokens(backend: Backend, made: dict[str, Any], clerk: LocalClerk) -> None:
    clerk.source.replace({"jwt_templates": {"hasura": {"claims": {"who": "{{user.id}}"}}}})
    path = f"/sessions/{made['id']}/tokens"
    token = backend.send("POST", f"{path}/hasura").get_json()["jwt"]
    assert claims(token)["who"] == made["user_id"]
    assert error_of(backend.send("POST", f"{path}/other"))[0] == 404


def test_an_ended_session_has_no_tokens(backend: Backend, made: dict[str, Any]) -> None:
    backend.send("POST", f"/sessions/{made['id']}/revoke")
    assert error_of(backend.send("POST", f"/sessions/{made['id']}/tokens"))[0] == 404


def test_a_foreign_token_is_rejected(backend: Backend, made: dict[str, Any]) -> None:
    other = backend.send("POST", "/sessions", user_id=made["user_id"]).get_json()
    token = backend.send("POST", f"/sessions/{other['id']}/tokens").get_json()["jwt"]
    answer = backend.send("POST", f"/sessions/{made['id']}/verify", token=token)
    assert error_of(answer)[0] == 401


def test_browsers_are_listed_and_found_by_their_token(backend: Backend, ada: Browser) -> None:
    (client,) = backend.get("/clients").get_json()
    assert client["session_ids"] == [ada.session()["id"]]
    assert backend.send("POST", "/clients/verify", token=ada.dev_browser).get_json() == client
    assert ada.dev_browser not in str(client)
    assert error_of(backend.send("POST", "/clients/verify", token="dvb_guess"))[0] == 404


@pytest.fixture
def refreshable(ada: Browser, backend: Backend, clerk: LocalClerk) -> dict[str, str]:
    """Ada's cookies in a production instance, an hour after her sign-in."""
    clerk.source.replace({"sessions": {"handshake_in_cookies": True}})
    query = {"redirect_url": "http://localhost:5000/", "format": "nonce"}
    answer = ada.get("/client/handshake", **query)
    nonce = SimpleCookie(answer.headers["Set-Cookie"])["__clerk_handshake_nonce"].value
    payload = backend.get("/clients/handshake_payload", nonce=nonce).get_json()
    return cookies(payload["directives"])


def cookies(directives: list[str]) -> dict[str, str]:
    pairs = [directive.partition(";")[0].partition("=") for directive in directives]
    return {name: value for name, _, value in pairs}


def refresh(backend: Backend, id: str, **body: Any) -> Any:
    return backend.send("POST", f"/sessions/{id}/refresh", format="cookie", **body)


def test_a_refresh_token_renews_a_session_once(
    refreshable: dict[str, str], backend: Backend, clerk: LocalClerk, clock: ManualClock
) -> None:
    suffix = clerk.config.cookie_suffix
    clock.forward(seconds=3600)
    expired = refreshable["__session"]
    old = refreshable[f"__refresh_{suffix}"]
    body = {"expired_token": expired, "refresh_token": old}
    answer = refresh(backend, claims(expired)["sid"], **body, request_origin="http://evil.example")
    fresh = cookies(answer.get_json()["cookies"])
    assert answer.get_json()["object"] == "cookies"
    assert claims(fresh["__session"])["iat"] == clock() // 1000
    assert claims(fresh["__session"])["azp"] == "http://localhost:5000"
    assert (
        error_of(refresh(backend, claims(expired)["sid"], **body))[1] == "refresh_token_not_found"
    )
    body["refresh_token"] = fresh[f"__refresh_{suffix}"]
    assert refresh(backend, claims(expired)["sid"], **body).status_code == 200


def test_invalid_refreshes_are_rejected(
    refreshable: dict[str, str], backend: Backend, clerk: LocalClerk, made: dict[str, Any]
) -> None:
    token = refreshable["__session"]
    sid = claims(token)["sid"]
    good = refreshable[f"__refresh_{clerk.config.cookie_suffix}"]
    foreign = backend.send("POST", f"/sessions/{made['id']}/tokens").get_json()["jwt"]
    table = [
        (sid, {"expired_token": token}, 422),
        (sid, {"refresh_token": good}, 422),
        (sid, {"expired_token": token, "refresh_token": "rt_guess"}, 401),
        (sid, {"expired_token": foreign, "refresh_token": good}, 401),
        (sid, {"expired_token": token[:-4] + "AAAA", "refresh_token": good}, 401),
        (made["id"], {"expired_token": foreign, "refresh_token": good}, 401),
        (made["id"], {"expired_token": foreign, "refresh_token": ""}, 422),
    ]
    for id, body, status in table:
        assert error_of(refresh(backend, id, **body))[0] == status, body
    backend.send("POST", f"/sessions/{sid}/revoke")
    body = {"expired_token": token, "refresh_token": good}
    assert error_of(refresh(backend, sid, **body))[1] == "session_refresh_inactive_session"


def test_a_development_instance_issues_no_refresh_token(ada: Browser, backend: Backend) -> None:
    answer = ada.get("/client/handshake", redirect_url="http://localhost:5000/")
    payload = answer.headers["Location"].partition("__clerk_handshake=")[2]
    assert "__refresh" not in str(claims(payload)["handshake"])
