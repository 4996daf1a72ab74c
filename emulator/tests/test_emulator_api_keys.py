"""API keys, as Clerk's component creates and revokes them."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from clerk_emulator.api_keys import verify_api_key
from clerk_emulator.clerk import LocalClerk
from clerk_emulator.errors import ClerkError
from clerk_emulator.resources import ApiKey, Organization, OrganizationMembership
from clerk_emulator.testing import Browser, ManualClock, error_of


@pytest.fixture(autouse=True)
def turned_on(clerk: LocalClerk) -> None:
    keys = {"user_enabled": True, "organization_enabled": True}
    clerk.source.replace({"api_keys": keys, "organizations": {"enabled": True}})


def token_of(browser: Browser) -> str:
    session = browser.session()
    answer = browser.post(f"/client/sessions/{session['id']}/tokens")
    jwt: str = answer.get_json()["jwt"]
    return jwt


def send(browser: Browser, path: str = "", token: str | None = None, **body: Any) -> TestResponse:
    token = token_of(browser) if token is None else token
    headers = {"Authorization": f"Bearer {token}"}
    return browser.http.post(f"/api_keys{path}", json=body, headers=headers)


def listed(browser: Browser, **query: str) -> TestResponse:
    headers = {"Authorization": f"Bearer {token_of(browser)}"}
    return browser.http.get("/api_keys", query_string=query, headers=headers)


def join(clerk: LocalClerk, browser: Browser, role: str) -> None:
    user = browser.session()["user"]["id"]
    clerk.store.put(Organization("org_a", 1, 1, "Acme", "acme"))
    clerk.store.put(OrganizationMembership(f"om_{user}", 1, 1, "org_a", user, role))


def test_the_secret_is_shown_once_and_only_its_hash_kept(clerk: LocalClerk, ada: Browser) -> None:
    made = send(ada, name="Reports").get_json()
    (kept,) = clerk.store.find(ApiKey)
    (seen,) = listed(ada).get_json()["data"]
    assert made["secret"].startswith("ak_")
    assert made["secret"] not in (kept.secret_hash, kept.id)
    assert "secret" not in seen
    assert verify_api_key(clerk, made["secret"]).id == made["id"]


def test_clerks_client_may_ask_with_two_slashes(ada: Browser) -> None:
    send(ada, name="Reports")
    headers = {"Authorization": f"Bearer {token_of(ada)}"}
    two = {"PATH_INFO": "//api_keys"}
    answer = ada.http.get("/", headers=headers, environ_overrides=two)
    assert answer.get_json()["total_count"] == 1


def test_keys_are_searched_and_counted(ada: Browser) -> None:
    for name in ("Reports", "Imports", "Backup"):
        send(ada, name=name)
    found = listed(ada, query="PORTS", limit="1").get_json()
    assert found["total_count"] == 2
    assert [key["name"] for key in found["data"]] == ["Imports"]


def test_a_name_is_unique_until_its_key_is_revoked(ada: Browser) -> None:
    key = send(ada, name="Reports").get_json()
    again = send(ada, name=" Reports ")
    revoked = send(ada, f"/{key['id']}/revoke", revocation_reason="lost")
    assert error_of(again) == (409, "token_creation_conflict", "name")
    assert revoked.get_json()["revoked"] is True
    assert send(ada, name="Reports").status_code == 200


def test_a_revoked_or_expired_key_is_rejected(
    clerk: LocalClerk, ada: Browser, clock: ManualClock
) -> None:
    revoked = send(ada, name="Reports").get_json()
    short = send(ada, name="Imports", seconds_until_expiration=60).get_json()
    send(ada, f"/{revoked['id']}/revoke")
    clock.forward(seconds=60)
    for secret in (revoked["secret"], short["secret"], "ak_guess"):
        with pytest.raises(ClerkError):
            verify_api_key(clerk, secret)


def test_users_cannot_access_keys_of_other_users(emulator: Flask, ada: Browser) -> None:
    key = send(ada, name="Reports").get_json()
    bob = Browser(emulator)
    bob.sign_up("bob@example.com")
    ada_id = ada.session()["user"]["id"]
    assert listed(bob, subject=ada_id).status_code == 404
    assert send(bob, name="Mine", subject=ada_id).status_code == 404
    assert send(bob, f"/{key['id']}/revoke").status_code == 404


def test_an_organizations_keys_require_a_permission(
    clerk: LocalClerk, emulator: Flask, ada: Browser
) -> None:
    bob = Browser(emulator)
    bob.sign_up("bob@example.com")
    join(clerk, ada, "org:admin")
    join(clerk, bob, "org:member")
    assert send(ada, name="Reports", subject="org_a").status_code == 200
    assert listed(ada, subject="org_a").get_json()["total_count"] == 1
    assert error_of(listed(bob, subject="org_a"))[1] == "missing_organization_permission"


def test_only_a_valid_session_token_is_accepted(ada: Browser, clock: ManualClock) -> None:
    token = token_of(ada)
    assert send(ada, token="", name="A").status_code == 401
    assert send(ada, token=token[:-4] + "AAAA", name="A").status_code == 401
    assert send(ada, token=token, name="A").status_code == 200
    clock.forward(seconds=61)
    assert send(ada, token=token, name="B").status_code == 401


def test_the_token_of_an_ended_session_is_rejected(ada: Browser) -> None:
    token = token_of(ada)
    ada.post("/client/sessions", "DELETE")
    assert send(ada, token=token, name="A").status_code == 401


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"name": 7}, "name"),
        ({"name": "A", "seconds_until_expiration": 0}, "seconds_until_expiration"),
        ({"name": "A", "seconds_until_expiration": "x"}, "seconds_until_expiration"),
        ({"name": "A", "subject": []}, "subject"),
    ],
)
def test_bad_input_is_refused(ada: Browser, body: dict[str, Any], param: str) -> None:
    assert error_of(send(ada, **body))[2] == param


def test_api_keys_are_unavailable_while_disabled(clerk: LocalClerk, ada: Browser) -> None:
    clerk.source.replace({})
    assert error_of(listed(ada))[:2] == (403, "feature_not_enabled")
