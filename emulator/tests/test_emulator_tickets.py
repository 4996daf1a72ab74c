"""Tickets: invitations, sign-in tokens, actor tokens; instances with restricted sign-up."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import (
    Invitation,
    Organization,
    OrganizationInvitation,
    OrganizationMembership,
    SignInToken,
    WaitlistEntry,
)
from clerk_emulator.testing import PASSWORD, Browser, ManualClock, error_of

RESTRICTED = {"sign_up": {"mode": "restricted"}}
WAITLIST = {"sign_up": {"mode": "waitlist"}}


def invite(clerk: LocalClerk, **more: Any) -> Invitation:
    invitation = Invitation("inv_1", clerk.now, clerk.now, "eve@example.com", **more)
    invitation.ticket = "ticket_1"
    clerk.store.put(invitation)
    return invitation


def sign_up(browser: Browser, ticket: str = "ticket_1", **form: str) -> Any:
    form = {"password": PASSWORD, "strategy": "ticket", "ticket": ticket} | form
    return browser.post("/client/sign_ups", **form)


def test_an_invitation_verifies_the_address(browser: Browser, clerk: LocalClerk) -> None:
    clerk.source.replace(RESTRICTED)
    invite(clerk, public_metadata={"beta": True})
    done = sign_up(browser).get_json()["response"]
    user = browser.session()["user"]
    assert done["status"] == "complete"
    assert user["email_addresses"][0]["email_address"] == "eve@example.com"
    assert user["email_addresses"][0]["verification"]["status"] == "verified"
    assert user["email_addresses"][0]["verification"]["strategy"] == "ticket"
    assert user["public_metadata"] == {"beta": True}
    accepted = clerk.store.get(Invitation, "inv_1")
    assert accepted is not None
    assert accepted.status == "accepted"


def test_missing_fields_can_be_added_later(browser: Browser, clerk: LocalClerk) -> None:
    clerk.source.replace(RESTRICTED)
    invite(clerk)
    form = {"strategy": "ticket", "ticket": "ticket_1"}
    begun = browser.post("/client/sign_ups", **form).get_json()["response"]
    assert (begun["missing_fields"], begun["unverified_fields"]) == (["password"], [])
    browser.post(f"/client/sign_ups/{begun['id']}", "PATCH", password=PASSWORD)
    assert len(browser.client()["sessions"]) == 1


def test_an_invitation_is_for_one_address(browser: Browser, clerk: LocalClerk) -> None:
    invite(clerk)
    answer = sign_up(browser, email_address="mallory@example.com")
    assert error_of(answer) == (422, "form_param_value_invalid", "email_address")


def test_the_address_cannot_be_changed_later(browser: Browser, clerk: LocalClerk) -> None:
    invite(clerk)
    form = {"strategy": "ticket", "ticket": "ticket_1"}
    begun = browser.post("/client/sign_ups", **form).get_json()["response"]
    path = f"/client/sign_ups/{begun['id']}"
    answer = browser.post(path, "PATCH", email_address="mallory@example.com", password=PASSWORD)
    assert error_of(answer)[2] == "email_address"
    assert browser.client()["sessions"] == []


def test_an_invitation_works_once(emulator: Flask, browser: Browser, clerk: LocalClerk) -> None:
    invite(clerk)
    sign_up(browser)
    assert error_of(sign_up(Browser(emulator)))[:2] == (400, "invitation_already_accepted")


def test_an_invitation_revoked_during_sign_up_is_rejected(
    browser: Browser, clerk: LocalClerk
) -> None:
    invitation = invite(clerk)
    form = {"strategy": "ticket", "ticket": "ticket_1"}
    begun = browser.post("/client/sign_ups", **form).get_json()["response"]
    invitation.status = "revoked"
    clerk.store.put(invitation)
    answer = browser.post(f"/client/sign_ups/{begun['id']}", "PATCH", password=PASSWORD)
    assert error_of(answer)[:2] == (400, "revoked_invitation")
    assert browser.client()["sessions"] == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"status": "revoked"}, "revoked_invitation"),
        ({"status": "accepted"}, "invitation_already_accepted"),
        ({"expires_at": 1}, "ticket_expired_code"),
    ],
)
def test_invitations_expire(
    browser: Browser, clerk: LocalClerk, change: dict[str, Any], code: str
) -> None:
    invite(clerk, **change)
    assert error_of(sign_up(browser))[:2] == (400, code)


@pytest.mark.parametrize("ticket", ["", "unknown"])
def test_an_unknown_ticket_is_rejected(browser: Browser, ticket: str) -> None:
    assert error_of(sign_up(browser, ticket))[:2] == (400, "ticket_invalid_code")
    answer = browser.post("/client/sign_ins", strategy="ticket", ticket=ticket)
    assert error_of(answer)[:2] == (400, "ticket_invalid_code")


@pytest.mark.parametrize(
    ("mode", "code"),
    [("restricted", "sign_up_mode_restricted"), ("waitlist", "sign_up_restricted_waitlist")],
)
def test_restricted_instances_reject_sign_ups(
    browser: Browser, clerk: LocalClerk, mode: str, code: str
) -> None:
    clerk.source.replace({"sign_up": {"mode": mode}})
    form = {"email_address": "eve@example.com", "password": PASSWORD}
    assert error_of(browser.post("/client/sign_ups", **form))[1] == code
    assert browser.client()["sign_up"] is None


def test_a_sign_up_that_began_earlier_cannot_be_finished(
    browser: Browser, clerk: LocalClerk
) -> None:
    path = f"/client/sign_ups/{browser.begin_sign_up('eve@example.com')['id']}"
    browser.post(f"{path}/prepare_verification", strategy="email_code")
    clerk.source.replace(RESTRICTED)
    answer = browser.post(f"{path}/attempt_verification", strategy="email_code", code="424242")
    assert error_of(answer)[1] == "sign_up_mode_restricted"


def test_users_can_join_the_waitlist(browser: Browser, clerk: LocalClerk) -> None:
    clerk.source.replace(WAITLIST)
    first = browser.post("/waitlist", email_address="Eve@example.com").get_json()
    again = browser.post("/waitlist", email_address="eve@example.com").get_json()
    assert first["object"] == "waitlist"
    assert first["id"] == again["id"]
    assert clerk.store.count(WaitlistEntry, email_address="eve@example.com") == 1


@pytest.mark.usefixtures("ada")
def test_the_waitlist_does_not_reveal_who_has_an_account(
    browser: Browser, clerk: LocalClerk
) -> None:
    clerk.source.replace(WAITLIST)
    known = browser.post("/waitlist", email_address="ada@example.com")
    unknown = browser.post("/waitlist", email_address="eve@example.com")
    assert (known.status_code, unknown.status_code) == (200, 200)
    assert known.get_json().keys() == unknown.get_json().keys()


def test_an_invited_user_leaves_the_waitlist(browser: Browser, clerk: LocalClerk) -> None:
    clerk.source.replace(WAITLIST)
    browser.post("/waitlist", email_address="eve@example.com")
    invite(clerk)
    sign_up(browser)
    (entry,) = clerk.store.find(WaitlistEntry)
    assert entry.status == "completed"


@pytest.mark.parametrize(
    ("address", "code"),
    [("", "form_param_nil"), ("x", "form_param_format_invalid")],
)
def test_only_email_addresses_can_join_the_waitlist(
    browser: Browser, clerk: LocalClerk, address: str, code: str
) -> None:
    clerk.source.replace(WAITLIST)
    assert error_of(browser.post("/waitlist", email_address=address))[1] == code


def test_there_is_no_waitlist_by_default(browser: Browser) -> None:
    answer = browser.post("/waitlist", email_address="eve@example.com")
    assert error_of(answer)[:2] == (403, "feature_not_enabled")


@pytest.fixture
def token(ada: Browser, clerk: LocalClerk) -> SignInToken:
    """A sign-in token for Ada."""
    user_id = ada.session()["user"]["id"]
    token = SignInToken("sit_1", clerk.now, clerk.now, user_id, clerk.now + 60_000)
    token.ticket = "ticket_2"
    clerk.store.put(token)
    return token


@pytest.fixture
def stranger(emulator: Flask, token: SignInToken) -> Browser:
    """A browser in which Ada is not signed in."""
    return Browser(emulator)


def sign_in(browser: Browser, ticket: str = "ticket_2") -> Any:
    return browser.post("/client/sign_ins", strategy="ticket", ticket=ticket)


def test_a_sign_in_token_is_enough(stranger: Browser, token: SignInToken) -> None:
    assert sign_in(stranger).get_json()["response"]["status"] == "complete"
    assert stranger.session()["user"]["id"] == token.user_id
    assert stranger.client()["last_authentication_strategy"] == "ticket"


def test_a_sign_in_token_works_once(emulator: Flask, stranger: Browser) -> None:
    sign_in(stranger)
    thief = Browser(emulator)
    assert error_of(sign_in(thief))[:2] == (400, "sign_in_token_already_used_code")
    assert thief.client()["sessions"] == []


def test_a_sign_in_token_expires(stranger: Browser, clock: ManualClock) -> None:
    clock.forward(seconds=60)
    assert error_of(sign_in(stranger))[:2] == (400, "ticket_expired_code")


def test_a_revoked_sign_in_token_is_rejected(
    stranger: Browser, token: SignInToken, clerk: LocalClerk
) -> None:
    token.status = "revoked"
    clerk.store.put(token)
    assert error_of(sign_in(stranger))[:2] == (400, "sign_in_token_revoked_code")


def test_a_sign_in_token_does_not_sign_up(stranger: Browser) -> None:
    assert error_of(sign_up(stranger, "ticket_2"))[1] == "ticket_invalid_code"


def test_an_actor_token_names_the_impersonator(
    stranger: Browser, token: SignInToken, clerk: LocalClerk, clock: ManualClock
) -> None:
    token.actor = {"sub": "user_support"}
    token.session_max_duration_in_seconds = 600
    clerk.store.put(token)
    sign_in(stranger)
    session = stranger.session()
    assert session["actor"] == {"sub": "user_support"}
    assert session["expire_at"] == clerk.now + 600_000
    clock.forward(seconds=600)
    assert stranger.client()["sessions"] == []


def invite_into_organization(clerk: LocalClerk, address: str) -> None:
    clerk.source.replace({"organizations": {"enabled": True}})
    now = clerk.now
    clerk.store.put(Organization("org_1", now, now, "Analytical Engines", "engines"))
    invitation = OrganizationInvitation("orginv_1", now, now, "org_1", address, "org:member")
    invitation.ticket = "ticket_3"
    clerk.store.put(invitation)


def test_an_invited_user_signs_up_and_joins_the_organization(
    browser: Browser, clerk: LocalClerk
) -> None:
    invite_into_organization(clerk, "eve@example.com")
    sign_up(browser, "ticket_3")
    session = browser.session()
    assert session["last_active_organization_id"] == "org_1"
    membership = clerk.store.first(OrganizationMembership, organization_id="org_1")
    assert membership is not None
    assert membership.user_id == session["user"]["id"]


def test_an_existing_user_signs_in_and_joins_the_organization(
    stranger: Browser, clerk: LocalClerk
) -> None:
    invite_into_organization(clerk, "ada@example.com")
    sign_in(stranger, "ticket_3")
    assert stranger.session()["last_active_organization_id"] == "org_1"


def test_a_user_without_an_account_cannot_sign_in_with_the_invitation(
    browser: Browser, clerk: LocalClerk
) -> None:
    invite_into_organization(clerk, "eve@example.com")
    assert error_of(sign_in(browser, "ticket_3"))[1] == "ticket_invalid_code"
