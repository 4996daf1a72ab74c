"""The hosted pages: tasks before the redirect to the app, and the tokens of forms."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import PhoneNumber, Session, User
from clerk_emulator.testing import Backend, Browser
from clerk_emulator.users import CODE

from .hosted_forms import HEADERS, PROXY, at, follow, open_page, send, sign_up

FORCED = {"organizations": {"enabled": True, "force_organization_selection": True}}
CHOOSE = "/tasks/choose-organization"
MFA = "/tasks/setup-mfa"


@pytest.fixture
def visitor(browser: Browser) -> FlaskClient:
    """A browser with cookies, but without Clerk.js."""
    return browser.http


def known_user(clerk: LocalClerk) -> User:
    (user,) = clerk.store.find(User)
    return user


def test_an_organization_is_created_before_the_redirect_to_the_app(
    visitor: FlaskClient, clerk: LocalClerk
) -> None:
    clerk.source.replace(FORCED)
    page = sign_up(visitor)
    assert at(page) == CHOOSE
    wrong = send(visitor, page, f"{CHOOSE}/create", name=" ")
    assert 'id="name-error"' in wrong.text
    home = follow(visitor, send(visitor, wrong, f"{CHOOSE}/create", name="Acme"))
    assert (home.location or "").startswith("http://localhost:5000/?")
    assert 'aria-current="true">Acme' in open_page(visitor, "/organization").text


def test_an_invitation_or_a_membership_completes_the_task_too(
    visitor: FlaskClient, clerk: LocalClerk, backend: Backend
) -> None:
    clerk.source.replace(FORCED)
    page = sign_up(visitor)
    organization = backend.send("POST", "/organizations", name="Acme").get_json()["id"]
    invited = {"email_address": "grace@example.com", "role": "org:member"}
    invitation = backend.send("POST", f"/organizations/{organization}/invitations", **invited)
    page = open_page(visitor, CHOOSE)
    assert 'role="alert"' in send(visitor, page, f"{CHOOSE}/join", invitation_id="orginv_x").text
    id = invitation.get_json()["id"]
    home = follow(visitor, send(visitor, page, f"{CHOOSE}/join", invitation_id=id))
    assert (home.location or "").startswith("http://localhost:5000/?")

    (session,) = clerk.store.find(Session)
    session.last_active_organization_id = None
    clerk.store.put(session)
    page = open_page(visitor, CHOOSE)
    assert 'role="alert"' in send(visitor, page, f"{CHOOSE}/choose", organization_id="org_x").text
    home = follow(visitor, send(visitor, page, f"{CHOOSE}/choose", organization_id=organization))
    assert (home.location or "").startswith("http://localhost:5000/?")


def test_a_user_with_only_a_suggestion_has_to_wait(
    visitor: FlaskClient, clerk: LocalClerk, backend: Backend
) -> None:
    tables: dict[str, Any] = {
        "organizations": FORCED["organizations"] | {"domains": True},
        "actions": {"create_organization": False},
    }
    clerk.source.replace(tables)
    organization = backend.send("POST", "/organizations", name="Acme").get_json()["id"]
    domain = {"name": "example.com", "enrollment_mode": "automatic_suggestion", "verified": True}
    assert (
        backend.send("POST", f"/organizations/{organization}/domains", **domain).status_code < 300
    )
    page = sign_up(visitor)
    assert 'action="http://localhost:5000/__clerk/tasks/choose-organization/create' not in page.text
    (id,) = re.findall(r'name="suggestion_id" value="(\w+)"', page.text)
    page = follow(visitor, send(visitor, page, f"{CHOOSE}/ask", suggestion_id=id))
    assert at(page) == CHOOSE
    assert "Acme has to approve your request." in page.text


def second_factors(*names: str) -> dict[str, Any]:
    """Settings with these second factors, one of which every user needs."""
    strategies = {
        "phone_number": "phone_code",
        "authenticator_app": "totp",
        "backup_code": "backup_code",
    }
    attributes = {
        name: {
            "enabled": True,
            "used_for_second_factor": True,
            "second_factors": [strategies[name]],
            "verifications": [strategies[name]],
        }
        for name in names
    }
    return {"attributes": attributes, "sign_in": {"second_factor_required": True}}


def test_a_number_becomes_the_second_factor(visitor: FlaskClient, clerk: LocalClerk) -> None:
    clerk.source.replace(second_factors("phone_number"))
    page = sign_up(visitor)
    assert at(page) == MFA
    wrong = send(visitor, page, f"{MFA}/phone_numbers", phone_number="12")
    assert 'id="phone_number-error"' in wrong.text
    page = send(visitor, wrong, f"{MFA}/phone_numbers", phone_number="+12015550123")
    (phone,) = clerk.store.find(PhoneNumber)
    wrong = send(visitor, page, f"{MFA}/phone_numbers/{phone.id}", code="1")
    assert 'id="code-error"' in wrong.text
    home = follow(visitor, send(visitor, wrong, f"{MFA}/phone_numbers/{phone.id}", code=CODE))
    assert (home.location or "").startswith("http://localhost:5000/?")


def test_a_verified_number_needs_no_code_and_backup_codes_are_shown(
    visitor: FlaskClient, clerk: LocalClerk, backend: Backend
) -> None:
    clerk.source.replace(second_factors("phone_number", "authenticator_app", "backup_code"))
    page = sign_up(visitor)
    assert "Authenticator app" in page.text
    number = {"user_id": known_user(clerk).id, "phone_number": "+12015550123", "verified": True}
    id = backend.send("POST", "/phone_numbers", **number).get_json()["id"]
    page = open_page(visitor, MFA)
    page = send(visitor, page, f"{MFA}/phone_numbers", phone_number_id=id)
    assert re.findall(r"<code>(\w+)</code>", page.text) == known_user(clerk).backup_codes
    assert (open_page(visitor, "/sign-in").location or "").startswith("http://localhost:5000/?")


FORMS = [
    "/sign-in/ticket",
    "/sign-in/social",
    "/sign-in/factor-one",
    "/sign-in/reset-password",
    "/sign-up/social",
    "/sign-up/continue",
    "/tasks/reset-password",
    "/tasks/setup-mfa",
    "/tasks/setup-mfa/phone_numbers",
    "/tasks/setup-mfa/phone_numbers/idn_1",
    "/tasks/choose-organization/choose",
    "/tasks/choose-organization/join",
    "/tasks/choose-organization/ask",
    "/tasks/choose-organization/create",
    "/waitlist",
    "/confirm/first",
    "/user/password",
    "/user/email_addresses",
    "/user/email_addresses/idn_1/verify",
    "/user/email_addresses/idn_1/primary",
    "/user/email_addresses/idn_1/remove",
    "/user/email_addresses/idn_1/code",
    "/user/external_accounts",
    "/user/external_accounts/eac_1/remove",
    "/user/sessions/sess_1/revoke",
    "/user/accounts/sess_1/switch",
    "/create-organization",
    "/organization/switch",
    "/organization/name",
    "/organization/invitations",
    "/organization/invitations/orginv_1/revoke",
    "/organization/memberships/user_1/remove",
    "/organization/memberships/user_1/role",
    "/organization/leave",
]


@pytest.mark.parametrize("path", FORMS)
def test_every_form_needs_its_token(visitor: FlaskClient, path: str) -> None:
    sign_up(visitor)
    assert visitor.post(path, headers=HEADERS).status_code == 403


@pytest.mark.parametrize("path", FORMS)
def test_forms_do_nothing_for_signed_out_browsers(
    visitor: FlaskClient, backend: Backend, path: str
) -> None:
    token = re.search(r'csrf_token" value="(\w+)"', open_page(visitor, "/sign-in").text)
    assert token is not None
    answer = visitor.post(path, data={"csrf_token": token[1]}, headers=PROXY)
    assert answer.status_code in (200, 303)
    assert backend.get("/users/count").get_json()["total_count"] == 0
