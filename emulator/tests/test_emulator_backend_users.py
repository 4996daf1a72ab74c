"""Accounts in the Backend API: finding, creating, changing and deleting them."""

from __future__ import annotations

import base64
import hashlib
from io import BytesIO
from typing import Any

import pytest
from flask import Flask

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.testing import PASSWORD, Backend, Browser, ManualClock, error_of

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)


def create(backend: Backend, name: str, **more: Any) -> dict[str, Any]:
    answer = backend.send("POST", "/users", email_address=[f"{name}@example.com"], **more)
    assert answer.status_code == 200, answer.text
    user: dict[str, Any] = answer.get_json()
    return user


def names(backend: Backend, **query: Any) -> list[str]:
    answer = backend.get("/users", **query)
    assert answer.status_code == 200, answer.text
    return [user["first_name"] for user in answer.get_json()]


@pytest.fixture
def three(backend: Backend, clock: ManualClock) -> dict[str, dict[str, Any]]:
    """Ada, Bob and Cyd, a minute apart."""
    made = {}
    for name, number in {"ada": "0100", "cyd": "0101", "bob": "0102"}.items():
        made[name] = create(
            backend,
            name,
            first_name=name.title(),
            phone_number=[f"+1555555{number}"],
            username=f"{name}name",
            external_id=f"ext_{name}",
        )
        clock.forward(seconds=60)
    return made


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"email_address": ["ada@example.com", "BOB@example.com"]}, ["Bob", "Ada"]),
        ({"phone_number": "+15555550101"}, ["Cyd"]),
        ({"username": "bobname"}, ["Bob"]),
        ({"external_id": ["ext_ada", "ext_bob"]}, ["Bob", "Ada"]),
        ({"external_id": "-ext_ada"}, ["Bob", "Cyd"]),
        ({"user_id": "user_unknown"}, []),
        ({"query": "ADA@"}, ["Ada"]),
        ({"query": "example.com", "username": "cydname"}, ["Cyd"]),
        ({"email_address_query": "bob@"}, ["Bob"]),
        ({"phone_number_query": "0102"}, ["Bob"]),
        ({"name_query": "cy"}, ["Cyd"]),
        ({"banned": "true"}, []),
        ({"organization_id": "org_none"}, []),
        ({"provider": "google"}, []),
        ({"last_active_at_since": 1}, []),
        ({"last_active_at_before": 9_000_000_000_000}, []),
        ({"order_by": "first_name"}, ["Ada", "Bob", "Cyd"]),
        ({"order_by": "-email_address"}, ["Cyd", "Bob", "Ada"]),
        ({"order_by": "+created_at"}, ["Ada", "Cyd", "Bob"]),
        ({"order_by": "username", "limit": 1, "offset": 1}, ["Bob"]),
    ],
)
def test_users_are_found(
    backend: Backend, three: dict[str, Any], query: dict[str, Any], found: list[str]
) -> None:
    assert names(backend, **query) == found


def test_users_are_found_by_creation_time(backend: Backend, three: dict[str, Any]) -> None:
    moment = three["cyd"]["created_at"]
    assert names(backend, created_at_after=moment) == ["Bob", "Cyd"]
    assert names(backend, created_at_before=moment) == ["Cyd", "Ada"]
    counted = backend.get("/users/count", created_at_before=moment).get_json()
    assert counted["total_count"] == 2


def test_a_user_can_be_created_with_all_fields(backend: Backend, browser: Browser) -> None:
    answer = backend.send(
        "POST",
        "/users",
        email_address=["ada@example.com", "lovelace@example.com"],
        phone_number=["+1 (555) 555-0100"],
        username="Ada.L",
        password=PASSWORD,
        external_id="42",
        created_at="2020-01-02T03:04:05Z",
        legal_accepted_at="2020-01-02T03:04:05.000Z",
        totp_secret="JBSWY3DPEHPK3PXP",
        backup_codes=["one", "two"],
        delete_self_enabled=False,
    )
    user = answer.get_json()
    assert [e["email_address"] for e in user["email_addresses"]][1] == "lovelace@example.com"
    assert user["email_addresses"][0]["verification"]["strategy"] == "admin"
    assert user["primary_phone_number_id"] == user["phone_numbers"][0]["id"]
    assert user["created_at"] == user["legal_accepted_at"] == 1577934245000
    shown = ("username", "totp_enabled", "backup_code_enabled", "delete_self_enabled")
    assert [user[name] for name in shown] == ["ada.l", True, True, False]
    assert "totp_secret" not in user
    assert "backup_codes" not in user


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"email_address": ["ada@example.com"]}, "form_identifier_exists", "email_address"),
        ({"username": "adaname"}, "form_identifier_exists", "username"),
        ({"phone_number": ["+15555550100"]}, "form_identifier_exists", "phone_number"),
        ({"external_id": "ext_ada"}, "form_identifier_exists", "external_id"),
        ({"password": "short"}, "form_password_length_too_short", "password"),
        ({"password": PASSWORD, "password_digest": "x"}, "form_param_value_invalid", None),
        (
            {"password_digest": "x#y#z", "password_hasher": "awscognito"},
            "form_param_value_invalid",
            "password_hasher",
        ),
        (
            {"password_digest": "broken", "password_hasher": "pbkdf2_sha256"},
            "form_password_digest_invalid_code",
            "password_digest",
        ),
        ({"created_at": "yesterday"}, "form_param_value_invalid", "created_at"),
        ({"backup_codes": "one"}, "form_param_value_invalid", "backup_codes"),
        (
            {"public_metadata": {"text": "x" * 8192}},
            "form_param_exceeds_allowed_size",
            "public_metadata",
        ),
    ],
)
def test_invalid_users_are_rejected(
    backend: Backend, three: dict[str, Any], body: dict[str, Any], code: str, param: str | None
) -> None:
    body = {"email_address": ["new@example.com"]} | body
    status, seen, at = error_of(backend.send("POST", "/users", **body))
    assert (status, seen) == (422, code)
    assert param in (None, at)
    assert backend.get("/users/count").get_json()["total_count"] == 3


def test_a_password_hash_can_be_imported(backend: Backend, browser: Browser) -> None:
    raw = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), b"salt", 1000)
    digest = f"pbkdf2_sha256$1000$salt${base64.b64encode(raw).decode()}"
    create(backend, "ada", password_digest=digest, password_hasher="pbkdf2_sha256_django")
    assert error_of(browser.sign_in("ada@example.com", "wrong password"))[0] == 422
    browser.sign_in("ada@example.com")
    assert browser.session()["status"] == "active"


def test_password_checks_can_be_skipped(backend: Backend) -> None:
    user = create(backend, "ada", password="weak", skip_password_checks=True)
    path = f"/users/{user['id']}/verify_password"
    assert backend.send("POST", path, password="weak").get_json() == {"verified": True}
    assert error_of(backend.send("POST", path, password="other"))[1] == "incorrect_password"


def test_external_ids_are_unique(backend: Backend, three: dict[str, Any]) -> None:
    path = f"/users/{three['bob']['id']}"
    assert error_of(backend.send("PATCH", path, external_id="ext_ada"))[0] == 422
    assert backend.send("PATCH", path, external_id="ext_bob").status_code == 200


def test_a_ban_ends_sessions(backend: Backend, ada: Browser) -> None:
    id = ada.session()["user"]["id"]
    assert backend.send("POST", f"/users/{id}/ban").get_json()["banned"] is True
    assert ada.client()["sessions"] == []
    assert error_of(ada.sign_in("ada@example.com"))[1] == "user_banned"
    backend.send("POST", f"/users/{id}/unban")
    assert ada.sign_in("ada@example.com").status_code == 200


def test_a_locked_user_cannot_sign_in(backend: Backend, browser: Browser) -> None:
    id = create(backend, "ada", password=PASSWORD)["id"]
    assert backend.send("POST", f"/users/{id}/lock").get_json()["locked"] is True
    assert error_of(browser.sign_in("ada@example.com"))[:2] == (403, "user_locked")
    backend.send("POST", f"/users/{id}/unlock")
    assert browser.sign_in("ada@example.com").status_code == 200


def test_a_bulk_ban_is_all_or_nothing(backend: Backend, three: dict[str, Any]) -> None:
    ids = [three["ada"]["id"], three["bob"]["id"]]
    assert backend.send("POST", "/users/ban", user_ids=[*ids, "user_none"]).status_code == 404
    assert names(backend, banned="true") == []
    backend.send("POST", "/users/ban", user_ids=ids)
    assert names(backend, banned="true") == ["Bob", "Ada"]


def test_second_factors_can_be_removed(backend: Backend) -> None:
    more = {"totp_secret": "JBSWY3DPEHPK3PXP", "backup_codes": ["one"]}
    id = create(backend, "ada", **more)["id"]
    assert backend.send("DELETE", f"/users/{id}/mfa").get_json() == {"user_id": id}
    user = backend.get(f"/users/{id}").get_json()
    assert (user["two_factor_enabled"], user["backup_code_enabled"]) == (False, False)


def test_a_picture_can_be_uploaded_and_removed(
    backend: Backend, emulator: Flask, clerk: LocalClerk
) -> None:
    path = f"/users/{create(backend, 'ada')['id']}/profile_image"
    headers = {"Authorization": f"Bearer {clerk.config.secret_key}"}
    http = emulator.test_client()
    for content, status in ((PNG, 200), (b"<svg/>", 415)):
        data = {"file": (BytesIO(content), "a.png")}
        assert http.post(f"/api/v1{path}", data=data, headers=headers).status_code == status
    assert backend.send("DELETE", path).get_json()["has_image"] is False


def test_addresses_are_added_changed_and_removed(backend: Backend) -> None:
    user = create(backend, "ada")
    body = {"user_id": user["id"], "email_address": "second@example.com"}
    email = backend.send("POST", "/email_addresses", **body).get_json()
    path = f"/email_addresses/{email['id']}"
    assert email["verification"]["status"] == "unverified"
    assert error_of(backend.send("PATCH", path, primary=True))[0] == 422
    backend.send("PATCH", path, verified=True, primary=True)
    assert backend.get(f"/users/{user['id']}").get_json()["primary_email_address_id"] == email["id"]
    assert backend.send("DELETE", path).get_json()["deleted"] is True
    assert error_of(backend.get(path))[0] == 404
    (left,) = backend.get(f"/users/{user['id']}").get_json()["email_addresses"]
    assert error_of(backend.send("DELETE", f"/email_addresses/{left['id']}"))[0] == 403


def test_numbers_are_added_and_become_second_factors(backend: Backend) -> None:
    user = create(backend, "ada")
    body = {"user_id": user["id"], "phone_number": "+15555550100", "verified": True}
    phone = backend.send("POST", "/phone_numbers", **body).get_json()
    assert error_of(backend.send("POST", "/phone_numbers", **body))[1] == "form_identifier_exists"
    path = f"/phone_numbers/{phone['id']}"
    assert backend.send("PATCH", path, reserved_for_second_factor=True).status_code == 200
    assert backend.get(f"/users/{user['id']}").get_json()["two_factor_enabled"] is True
    backend.send("DELETE", path)
    assert backend.get(f"/users/{user['id']}").get_json()["two_factor_enabled"] is False


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/users/{}/ban"),
        ("POST", "/users/{}/verify_password"),
        ("DELETE", "/users/{}/mfa"),
        ("DELETE", "/users/{}/external_accounts/eac_1"),
        ("GET", "/users/{}/oauth_access_tokens/google"),
        ("PATCH", "/users/{}/metadata"),
        ("GET", "/email_addresses/{}"),
        ("DELETE", "/phone_numbers/{}"),
    ],
)
def test_unknown_ids_are_not_found(backend: Backend, method: str, path: str) -> None:
    answer = backend.send(method, path.format("none"))
    assert error_of(answer)[:2] == (404, "resource_not_found")


def test_accounts_of_other_users_cannot_be_disconnected(
    backend: Backend, three: dict[str, Any], clerk: LocalClerk
) -> None:
    path = f"/users/{three['bob']['id']}/external_accounts/{three['ada']['id']}"
    assert backend.send("DELETE", path).status_code == 404
