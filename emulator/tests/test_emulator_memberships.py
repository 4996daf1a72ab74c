"""Members of an organization: finding them, their roles, and the last admin."""

from __future__ import annotations

import pytest
from flask import Flask

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import Organization
from clerk_emulator.testing import Backend, Browser, error_of

from .organizations import create, data, enable, join, person, switch, user_id

LAST_ADMIN = (400, "organization_minimum_permissions_needed", None)


@pytest.fixture(autouse=True)
def organizations(clerk: LocalClerk) -> None:
    enable(clerk)


@pytest.fixture
def grace(emulator: Flask) -> Browser:
    return person(emulator, "grace")


@pytest.fixture
def acme(ada: Browser, grace: Browser) -> str:
    """Ada's organization, in which Grace is a member."""
    id = create(ada)
    join(ada, id, grace)
    return id


def members(browser: Browser, organization: str, **query: str) -> list[str]:
    found = data(browser.get(f"/organizations/{organization}/memberships", **query))
    return [membership["public_user_data"]["identifier"].partition("@")[0] for membership in found]


def test_members_are_listed_newest_first(ada: Browser, grace: Browser, acme: str) -> None:
    assert members(grace, acme) == ["grace", "ada"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"role": "org:admin"}, ["ada"]),
        ({"role": "org:admin,org:member"}, ["grace", "ada"]),
        ({"role": "org:none"}, []),
        ({"query": "GRA"}, ["grace"]),
        ({"query": "example.com"}, ["grace", "ada"]),
        ({"query": "nobody"}, []),
        ({"query": "ada", "role": "org:member"}, []),
        ({"order_by": "email_address"}, ["ada", "grace"]),
        ({"orderBy": "-email_address"}, ["grace", "ada"]),
        ({"limit": "1"}, ["grace"]),
        ({"limit": "1", "offset": "1"}, ["ada"]),
        ({"query": "example", "limit": "1", "offset": "1"}, ["ada"]),
        ({"limit": "x", "offset": "-1"}, ["grace", "ada"]),
    ],
)
def test_members_can_be_searched(
    ada: Browser, acme: str, query: dict[str, str], expected: list[str]
) -> None:
    assert members(ada, acme, **query) == expected


def test_the_total_count_is_returned(ada: Browser, acme: str) -> None:
    for query in ({"limit": "1"}, {"limit": "1", "query": "example"}):
        page = ada.get(f"/organizations/{acme}/memberships", **query)
        assert page.get_json()["response"]["total_count"] == 2


def test_another_role_has_other_permissions(ada: Browser, grace: Browser, acme: str) -> None:
    path = f"/organizations/{acme}/memberships/{user_id(grace)}"
    changed = ada.post(path, "PATCH", role="org:admin").get_json()["response"]
    assert (changed["role"], changed["role_name"]) == ("org:admin", "Admin")
    assert grace.post(f"/organizations/{acme}", "PATCH", name="Grace's").status_code == 200


def test_an_unknown_role_is_rejected(ada: Browser, grace: Browser, acme: str) -> None:
    path = f"/organizations/{acme}/memberships/{user_id(grace)}"
    answer = ada.post(path, "PATCH", role="org:owner")
    assert error_of(answer) == (404, "resource_not_found", "role")


def test_a_removed_member_loses_access_at_once(ada: Browser, grace: Browser, acme: str) -> None:
    switch(grace, acme)
    gone = ada.post(f"/organizations/{acme}/memberships/{user_id(grace)}", "DELETE")
    assert gone.get_json()["response"]["object"] == "organization_membership"
    session = grace.session()
    assert session["last_active_organization_id"] is None
    assert session["user"]["organization_memberships"] == []


def test_members_can_leave(ada: Browser, grace: Browser, acme: str) -> None:
    switch(grace, acme)
    assert grace.post(f"/me/organization_memberships/{acme}", "DELETE").status_code == 200
    assert members(ada, acme) == ["ada"]
    assert grace.session()["last_active_organization_id"] is None
    again = grace.post(f"/me/organization_memberships/{acme}", "DELETE")
    assert error_of(again)[0] == 404


def test_the_last_admin_cannot_leave(ada: Browser, acme: str) -> None:
    mine = f"/organizations/{acme}/memberships/{user_id(ada)}"
    leave = f"/me/organization_memberships/{acme}"
    assert error_of(ada.post(leave, "DELETE")) == LAST_ADMIN
    assert error_of(ada.post(mine, "DELETE")) == LAST_ADMIN
    assert error_of(ada.post(mine, "PATCH", role="org:member")) == LAST_ADMIN
    assert ada.post(mine, "PATCH", role="org:admin").status_code == 200
    assert members(ada, acme, role="org:admin") == ["ada"]


def test_an_admin_can_leave_if_there_is_another(ada: Browser, grace: Browser, acme: str) -> None:
    path = f"/organizations/{acme}/memberships/{user_id(grace)}"
    ada.post(path, "PATCH", role="org:admin")
    assert ada.post(f"/me/organization_memberships/{acme}", "DELETE").status_code == 200
    assert error_of(grace.post(f"/me/organization_memberships/{acme}", "DELETE")) == LAST_ADMIN


def test_an_admin_has_no_rights_in_another_organization(
    emulator: Flask, ada: Browser, grace: Browser, acme: str
) -> None:
    """IDs of one organization are rejected in the paths of another."""
    globex = create(grace, "Globex")
    path = f"/organizations/{globex}/memberships/{user_id(ada)}"
    assert error_of(grace.post(path, "PATCH", role="org:member"))[0] == 404
    assert error_of(grace.post(path, "DELETE"))[0] == 404
    assert error_of(ada.post(path, "DELETE"))[:2] == (404, "organization_not_found_or_unauthorized")
    assert members(ada, acme) == ["grace", "ada"]


def test_a_user_cannot_join_twice(ada: Browser, grace: Browser, acme: str) -> None:
    path = f"/organizations/{acme}/memberships"
    answer = ada.post(path, user_id=user_id(grace), role="org:member")
    assert error_of(answer)[:2] == (400, "already_a_member_in_organization")


def test_a_full_organization_accepts_no_members(
    clerk: LocalClerk, emulator: Flask, ada: Browser, acme: str
) -> None:
    organization = clerk.store.get(Organization, acme)
    assert organization is not None
    organization.max_allowed_memberships = 2
    clerk.store.put(organization)
    path = f"/organizations/{acme}/memberships"
    other = user_id(person(emulator, "linus"))
    answer = ada.post(path, user_id=other, role="org:member")
    assert error_of(answer)[:2] == (403, "organization_membership_quota_exceeded")


def test_the_account_of_the_last_admin_can_still_be_deleted(
    ada: Browser, grace: Browser, acme: str, backend: Backend
) -> None:
    backend.send("DELETE", f"/users/{user_id(ada)}")
    assert members(grace, acme) == ["grace"]
