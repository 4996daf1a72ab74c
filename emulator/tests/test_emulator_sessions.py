"""The life of a session: several in a browser, tasks, time, impersonation."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from flask import Flask

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import Organization, OrganizationMembership, PhoneNumber, User
from clerk_emulator.sessions import Visitor, client_of, start_session
from clerk_emulator.testing import Backend, Browser, ManualClock, error_of

DAY = 24 * 3600
FORCED = {"organizations": {"enabled": True, "force_organization_selection": True}}
MULTI = {"sessions": {"multi_session": True}}


@pytest.fixture
def stranger(emulator: Flask) -> Browser:
    """A second browser."""
    return Browser(emulator)


@pytest.fixture
def both(ada: Browser, clerk: LocalClerk, clock: ManualClock) -> Browser:
    """A browser in which first Ada and then Grace have signed in."""
    clerk.source.replace(MULTI)
    clock.forward(seconds=1)
    path = f"/client/sign_ups/{ada.begin_sign_up('grace@example.com')['id']}"
    ada.post(f"{path}/prepare_verification", strategy="email_code")
    ada.post(f"{path}/attempt_verification", strategy="email_code", code="424242")
    return ada


def claims(browser: Browser, **form: str) -> dict[str, Any]:
    """The claims of a fresh token of the active session."""
    client = browser.client()
    id = client["last_active_session_id"] or client["sessions"][0]["id"]
    answer = browser.post(f"/client/sessions/{id}/tokens", **form)
    assert answer.status_code == 200, answer.text
    return jwt.decode(answer.get_json()["jwt"], options={"verify_signature": False})


def organization_of(clerk: LocalClerk, user_id: str, slug: str = "acme") -> Organization:
    now = clerk.now
    organization = Organization(f"org_{slug}", now, now, slug.title(), slug)
    clerk.store.put(organization)
    clerk.store.put(
        OrganizationMembership(
            f"orgmem_{slug}", now, now, organization.id, user_id, role="org:admin"
        )
    )
    return organization


def change_user(clerk: LocalClerk, browser: Browser, **changes: Any) -> None:
    user = clerk.store.get(User, browser.session()["user"]["id"])
    assert user is not None
    for name, value in changes.items():
        setattr(user, name, value)
    clerk.store.put(user)


def task_keys(browser: Browser) -> list[str]:
    return [task["key"] for task in browser.session()["tasks"] or []]


def test_a_browser_may_have_several_sessions(both: Browser) -> None:
    client = both.client()
    ada, grace = client["sessions"]
    assert client["last_active_session_id"] == grace["id"]
    assert ada["user"]["id"] != grace["user"]["id"]
    both.post(f"/client/sessions/{ada['id']}/touch", active_organization_id="")
    assert both.client()["last_active_session_id"] == ada["id"]
    assert claims(both)["sub"] == ada["user"]["id"]


def test_signing_out_of_one_keeps_the_other(both: Browser) -> None:
    ada, grace = both.client()["sessions"]
    both.post(f"/client/sessions/{grace['id']}/remove")
    client = both.client()
    assert [session["id"] for session in client["sessions"]] == [ada["id"]]
    assert client["last_active_session_id"] is None
    refused = both.post(f"/client/sessions/{grace['id']}/tokens")
    assert error_of(refused)[:2] == (401, "authentication_invalid")


def test_signing_out_of_all(both: Browser) -> None:
    both.post("/client/sessions", "DELETE")
    assert both.client()["sessions"] == []


def test_the_same_user_cannot_sign_in_twice(both: Browser) -> None:
    answer = both.sign_in("ada@example.com")
    assert error_of(answer)[:2] == (400, "identifier_already_signed_in")
    (error,) = answer.get_json()["errors"]
    assert error["meta"]["session_id"] == both.client()["sessions"][0]["id"]


def test_a_signed_in_user_is_not_asked_for_a_password(both: Browser) -> None:
    answer = both.post("/client/sign_ins", identifier="ada@example.com")
    assert error_of(answer)[:2] == (400, "identifier_already_signed_in")
    assert error_of(both.post("/client/sign_ins", identifier="eve@example.com"))[0] == 422


def active_organization(browser: Browser) -> str | None:
    found: str | None = browser.session()["last_active_organization_id"]
    return found


@pytest.mark.parametrize("chosen", ["org_acme", ""])
def test_a_new_session_starts_in_the_last_active_organization(
    ada: Browser, stranger: Browser, clerk: LocalClerk, chosen: str
) -> None:
    clerk.source.replace({"organizations": {"enabled": True}})
    session = ada.session()
    organization_of(clerk, session["user"]["id"])
    ada.post(f"/client/sessions/{session['id']}/touch", active_organization_id=chosen)
    stranger.sign_in("ada@example.com")
    assert active_organization(stranger) == (chosen or None)


def test_a_new_members_next_session_starts_in_the_organization(
    ada: Browser, stranger: Browser, clerk: LocalClerk, backend: Backend
) -> None:
    clerk.source.replace(FORCED)
    ids = [backend.send("POST", "/organizations", name=name).get_json()["id"] for name in "AB"]
    member = {"user_id": ada.session()["user"]["id"], "role": "org:member"}
    for id in ids:
        backend.send("POST", f"/organizations/{id}/memberships", **member)
    assert active_organization(ada) is None
    stranger.sign_in("ada@example.com")
    assert active_organization(stranger) == ids[1]
    assert stranger.session()["status"] == "active"


def test_no_session_starts_in_an_organization_the_user_has_left(
    ada: Browser, stranger: Browser, clerk: LocalClerk, backend: Backend
) -> None:
    clerk.source.replace(FORCED)
    id = ada.session()["user"]["id"]
    made = backend.send("POST", "/organizations", name="A", created_by=id).get_json()["id"]
    backend.send("DELETE", f"/organizations/{made}")
    stranger.sign_in("ada@example.com")
    assert active_organization(stranger) is None
    assert task_keys(stranger) == ["choose-organization"]


@pytest.mark.parametrize("action", ["touch", "tokens", "end", "remove"])
def test_sessions_of_other_browsers_cannot_be_accessed(
    ada: Browser, stranger: Browser, action: str
) -> None:
    id = ada.session()["id"]
    assert error_of(stranger.post(f"/client/sessions/{id}/{action}"))[0] == 401
    assert ada.session()["status"] == "active"
    assert stranger.client()["last_active_session_id"] is None


@pytest.mark.parametrize("action", ["touch", "tokens", "tokens/any", "end"])
def test_an_ended_session_cannot_be_used(ada: Browser, action: str) -> None:
    id = ada.session()["id"]
    ada.post(f"/client/sessions/{id}/end")
    assert error_of(ada.post(f"/client/sessions/{id}/{action}"))[0] == 401


@pytest.mark.parametrize(
    ("rules", "seconds", "status"),
    [
        ({"lifetime_seconds": 600}, 600, "expired"),
        ({"inactivity_timeout_seconds": 300}, 300, "abandoned"),
        ({"inactivity_timeout_seconds": 300}, 299, "active"),
    ],
)
def test_a_session_expires(
    browser: Browser,
    backend: Backend,
    clerk: LocalClerk,
    clock: ManualClock,
    rules: dict[str, int],
    seconds: int,
    status: str,
) -> None:
    clerk.source.replace({"sessions": rules})
    id = browser.sign_up("ada@example.com")["id"]
    clock.forward(seconds=seconds)
    assert len(browser.client()["sessions"]) == (status == "active")
    assert backend.get(f"/sessions/{id}").get_json()["status"] == status


def test_using_a_session_keeps_it_active(
    browser: Browser, clerk: LocalClerk, clock: ManualClock
) -> None:
    clerk.source.replace({"sessions": {"inactivity_timeout_seconds": 300}})
    browser.sign_up("ada@example.com")
    for _ in range(3):
        clock.forward(seconds=200)
        assert claims(browser)["sts"] == "active"


def test_the_lifetime_of_tokens_is_a_setting(ada: Browser, clerk: LocalClerk) -> None:
    clerk.source.replace({"sessions": {"token_seconds": 300}})
    found = claims(ada)
    assert found["exp"] - found["iat"] == 300


def test_an_organization_must_be_chosen_first(ada: Browser, clerk: LocalClerk) -> None:
    clerk.source.replace(FORCED)
    session = ada.session()
    assert (session["status"], session["tasks"]) == ("pending", [{"key": "choose-organization"}])
    assert claims(ada)["sts"] == "pending"
    organization = organization_of(clerk, session["user"]["id"])
    touch = f"/client/sessions/{session['id']}/touch"
    ada.post(touch, active_organization_id=organization.id)
    assert (ada.session()["status"], ada.session()["tasks"]) == ("active", None)
    found = claims(ada)
    assert (found["sts"], found["o"]["id"]) == ("active", organization.id)


def test_leaving_the_organization_restores_the_task(ada: Browser, clerk: LocalClerk) -> None:
    clerk.source.replace(FORCED)
    session = ada.session()
    organization = organization_of(clerk, session["user"]["id"])
    touch = f"/client/sessions/{session['id']}/touch"
    ada.post(touch, active_organization_id=organization.id)
    ada.post(touch, active_organization_id="")
    assert ada.session()["status"] == "pending"


def test_a_compromised_password_must_be_replaced(ada: Browser, clerk: LocalClerk) -> None:
    change_user(clerk, ada, password_compromised=True)
    assert task_keys(ada) == ["reset-password"]
    ada.post("/me/change_password", new_password="another horse 8")
    assert ada.session()["status"] == "active"


def test_a_second_factor_must_be_set_up(ada: Browser, clerk: LocalClerk) -> None:
    clerk.source.replace({"sign_in": {"second_factor_required": True}})
    assert task_keys(ada) == ["setup-mfa"]
    change_user(clerk, ada, totp_verified=True)
    assert task_keys(ada) == []


@pytest.mark.parametrize(("verified", "reserved"), [(True, False), (False, True)])
def test_an_ordinary_phone_number_is_not_a_second_factor(
    ada: Browser, clerk: LocalClerk, verified: bool, reserved: bool
) -> None:
    clerk.source.replace({"sign_in": {"second_factor_required": True}})
    user_id = ada.session()["user"]["id"]
    phone = PhoneNumber(
        "idn_1", 1, 1, user_id, "+15555550100", verified, reserved_for_second_factor=reserved
    )
    clerk.store.put(phone)
    assert task_keys(ada) == ["setup-mfa"]


def test_tasks_are_in_clerks_order(ada: Browser, clerk: LocalClerk) -> None:
    clerk.source.replace(FORCED | {"sign_in": {"second_factor_required": True}})
    change_user(clerk, ada, password_compromised=True)
    assert task_keys(ada) == ["reset-password", "setup-mfa", "choose-organization"]


def test_only_the_users_own_organizations_can_be_made_active(
    ada: Browser, stranger: Browser, clerk: LocalClerk
) -> None:
    clerk.source.replace({"organizations": {"enabled": True}})
    stranger.sign_up("eve@example.com")
    theirs = organization_of(clerk, stranger.session()["user"]["id"])
    path = f"/client/sessions/{ada.session()['id']}"
    for id in (theirs.id, "org_nobody", theirs.slug):
        touch = ada.post(f"{path}/touch", active_organization_id=id)
        token = ada.post(f"{path}/tokens", organization_id=id)
        for refused in (touch, token):
            assert error_of(refused)[:2] == (404, "organization_not_found_or_unauthorized")
    assert ada.session()["last_active_organization_id"] is None


def test_a_token_for_another_organization_keeps_the_active_one(
    ada: Browser, clerk: LocalClerk
) -> None:
    clerk.source.replace({"organizations": {"enabled": True}})
    session = ada.session()
    one = organization_of(clerk, session["user"]["id"], "one")
    two = organization_of(clerk, session["user"]["id"], "two")
    ada.post(f"/client/sessions/{session['id']}/touch", active_organization_id=one.id)
    assert claims(ada, organization_id=two.id)["o"]["slg"] == "two"
    assert "o" not in claims(ada, organization_id="")
    assert claims(ada)["o"]["slg"] == "one"
    assert ada.session()["last_active_organization_id"] == one.id


def impersonate(clerk: LocalClerk, ada: Browser, browser: Browser, **more: Any) -> None:
    user = clerk.store.get(User, ada.session()["user"]["id"])
    client = client_of(clerk, browser.dev_browser)
    assert user is not None
    assert client is not None
    start_session(clerk, client, user, "ticket", Visitor("", ""), **more)


def test_the_impersonator_is_named(ada: Browser, stranger: Browser, clerk: LocalClerk) -> None:
    change_user(clerk, ada, password_compromised=True)
    impersonate(clerk, ada, stranger, actor={"sub": "user_support"})
    assert stranger.session()["actor"] == {"sub": "user_support"}
    assert stranger.session()["status"] == "active"
    assert claims(stranger)["act"] == {"sub": "user_support"}
    assert "act" not in claims(ada)


def test_the_token_has_the_age_of_the_second_factor(
    ada: Browser, stranger: Browser, clerk: LocalClerk, clock: ManualClock
) -> None:
    impersonate(clerk, ada, stranger, second_factor=True, lifetime_seconds=900)
    clock.forward(seconds=130)
    assert claims(stranger)["fva"] == [2, 2]
    assert stranger.session()["factor_verification_age"] == [2, 2]
    clock.forward(seconds=800)
    assert stranger.client()["sessions"] == []


def test_billing_puts_the_default_plan_into_the_token(ada: Browser, clerk: LocalClerk) -> None:
    plan = {"slug": "free", "is_default": True, "features": ["search", "export"]}
    clerk.source.replace({"billing": {"enabled": True, "plans": [plan]}})
    found = claims(ada)
    assert (found["pla"], found["fea"]) == ("u:free", "u:search,u:export")
