"""Access to views: @session_required and @requires."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.clerk import current_session, requires, session_required
from tests.conftest import PROGRAM

if TYPE_CHECKING:
    from clerk_emulator.testing import Organization, RunningClerk, User


@pytest.fixture
def reports(app: Flask) -> str:
    """The path of a page for signed-in users, in ``app``, which has no Clerk."""
    app.add_url_rule("/_test/reports", view_func=session_required(lambda: "reports"))
    return "/_test/reports"


@pytest.fixture
def acme(clerk: RunningClerk) -> Organization:
    """An organization."""
    return clerk.create_organization("Acme")


@pytest.fixture
def invoices(site: Flask) -> str:
    """The path of a page for an organization's administrators, in ``site``."""
    site.add_url_rule("/_test/invoices", view_func=requires(role="admin")(lambda: "invoices"))
    return "/_test/invoices"


def test_a_signed_out_browser_is_sent_to_the_login_page_and_back(
    client: FlaskClient, reports: str
) -> None:
    answer = client.get("/_test/reports?tab=a%26b")
    assert answer.status_code == 302
    assert answer.location == "/login?redirect_url=/_test/reports?tab%3Da%2526b"


def test_a_signed_out_api_client_gets_a_401(client: FlaskClient, reports: str) -> None:
    answer = client.get(reports, headers=PROGRAM)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_the_view_gets_the_user(site: Flask, signed_in: FlaskClient, ada: User) -> None:
    site.add_url_rule("/_test/mine", view_func=session_required(lambda: current_session.user_id))
    assert signed_in.get("/_test/mine").text == ada.id


@pytest.mark.parametrize(("role", "status"), [("org:admin", 200), ("org:member", 403)])
def test_a_role_is_required(
    clerk: RunningClerk,
    visitor: FlaskClient,
    acme: Organization,
    invoices: str,
    role: str,
    status: int,
) -> None:
    clerk.sign_in(visitor, clerk.create_user(organization=acme, role=role), acme)
    assert visitor.get(invoices).status_code == status


def test_a_role_counts_only_in_the_active_organization(
    clerk: RunningClerk, visitor: FlaskClient, acme: Organization, invoices: str
) -> None:
    ada = clerk.create_user(organization=acme, role="org:admin")
    clerk.sign_in(visitor, ada)  # in the personal account
    assert visitor.get(invoices).status_code == 403
    other = clerk.create_organization("Other")
    clerk.add_member(other, ada, "org:member")
    clerk.sign_in(visitor, ada, other)
    assert visitor.get(invoices).status_code == 403


@pytest.mark.parametrize(("role", "status"), [("org:accountant", 200), ("org:member", 403)])
def test_a_permission_is_required(
    site: Flask, clerk: RunningClerk, visitor: FlaskClient, role: str, status: int
) -> None:
    accountant = {"key": "org:accountant", "permissions": ["org:invoices:read"]}
    clerk.settings(organizations={"enabled": True, "roles": [accountant, {"key": "org:member"}]})
    rule = requires(permission="org:invoices:read")
    site.add_url_rule("/_test/invoices", view_func=rule(lambda: "invoices"))
    acme = clerk.create_organization("Acme")
    clerk.sign_in(visitor, clerk.create_user(organization=acme, role=role), acme)
    assert visitor.get("/_test/invoices").status_code == status


def test_an_api_client_is_told_what_is_missing(
    clerk: RunningClerk, visitor: FlaskClient, acme: Organization, invoices: str
) -> None:
    clerk.sign_in(visitor, clerk.create_user(organization=acme), acme)
    answer = visitor.get(invoices, headers=PROGRAM)
    assert answer.status_code == 403
    assert answer.get_json()["requires"] == {"role": "admin"}


def test_a_signed_out_browser_is_not_told_what_is_missing(
    visitor: FlaskClient, invoices: str
) -> None:
    assert visitor.get(invoices, follow_redirects=True).request.path == "/login"
