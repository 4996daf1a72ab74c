"""The active organization, and the rows that belong to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask.typing import ResponseReturnValue

from app.accounts import current_membership, current_organization
from app.clerk import session_required

if TYPE_CHECKING:
    from clerk_emulator.testing import Organization, RunningClerk


@pytest.fixture
def acme(clerk: RunningClerk) -> Organization:
    """An organization."""
    return clerk.create_organization("Acme")


@pytest.fixture
def where(site: Flask) -> str:
    """The address of a page that returns the active organization and the role in it."""

    def where() -> ResponseReturnValue:
        if not current_organization:
            return {"name": None}
        return {"name": current_organization.name, "role": current_membership.role}

    site.add_url_rule("/where", view_func=session_required(where))
    return "/where"


def test_an_organization_is_active(
    visitor: FlaskClient, clerk: RunningClerk, acme: Organization, where: str
) -> None:
    clerk.sign_in(visitor, clerk.create_user(organization=acme, role="org:admin"), acme)
    assert visitor.get(where).get_json() == {"name": "Acme", "role": "org:admin"}
    assert visitor.get("/api/me").get_json()["organization_id"] == acme.id


def test_the_personal_account_has_no_organization(
    visitor: FlaskClient, clerk: RunningClerk, acme: Organization, where: str
) -> None:
    clerk.sign_in(visitor, clerk.create_user(organization=acme))
    assert visitor.get(where).get_json() == {"name": None}
    assert visitor.get("/api/me").get_json()["organization_id"] is None


def test_a_user_may_switch_between_organizations(
    visitor: FlaskClient, clerk: RunningClerk, acme: Organization, where: str
) -> None:
    ada = clerk.create_user(organization=acme)
    other = clerk.create_organization("Other")
    clerk.add_member(other, ada)
    for organization in (acme, other, acme):
        clerk.sign_in(visitor, ada, organization)
        assert visitor.get(where).get_json()["name"] == organization.name


def test_the_request_cannot_choose_the_organization(
    visitor: FlaskClient, clerk: RunningClerk, acme: Organization, where: str
) -> None:
    other = clerk.create_organization("Other")
    clerk.sign_in(visitor, clerk.create_user(organization=acme), acme)
    query = {"organization_id": other.id, "org_id": other.id, "organization": other.slug}
    answer = visitor.get(where, query_string=query, headers={"X-Organization": other.id})
    assert answer.get_json()["name"] == "Acme"
