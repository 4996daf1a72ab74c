"""Joining and leaving organizations on the hosted page, without JavaScript."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import (
    MembershipRequest,
    Organization,
    OrganizationInvitation,
    OrganizationMembership,
    User,
)
from clerk_emulator.testing import Backend

from .hosted_forms import at, open_page, sign_up
from .test_emulator_hosted_profile import act, forge

PAGE = "/organization"


@pytest.fixture
def grace(emulator: Flask, clerk: LocalClerk) -> FlaskClient:
    """The browser of the admin of Acme."""
    clerk.source.replace({"organizations": {"enabled": True, "domains": True}})
    visitor = emulator.test_client()
    sign_up(visitor)
    act(visitor, "/create-organization", "/create-organization", name="Globex")
    return visitor


@pytest.fixture
def bob(emulator: Flask, grace: FlaskClient) -> FlaskClient:
    """The browser of a user who belongs to no organization."""
    assert grace is not None
    visitor = emulator.test_client()
    sign_up(visitor, "bob@example.com")
    return visitor


def organization(clerk: LocalClerk) -> Organization:
    (found,) = clerk.store.find(Organization)
    return found


def members(clerk: LocalClerk) -> list[str]:
    return [one.role for one in clerk.store.find(OrganizationMembership)]


def test_an_invitation_is_accepted_and_the_organization_left(
    grace: FlaskClient, bob: FlaskClient, clerk: LocalClerk
) -> None:
    form = {"email_address": "bob@example.com", "role": "org:member"}
    act(grace, "/organization/invitations", PAGE, **form)
    (invitation,) = clerk.store.find(OrganizationInvitation)
    act(bob, f"/organization/join/invitations/{invitation.id}", PAGE)
    assert members(clerk) == ["org:admin", "org:member"]
    act(bob, "/organization/switch", PAGE, organization_id=organization(clerk).id)
    assert "/organization/delete" not in open_page(bob, PAGE).text
    act(bob, "/organization/leave", PAGE)
    assert members(clerk) == ["org:admin"]


def test_roles_are_given_and_members_removed(
    grace: FlaskClient, bob: FlaskClient, clerk: LocalClerk, backend: Backend
) -> None:
    assert bob is not None
    user = clerk.store.find(User)[1].id
    path = f"/organizations/{organization(clerk).id}/memberships"
    backend.send("POST", path, user_id=user, role="org:member")
    act(grace, f"/organization/memberships/{user}/role", PAGE, role="org:admin")
    assert members(clerk) == ["org:admin", "org:admin"]
    act(grace, f"/organization/memberships/{user}/remove", PAGE)
    assert members(clerk) == ["org:admin"]


def test_a_user_of_a_domain_requests_to_join(
    bob: FlaskClient, clerk: LocalClerk, backend: Backend
) -> None:
    path = f"/organizations/{organization(clerk).id}/domains"
    mode = "automatic_suggestion"
    backend.send("POST", path, name="example.com", enrollment_mode=mode, verified=True)
    found = re.search(r"/organization/join/suggestions/\w+", open_page(bob, PAGE).text)
    assert found is not None
    act(bob, found[0], PAGE)
    assert len(clerk.store.find(MembershipRequest)) == 1


def test_an_organization_is_deleted_once_that_is_confirmed(
    grace: FlaskClient, clerk: LocalClerk
) -> None:
    page = act(grace, "/organization/delete", "/organization/delete")
    assert at(page) in (PAGE, "/confirm")
    assert clerk.store.find(Organization) == []


def test_users_cannot_join_or_delete_organizations_of_others(
    grace: FlaskClient, bob: FlaskClient, clerk: LocalClerk
) -> None:
    form = {"email_address": "carol@example.com", "role": "org:member"}
    act(grace, "/organization/invitations", PAGE, **form)
    (invitation,) = clerk.store.find(OrganizationInvitation)
    forge(bob, f"/organization/join/invitations/{invitation.id}")
    forge(bob, "/organization/join/suggestions/sug_none")
    forge(bob, "/organization/delete")
    assert members(clerk) == ["org:admin"]
    answer = grace.post("/organization/delete", data={"csrf_token": "guess"})
    assert answer.status_code == 403
    assert at(open_page(bob, "/organization/delete")) == PAGE
