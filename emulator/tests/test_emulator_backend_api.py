"""The Backend API, as the app's server uses it."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from clerk_emulator.testing import PASSWORD, Backend, Browser, error_of


def create(backend: Backend, name: str, **more: Any) -> dict[str, Any]:
    user: dict[str, Any] = backend.send(
        "POST", "/users", email_address=[f"{name}@example.com"], **more
    ).get_json()
    return user


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "authorization_header_format_invalid"),
        ("Basic abc", "authorization_header_format_invalid"),
        ("Bearer ", "authorization_header_format_invalid"),
        ("Bearer sk_test_wrong", "clerk_key_invalid"),
        ("Bearer sk_test_exampl\xe9", "clerk_key_invalid"),
    ],
)
def test_only_the_secret_key_is_accepted(emulator: Flask, header: str | None, code: str) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = emulator.test_client().get("/api/v1/users", headers=headers)
    assert error_of(answer)[:2] == (401, code)


@pytest.mark.parametrize("path", ["/jwks", "/users", "/sessions", "/clients/handshake_payload"])
def test_every_endpoint_needs_the_secret_key(emulator: Flask, path: str) -> None:
    assert emulator.test_client().get(f"/api/v1{path}").status_code == 401


def test_users_are_listed_in_pages_newest_first(backend: Backend) -> None:
    ids = [create(backend, f"user{number}")["id"] for number in range(5)]
    pages = [backend.get("/users", limit=2, offset=offset).get_json() for offset in (0, 2, 4)]
    listed = [user["id"] for page in pages for user in page]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert listed == ids[::-1]


def test_users_can_be_listed_oldest_first(backend: Backend) -> None:
    ids = [create(backend, f"user{number}")["id"] for number in range(3)]
    listed = backend.get("/users", order_by="created_at").get_json()
    assert [user["id"] for user in listed] == ids


def test_users_are_found_by_address(backend: Backend) -> None:
    ada, _ = create(backend, "ada"), create(backend, "grace")
    (found,) = backend.get("/users", email_address="ADA@example.com").get_json()
    assert found["id"] == ada["id"]
    assert backend.get("/users", email_address="nobody@example.com").get_json() == []


def test_users_are_counted(backend: Backend) -> None:
    create(backend, "ada")
    create(backend, "grace")
    assert backend.get("/users/count").get_json()["total_count"] == 2
    one = backend.get("/users/count", email_address="ada@example.com").get_json()
    assert one["total_count"] == 1


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 501}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"offset": -1}, "offset"),
        ({"order_by": "password"}, "order_by"),
    ],
)
def test_invalid_query_parameters_are_rejected(
    backend: Backend, query: dict[str, Any], param: str
) -> None:
    assert error_of(backend.get("/users", **query)) == (422, "form_param_value_invalid", param)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "email_address"),
        ({"email_address": "ada@example.com"}, "email_address"),
        ({"email_address": ["broken"]}, "email_address"),
        ({"email_address": ["a@b.example"], "password": "short"}, "password"),
        ({"email_address": ["a@b.example"], "first_name": 1}, "first_name"),
        ({"email_address": ["a@b.example"], "public_metadata": [1]}, "public_metadata"),
    ],
)
def test_an_invalid_body_is_rejected(backend: Backend, body: dict[str, Any], param: str) -> None:
    status, _, seen = error_of(backend.send("POST", "/users", **body))
    assert (status, seen) == (422, param)


def test_a_created_user_can_sign_in(backend: Backend, browser: Browser) -> None:
    user = create(backend, "ada", password=PASSWORD, private_metadata={"plan": "pro"})
    browser.sign_in("ada@example.com")
    assert browser.session()["user"]["id"] == user["id"]
    assert user["private_metadata"] == {"plan": "pro"}


def test_private_metadata_never_reaches_the_browser(backend: Backend, ada: Browser) -> None:
    path = f"/users/{ada.session()['user']['id']}/metadata"
    backend.send("PATCH", path, private_metadata={"secret": 1})
    assert "private_metadata" not in ada.session()["user"]


def test_a_user_can_be_changed(backend: Backend) -> None:
    path = f"/users/{create(backend, 'ada')['id']}"
    backend.send("PATCH", path, first_name="Ada", external_id="42")
    user = backend.get(path).get_json()
    assert (user["first_name"], user["external_id"]) == ("Ada", "42")


def test_metadata_is_merged(backend: Backend) -> None:
    path = f"/users/{create(backend, 'ada', public_metadata={'a': {'x': 1, 'y': 2}})['id']}"
    answer = backend.send("PATCH", f"{path}/metadata", public_metadata={"a": {"x": None}, "b": 1})
    assert answer.get_json()["public_metadata"] == {"a": {"y": 2}, "b": 1}


def test_deleting_a_user_signs_them_out(backend: Backend, ada: Browser) -> None:
    id = ada.session()["user"]["id"]
    assert backend.send("DELETE", f"/users/{id}").get_json()["deleted"] is True
    assert ada.client()["sessions"] == []
    assert error_of(backend.get(f"/users/{id}"))[0] == 404


def test_a_revoked_session_ends(backend: Backend, ada: Browser) -> None:
    session = ada.session()
    revoked = backend.send("POST", f"/sessions/{session['id']}/revoke").get_json()
    (listed,) = backend.get("/sessions", user_id=session["user"]["id"]).get_json()
    assert revoked["status"] == listed["status"] == "revoked"
    assert backend.get(f"/sessions/{session['id']}").get_json()["status"] == "revoked"
    assert ada.client()["sessions"] == []


def test_sessions_can_be_filtered(backend: Backend, ada: Browser) -> None:
    user_id = ada.session()["user"]["id"]
    assert len(backend.get("/sessions", user_id=user_id, status="active").get_json()) == 1
    assert backend.get("/sessions", user_id=user_id, status="ended").get_json() == []
