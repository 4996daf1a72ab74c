"""The instance in the Backend API: settings, lists, tickets, rate limits."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import Message
from clerk_emulator.testing import Backend, Browser, ManualClock, error_of


def invite(backend: Backend, **more: Any) -> Any:
    body = {"email_address": "new@example.com"} | more
    return backend.send("POST", "/invitations", **body)


def test_an_invitation_is_in_the_inbox(backend: Backend, clerk: LocalClerk) -> None:
    made = invite(backend, redirect_url="http://localhost:5000/join").get_json()
    (message,) = clerk.store.find(Message, to="new@example.com")
    assert (made["status"], message.link) == ("pending", made["url"])


def test_an_invitation_can_be_sent_without_a_message(backend: Backend, clerk: LocalClerk) -> None:
    invite(backend, notify=False)
    assert clerk.store.find(Message) == []


def test_the_link_redirects_with_the_ticket(backend: Backend, browser: Browser) -> None:
    url = invite(backend, redirect_url="http://localhost:5000/join?a=b").get_json()["url"]
    answer = browser.http.get(url.removeprefix("http://127.0.0.1:5001"))
    ticket = url.partition("ticket=")[2]
    wanted = f"http://localhost:5000/join?a=b&__clerk_ticket={ticket}&__clerk_status=sign_up"
    assert answer.headers["Location"] == wanted
    assert browser.get("/tickets/accept", ticket="guess").status_code == 400


def test_duplicate_invitations_need_an_option(backend: Backend, ada: Browser) -> None:
    invite(backend)
    assert error_of(invite(backend))[:2] == (400, "duplicate_record")
    assert invite(backend, ignore_existing=True).status_code == 200
    assert error_of(invite(backend, email_address="ada@example.com"))[0] == 422


def test_invitations_are_listed_revoked_and_expire(backend: Backend, clock: ManualClock) -> None:
    made = invite(backend, expires_in_days=1).get_json()
    path = f"/invitations/{made['id']}/revoke"
    assert backend.send("POST", path).get_json()["revoked"] is True
    assert error_of(backend.send("POST", path))[0] == 400
    invite(backend, email_address="late@example.com", expires_in_days=1)
    clock.forward(seconds=24 * 3600)
    states = [one["status"] for one in backend.get("/invitations").get_json()]
    assert states == ["expired", "revoked"]
    listed = backend.get("/invitations", status="expired", paginated="true").get_json()
    assert listed["total_count"] == 1


def test_a_bulk_invitation_is_all_or_nothing(backend: Backend, emulator: Flask) -> None:
    headers = {"Authorization": "Bearer sk_test_example"}
    people = [{"email_address": f"{name}@example.com"} for name in ("a", "b", "a")]
    for bodies, status, number in ((people, 400, 0), (people[:2], 200, 2)):
        answer = emulator.test_client().post(
            "/api/v1/invitations/bulk", json=bodies, headers=headers
        )
        assert answer.status_code == status
        assert len(backend.get("/invitations").get_json()) == number


def test_sign_in_tokens_are_made_and_revoked(backend: Backend, ada: Browser) -> None:
    user_id = ada.session()["user"]["id"]
    made = backend.send("POST", "/sign_in_tokens", user_id=user_id).get_json()
    assert made["token"] in made["url"]
    revoked = backend.send("POST", f"/sign_in_tokens/{made['id']}/revoke").get_json()
    assert revoked["status"] == "revoked"
    assert "token" not in revoked
    assert error_of(backend.send("POST", f"/sign_in_tokens/{made['id']}/revoke"))[0] == 400


def test_actor_tokens_name_the_impersonator(backend: Backend, ada: Browser) -> None:
    user_id = ada.session()["user"]["id"]
    body = {"user_id": user_id, "actor": {"sub": "user_support"}}
    made = backend.send("POST", "/actor_tokens", **body).get_json()
    assert (made["object"], made["actor"]) == ("actor_token", {"sub": "user_support"})
    assert error_of(backend.send("POST", f"/sign_in_tokens/{made['id']}/revoke"))[0] == 404
    for actor in ({}, {"sub": user_id}, {"sub": 1}):
        answer = backend.send("POST", "/actor_tokens", user_id=user_id, actor=actor)
        assert error_of(answer)[0] == 422


def test_testing_tokens_pass_bot_protection_for_an_hour(
    backend: Backend, browser: Browser, clerk: LocalClerk, clock: ManualClock
) -> None:
    clerk.source.replace({"sign_up": {"captcha_enabled": True}})
    token = backend.send("POST", "/testing_tokens").get_json()["token"]
    seen = browser.get("/client", __clerk_testing_token=token).get_json()["response"]
    assert (seen["captcha_bypass"], browser.client()["captcha_bypass"]) == (True, False)
    clock.forward(seconds=3600)
    for useless in ("guess", "", token):
        seen = browser.get("/client", __clerk_testing_token=useless).get_json()["response"]
        assert seen["captcha_bypass"] is False


def test_calls_can_be_throttled(backend: Backend, emulator: Flask) -> None:
    backend.send("PUT", "/emulator/throttle", requests=2, retry_after=7)
    assert emulator.test_client().get("/api/v1/users").status_code == 401
    for _ in range(2):
        answer = backend.get("/users")
        assert error_of(answer)[:2] == (429, "too_many_requests")
        assert answer.headers["Retry-After"] == "7"
    assert backend.get("/users").status_code == 200


def test_settings_are_read_and_changed(backend: Backend, clerk: LocalClerk) -> None:
    changes = {"enabled": True, "max_allowed_memberships": 9, "slug_disabled": True}
    answer = backend.send("PATCH", "/instance/organization_settings", **changes).get_json()
    assert {name: answer[name] for name in changes} == changes
    assert clerk.settings.organizations.max_allowed_memberships == 9
    assert backend.send("PATCH", "/instance", support_email="a@b.example").status_code == 204
    assert clerk.settings.application.support_email == "a@b.example"
    answer = backend.send("PATCH", "/instance/restrictions", allowlist=True).get_json()
    assert (answer["allowlist"], answer["blocklist"]) == (True, False)
    answer = backend.send("PATCH", "/instance/restrictions", allowlist="yes")
    assert error_of(answer)[0] == 422
    assert backend.get("/instance").get_json()["environment_type"] == "development"


def test_jwt_templates_are_managed(backend: Backend, clerk: LocalClerk) -> None:
    body = {"name": "hasura", "claims": {"a": {"b": 1}}, "lifetime": 90}
    made = backend.send("POST", "/jwt_templates", **body).get_json()
    path = f"/jwt_templates/{made['id']}"
    assert error_of(backend.send("POST", "/jwt_templates", **body))[1] == "duplicate_record"
    changed = backend.send("PATCH", path, claims={"c": None}).get_json()
    assert (changed["lifetime"], backend.get(path).get_json()) == (90, changed)
    (listed,) = backend.get("/jwt_templates").get_json()
    assert listed == changed
    assert error_of(backend.send("PATCH", path, claims={"sub": "me"}))[0] == 422
    assert backend.send("DELETE", path).get_json()["deleted"] is True
    assert clerk.settings.jwt_templates == {}


@pytest.mark.parametrize("kind", ["allowlist", "blocklist"])
def test_identifiers_are_listed(backend: Backend, kind: str) -> None:
    path = f"/{kind}_identifiers"
    made = backend.send("POST", path, identifier="*@Example.com").get_json()
    assert (made["identifier"], made["object"]) == ("*@example.com", f"{kind}_identifier")
    assert error_of(backend.send("POST", path, identifier="*@example.com"))[0] == 400
    assert error_of(backend.send("POST", path, identifier="nonsense"))[0] == 422
    other = {"allowlist": "/blocklist_identifiers", "blocklist": "/allowlist_identifiers"}[kind]
    assert backend.send("DELETE", f"{other}/{made['id']}").status_code == 404
    assert backend.send("DELETE", f"{path}/{made['id']}").get_json()["deleted"] is True


def test_redirect_urls_and_domains_are_listed(backend: Backend) -> None:
    made = backend.send("POST", "/redirect_urls", url="myapp://back").get_json()
    assert backend.get("/redirect_urls").get_json() == [made]
    assert error_of(backend.send("POST", "/redirect_urls", url="javascript://x"))[0] == 422
    backend.send("DELETE", f"/redirect_urls/{made['id']}")
    assert backend.get("/redirect_urls").get_json() == []
    satellite = backend.send("POST", "/domains", name="other.example").get_json()
    assert [d["is_satellite"] for d in backend.get("/domains").get_json()["data"]] == [False, True]
    backend.send("DELETE", f"/domains/{satellite['id']}")
    assert backend.get("/domains").get_json()["total_count"] == 1


def test_users_are_invited_from_the_waitlist(backend: Backend, clerk: LocalClerk) -> None:
    path = "/waitlist_entries"
    made = backend.send("POST", path, email_address="new@example.com").get_json()
    invited = backend.send("POST", f"{path}/{made['id']}/invite").get_json()
    assert (invited["status"], invited["invitation"]["status"]) == ("invited", "pending")
    assert error_of(backend.send("POST", f"{path}/{made['id']}/reject"))[0] == 400
    assert backend.get(path, status="pending").get_json()["total_count"] == 0
    backend.send("DELETE", f"{path}/{made['id']}")
    assert backend.get(path).get_json() == {"data": [], "total_count": 0}
