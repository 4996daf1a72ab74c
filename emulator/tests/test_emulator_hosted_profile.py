"""The hosted pages of an account and of an organization."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import EmailAddress, OrganizationMembership, Session
from clerk_emulator.testing import PASSWORD, Browser, ManualClock
from clerk_emulator.users import CODE

from .hosted_forms import HEADERS, at, follow, open_page, send, sign_up


@pytest.fixture
def visitor(browser: Browser) -> FlaskClient:
    """Grace's browser, without Clerk.js."""
    sign_up(browser.http)
    return browser.http


@pytest.fixture
def eve(emulator: Flask, visitor: FlaskClient) -> FlaskClient:
    """Another user's browser."""
    other = emulator.test_client()
    sign_up(other, "eve@example.com")
    return other


def act(visitor: FlaskClient, action: str, page: str = "/user", **form: str) -> TestResponse:
    return follow(visitor, send(visitor, open_page(visitor, page), action, **form))


def forge(visitor: FlaskClient, action: str, page: str = "/user", **form: str) -> TestResponse:
    """Send a form that isn't on the page, with the page's token."""
    token = re.search(r'csrf_token" value="(\w+)"', open_page(visitor, page).text)
    assert token is not None
    data = {"csrf_token": token[1]} | form
    return follow(visitor, visitor.post(action, data=data, headers=HEADERS))


def address_of(clerk: LocalClerk, address: str) -> EmailAddress | None:
    return clerk.store.first(EmailAddress, email_address=address)


def test_an_address_is_added_verified_made_primary_and_removed(
    visitor: FlaskClient, clerk: LocalClerk
) -> None:
    page = act(visitor, "/user/email_addresses", email_address="second@example.com")
    added = address_of(clerk, "second@example.com")
    assert added is not None
    base = f"/user/email_addresses/{added.id}"
    page = send(visitor, page, f"{base}/code", code="1")
    assert 'id="code-error"' in page.text
    page = follow(visitor, send(visitor, page, f"{base}/code", code=CODE))
    assert at(page) == "/user"
    first = address_of(clerk, "grace@example.com")
    assert first is not None
    act(visitor, f"{base}/primary")
    act(visitor, f"/user/email_addresses/{first.id}/remove")
    assert address_of(clerk, "grace@example.com") is None


def test_a_taken_address_is_reported_next_to_the_field(
    visitor: FlaskClient, eve: FlaskClient
) -> None:
    page = act(visitor, "/user/email_addresses", email_address="eve@example.com")
    assert 'id="email_address-error"' in page.text


@pytest.mark.parametrize("action", ["verify", "primary", "remove", "code"])
def test_addresses_of_other_users_cannot_be_accessed(
    visitor: FlaskClient, eve: FlaskClient, clerk: LocalClerk, action: str
) -> None:
    theirs = address_of(clerk, "grace@example.com")
    assert theirs is not None
    page = forge(eve, f"/user/email_addresses/{theirs.id}/{action}", code=CODE)
    assert "was not found" in page.text
    assert address_of(clerk, "grace@example.com") == theirs


def test_sessions_of_other_users_cannot_be_accessed(
    visitor: FlaskClient, eve: FlaskClient, clerk: LocalClerk
) -> None:
    theirs = clerk.store.find(Session)[0]
    assert "was not found" in forge(eve, f"/user/sessions/{theirs.id}/revoke").text
    found = clerk.store.get(Session, theirs.id)
    assert found is not None
    assert found.status == "active"


def test_another_browser_is_signed_out(visitor: FlaskClient, emulator: Flask) -> None:
    other = emulator.test_client()
    page = open_page(other, "/sign-in")
    send(other, page, "/sign-in", identifier="grace@example.com", password=PASSWORD)
    page = open_page(visitor, "/user")
    found = re.search(r"/user/sessions/(sess_\w+)/revoke", page.text)
    assert found is not None
    act(visitor, f"/user/sessions/{found[1]}/revoke")
    assert at(open_page(other, "/user")) == "/sign-in"


def test_sensitive_changes_need_reverification_after_a_while(
    visitor: FlaskClient, clock: ManualClock, clerk: LocalClerk
) -> None:
    clock.forward(seconds=601)
    page = act(visitor, "/user/password", new_password="another horse 8")
    assert at(page) == "/confirm"
    wrong = send(visitor, page, "/confirm/first", strategy="password", password="wrong")
    assert 'id="password-error"' in wrong.text
    page = follow(
        visitor, send(visitor, wrong, "/confirm/first", strategy="password", password=PASSWORD)
    )
    assert at(page) == "/user"
    page = act(visitor, "/user/password", new_password="another horse 8")
    assert at(page) == "/user"


def test_a_code_also_reverifies_the_session(visitor: FlaskClient, clock: ManualClock) -> None:
    clock.forward(seconds=601)
    page = act(visitor, "/user/password", new_password="another horse 8")
    page = send(visitor, page, "/confirm/first", strategy="email_code", prepare="1")
    assert page.text.count('name="code"') == 1
    wrong = send(visitor, page, "/confirm/first", strategy="email_code", code="000000")
    assert 'id="code-error"' in wrong.text
    page = send(visitor, wrong, "/confirm/first", strategy="email_code", code=CODE)
    assert "Your identity is verified" in follow(visitor, page).text


def test_all_accounts_of_a_browser_are_signed_out_together(
    visitor: FlaskClient, eve: FlaskClient, clerk: LocalClerk
) -> None:
    clerk.source.replace({"sessions": {"multi_session": True}})
    assert "/user/sign-out/all" not in open_page(visitor, "/user").text
    sign_up(visitor, "second@example.com")
    act(visitor, "/user/sign-out/all")
    assert at(open_page(visitor, "/user")) == "/sign-in"
    assert at(open_page(eve, "/user")) == "/user"


def test_an_account_elsewhere_is_connected_and_disconnected(
    visitor: FlaskClient, clerk: LocalClerk
) -> None:
    clerk.source.replace({"social": {"github": {}}})
    page = act(visitor, "/user/external_accounts", strategy="oauth_github")
    form = {"name": "Grace", "email_address": "g@example.com", "email_verified": "on"}
    page = follow(visitor, send(visitor, page, "/oauth/github", **form))
    found = re.search(r"/user/external_accounts/(eac_\w+)/remove", page.text)
    assert found is not None
    page = act(visitor, f"/user/external_accounts/{found[1]}/remove")
    assert "g@example.com" not in page.text


def test_one_browser_can_have_several_accounts(visitor: FlaskClient, clerk: LocalClerk) -> None:
    clerk.source.replace({"sessions": {"multi_session": True}})
    sign_up(visitor, "second@example.com")
    page = open_page(visitor, "/user")
    found = re.search(r"/user/accounts/(sess_\w+)/switch", page.text)
    assert found is not None
    page = act(visitor, f"/user/accounts/{found[1]}/switch")
    assert "grace@example.com <small>active</small>" in page.text


def test_the_account_of_another_browser_cannot_be_switched_to(
    visitor: FlaskClient, eve: FlaskClient, clerk: LocalClerk
) -> None:
    theirs = clerk.store.find(Session)[0]
    page = forge(eve, f"/user/accounts/{theirs.id}/switch")
    assert "grace@example.com" not in page.text


@pytest.fixture
def acme(visitor: FlaskClient, clerk: LocalClerk) -> FlaskClient:
    """Grace's browser, with her organization as the active one."""
    clerk.source.replace({"organizations": {"enabled": True}})
    act(visitor, "/create-organization", "/create-organization", name="Acme")
    return visitor


def test_an_organization_is_renamed_and_members_are_invited(acme: FlaskClient) -> None:
    page = act(acme, "/organization/name", "/organization", name="Acme Inc")
    assert "Acme Inc" in page.text
    invitation = {"email_address": "bob@example.com", "role": "org:member"}
    page = act(acme, "/organization/invitations", "/organization", **invitation)
    found = re.search(r"/organization/invitations/(\w+)/revoke", page.text)
    assert found is not None
    page = act(acme, f"/organization/invitations/{found[1]}/revoke", "/organization")
    assert "bob@example.com" not in page.text


def test_a_user_switches_to_the_personal_account_and_back(acme: FlaskClient) -> None:
    page = act(acme, "/organization/switch", "/organization", organization_id="")
    assert "/organization/invitations" not in page.text
    found = re.search(r'name="organization_id" value="(org_\w+)"', page.text)
    assert found is not None
    page = act(acme, "/organization/switch", "/organization", organization_id=found[1])
    assert "/organization/invitations" in page.text


def test_organizations_of_other_users_cannot_be_accessed(
    acme: FlaskClient, eve: FlaskClient, clerk: LocalClerk
) -> None:
    (membership,) = clerk.store.find(OrganizationMembership)
    page = forge(eve, "/organization/switch", organization_id=membership.organization_id)
    assert 'role="alert"' in page.text
    assert "Acme" not in open_page(eve, "/organization").text.replace(
        'class="app">Acme', ""
    ).replace("· Acme", "")
    for action in ("name", "leave", f"memberships/{membership.user_id}/remove"):
        forge(eve, f"/organization/{action}", name="Mine")
    assert clerk.store.find(OrganizationMembership) == [membership]


def test_without_organizations_the_pages_say_so(visitor: FlaskClient) -> None:
    for path in ("/organization", "/create-organization"):
        assert "not enabled" in open_page(visitor, path).text
