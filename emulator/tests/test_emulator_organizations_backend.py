"""Organizations, as the app's server reads and manages them with the Backend API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask

from clerk_emulator.api_keys import NewApiKey, create_api_key, verify_api_key
from clerk_emulator.clerk import LocalClerk
from clerk_emulator.errors import ClerkError
from clerk_emulator.resources import Event, Message
from clerk_emulator.testing import BACKEND_PREFIX, Backend, Browser, error_of

from .organizations import Json, enable, person, switch, user_id


@pytest.fixture(autouse=True)
def organizations(clerk: LocalClerk) -> None:
    enable(clerk, domains=True, max_allowed_memberships=0)


@pytest.fixture
def grace(emulator: Flask) -> Browser:
    return person(emulator, "grace")


def create(backend: Backend, name: str = "Acme", **more: Any) -> Json:
    answer = backend.send("POST", "/organizations", name=name, **more)
    assert answer.status_code == 200, answer.text
    organization: Json = answer.get_json()
    return organization


def path_of(backend: Backend, name: str = "Acme", **more: Any) -> str:
    return f"/organizations/{create(backend, name, **more)['id']}"


def names(backend: Backend, **query: Any) -> list[str]:
    page = backend.get("/organizations", **query).get_json()
    return [organization["name"] for organization in page["data"]]


def events(clerk: LocalClerk, prefix: str) -> list[Json]:
    bodies: list[Json] = [json.loads(event.body) for event in clerk.store.find(Event)]
    return [body for body in bodies if body["type"].startswith(prefix)]


def test_an_organization_is_created_found_changed_and_deleted(backend: Backend) -> None:
    made = create(backend, slug="acme", private_metadata={"plan": "pro"})
    assert made["private_metadata"] == {"plan": "pro"}
    assert backend.get("/organizations/acme").get_json()["id"] == made["id"]
    path = f"/organizations/{made['id']}"
    changed = backend.send(
        "PATCH", path, name="New", max_allowed_memberships=7, admin_delete_enabled=False
    ).get_json()
    assert (changed["name"], changed["slug"]) == ("New", "acme")
    assert (changed["max_allowed_memberships"], changed["admin_delete_enabled"]) == (7, False)
    assert backend.send("DELETE", path).get_json()["deleted"] is True
    assert error_of(backend.get(path))[:2] == (404, "resource_not_found")


def test_its_creator_is_an_admin(ada: Browser, backend: Backend) -> None:
    path = path_of(backend, created_by=user_id(ada))
    (membership,) = backend.get(f"{path}/memberships").get_json()["data"]
    assert membership["role"] == "org:admin"
    assert membership["public_user_data"]["user_id"] == user_id(ada)
    unknown = backend.send("POST", "/organizations", name="A", created_by="user_x")
    assert error_of(unknown)[:2] == (400, "organization_creator_not_found")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "name"),
        ({"name": 1}, "name"),
        ({"name": "A", "slug": "Not A Slug"}, "slug"),
        ({"name": "A", "max_allowed_memberships": -1}, "max_allowed_memberships"),
        ({"name": "A", "max_allowed_memberships": "many"}, "max_allowed_memberships"),
        ({"name": "A", "public_metadata": [1]}, "public_metadata"),
    ],
)
def test_invalid_values_are_rejected(backend: Backend, body: Json, param: str) -> None:
    status, _, seen = error_of(backend.send("POST", "/organizations", **body))
    assert (status, seen) == (422, param)


def test_organizations_are_listed(ada: Browser, backend: Backend) -> None:
    mine = create(backend, "Bravo", created_by=user_id(ada))["id"]
    for name in ("Alpha", "Charlie"):
        create(backend, name)
    assert names(backend, order_by="name") == ["Alpha", "Bravo", "Charlie"]
    assert names(backend, order_by="-name", limit=1, offset=1) == ["Bravo"]
    assert names(backend, order_by="-members_count", limit=1) == ["Bravo"]
    assert names(backend, query="char") == ["Charlie"]
    assert names(backend, query=mine) == ["Bravo"]
    assert names(backend, user_id=user_id(ada)) == ["Bravo"]
    assert names(backend, user_id=f"-{user_id(ada)}", order_by="name") == ["Alpha", "Charlie"]
    assert names(backend, organization_id=[mine, "org_x"]) == ["Bravo"]
    page = backend.get("/organizations", limit=1, include_members_count="true").get_json()
    assert page["total_count"] == 3
    assert page["data"][0]["members_count"] == 0
    assert error_of(backend.get("/organizations", order_by="x"))[::2] == (422, "order_by")


def test_metadata_is_merged_or_replaced(backend: Backend) -> None:
    path = f"{path_of(backend, public_metadata={'a': {'x': 1, 'y': 2}})}/metadata"
    merged = backend.send("PATCH", path, public_metadata={"a": {"x": None}, "b": 1}).get_json()
    assert merged["public_metadata"] == {"a": {"y": 2}, "b": 1}
    replaced = backend.send("PUT", path, public_metadata={"c": 1}).get_json()
    assert (replaced["public_metadata"], replaced["private_metadata"]) == ({"c": 1}, {})


def test_members_are_added_changed_and_removed(
    ada: Browser, grace: Browser, backend: Backend
) -> None:
    path = f"{path_of(backend, created_by=user_id(ada))}/memberships"
    body = {"user_id": user_id(grace), "role": "org:member", "private_metadata": {"a": 1}}
    made = backend.send("POST", path, **body).get_json()
    assert (made["role_name"], made["private_metadata"]) == ("Member", {"a": 1})
    assert error_of(backend.send("POST", path, **body))[:2] == (
        400,
        "already_a_member_in_organization",
    )
    one = f"{path}/{user_id(grace)}"
    assert backend.send("PATCH", one, role="org:admin").get_json()["role"] == "org:admin"
    merged = backend.send("PATCH", f"{one}/metadata", public_metadata={"b": 2}).get_json()
    assert merged["public_metadata"] == {"b": 2}
    assert backend.send("DELETE", one).get_json()["id"] == made["id"]
    assert error_of(backend.send("DELETE", one))[0] == 404
    last = backend.send("DELETE", f"{path}/{user_id(ada)}")
    assert error_of(last)[:2] == (400, "organization_minimum_permissions_needed")


def test_members_are_listed(ada: Browser, grace: Browser, backend: Backend) -> None:
    path = f"{path_of(backend, created_by=user_id(ada))}/memberships"
    backend.send("POST", path, user_id=user_id(grace), role="org:member")

    def found(**query: Any) -> list[str]:
        data = backend.get(path, **query).get_json()["data"]
        return [member["public_user_data"]["identifier"].partition("@")[0] for member in data]

    assert found() == ["grace", "ada"]
    assert found(order_by="+created_at") == ["ada", "grace"]
    assert found(role="org:admin") == ["ada"]
    assert found(user_id=user_id(grace)) == ["grace"]
    assert found(email_address=["ADA@example.com"]) == ["ada"]
    assert found(email_address_query="GRAC") == ["grace"]
    assert found(name_query="nobody") == []
    assert error_of(backend.get(path, order_by="role"))[::2] == (422, "order_by")
    everywhere = backend.get("/organization_memberships").get_json()
    assert everywhere["total_count"] == 2
    mine = backend.get(f"/users/{user_id(grace)}/organization_memberships").get_json()
    assert [membership["role"] for membership in mine["data"]] == ["org:member"]


def test_invitations_are_sent_listed_and_revoked(
    clerk: LocalClerk, ada: Browser, backend: Backend
) -> None:
    path = f"{path_of(backend, created_by=user_id(ada))}/invitations"
    body = {"email_address": "g@x.com", "role": "org:member", "inviter_user_id": user_id(ada)}
    made = backend.send("POST", path, redirect_url="http://localhost:5000/in", **body).get_json()
    assert (made["status"], made["inviter_id"]) == ("pending", user_id(ada))
    assert made["public_inviter_data"]["identifier"] == "ada@example.com"
    (message,) = clerk.store.find(Message, to="g@x.com")
    assert message.link == made["url"]
    bulk = [{"email_address": f"{name}@x.com", "role": "org:member"} for name in "ab"]
    url, key = BACKEND_PREFIX + path + "/bulk", clerk.config.secret_key
    headers = {"Authorization": f"Bearer {key}"}
    sent = ada.http.post(url, json=bulk, headers=headers).get_json()
    assert sent["total_count"] == 2
    revoked = backend.send("POST", f"{path}/{made['id']}/revoke").get_json()
    assert (revoked["status"], revoked["url"]) == ("revoked", None)
    assert backend.get(f"{path}/{made['id']}").get_json()["status"] == "revoked"

    def found(path: str, **query: Any) -> list[str]:
        return [one["email_address"] for one in backend.get(path, **query).get_json()["data"]]

    assert found(f"{path}/pending") == ["b@x.com", "a@x.com"]
    assert found(path, status="revoked") == ["g@x.com"]
    assert found(path, order_by="email_address") == ["a@x.com", "b@x.com", "g@x.com"]
    assert found(path, order_by="-email_address") == ["g@x.com", "b@x.com", "a@x.com"]
    assert found(path, order_by="created_at", limit=1) == ["g@x.com"]
    assert found("/organization_invitations", query="a@", status="pending") == ["a@x.com"]


def test_an_invitation_can_skip_the_message(clerk: LocalClerk, backend: Backend) -> None:
    path = f"{path_of(backend)}/invitations"
    backend.send("POST", path, email_address="g@x.com", role="org:member", notify=False)
    assert clerk.store.find(Message, to="g@x.com") == []


@pytest.mark.parametrize(
    "more",
    [
        {"redirect_url": "javascript:alert(1)"},
        {"expires_in_days": 0},
        {"expires_in_days": 366},
        {"notify": "no"},
        {"role": None},
    ],
)
def test_invalid_invitations_are_rejected(backend: Backend, more: Json) -> None:
    path = f"{path_of(backend)}/invitations"
    body = {"email_address": "g@x.com", "role": "org:member"} | more
    status, _, param = error_of(backend.send("POST", path, **body))
    assert (status, param) == (422, next(iter(more)))


def test_what_belongs_to_another_organization_is_not_found(backend: Backend) -> None:
    one, other = path_of(backend, "One"), path_of(backend, "Other")
    body = {"email_address": "g@x.com", "role": "org:member"}
    invitation = backend.send("POST", f"{one}/invitations", **body).get_json()["id"]
    domain = backend.send("POST", f"{one}/domains", name="acme.com").get_json()["id"]
    assert error_of(backend.get(f"{other}/invitations/{invitation}"))[0] == 404
    assert error_of(backend.send("POST", f"{other}/invitations/{invitation}/revoke"))[0] == 404
    assert error_of(backend.send("DELETE", f"{other}/domains/{domain}"))[0] == 404


def test_domains_need_no_code(backend: Backend) -> None:
    path = f"{path_of(backend)}/domains"
    made = backend.send("POST", path, name="acme.com").get_json()
    assert made["affiliation_verification"]["status"] == "verified"
    one = f"{path}/{made['id']}"
    changed = backend.send("PATCH", one, enrollment_mode="automatic_suggestion", verified=False)
    assert changed.get_json()["enrollment_mode"] == "automatic_suggestion"
    assert backend.get(path, verified="true").get_json()["total_count"] == 0
    proved = backend.send("POST", f"{one}/verify_ownership").get_json()
    assert proved["affiliation_verification"]["status"] == "verified"
    (listed,) = backend.get("/organization_domains", query="acme").get_json()["data"]
    assert listed["public_organization_data"]["name"] == "Acme"
    assert backend.send("DELETE", one).get_json()["deleted"] is True


def test_roles_and_permissions_can_be_read(backend: Backend) -> None:
    roles = backend.get("/organization_roles").get_json()
    assert [role["key"] for role in roles["data"]] == ["org:admin", "org:member"]
    role = roles["data"][0]
    assert role["is_creator_eligible"] is True
    assert backend.get(f"/organization_roles/{role['id']}").get_json() == role
    permissions = backend.get("/organization_permissions", query="profile").get_json()
    assert permissions["total_count"] == 2
    id = permissions["data"][0]["id"]
    assert backend.get(f"/organization_permissions/{id}").get_json()["type"] == "system"
    assert backend.get("/organization_roles/role_x").status_code == 404


def test_deleting_it_leaves_no_session_in_it(ada: Browser, backend: Backend) -> None:
    path = path_of(backend, created_by=user_id(ada))
    switch(ada, path.rpartition("/")[2])
    backend.send("DELETE", path)
    session = backend.get(f"/sessions/{ada.session()['id']}").get_json()
    assert session["last_active_organization_id"] is None


def test_its_api_keys_are_deleted_with_it(clerk: LocalClerk, backend: Backend) -> None:
    organization = create(backend)["id"]
    key, secret = create_api_key(clerk, NewApiKey("deploy", organization))
    assert verify_api_key(clerk, secret).id == key.id
    backend.send("DELETE", f"/organizations/{organization}")
    with pytest.raises(ClerkError):
        verify_api_key(clerk, secret)


def test_endpoints_are_unavailable_while_disabled(clerk: LocalClerk, backend: Backend) -> None:
    path = path_of(backend)
    clerk.source.replace({})
    for missing in (path, f"{path}/memberships", f"{path}/invitations", "/organization_domains"):
        assert error_of(backend.get(missing))[:2] == (403, "organization_not_enabled_in_instance")


def test_events_are_sent(clerk: LocalClerk, ada: Browser, grace: Browser, backend: Backend) -> None:
    path = path_of(backend, created_by=user_id(ada))
    backend.send("PATCH", path, name="New")
    member = f"{path}/memberships/{user_id(grace)}"
    backend.send("POST", f"{path}/memberships", user_id=user_id(grace), role="org:member")
    backend.send("PATCH", member, role="org:admin")
    backend.send("DELETE", member)
    body = {"email_address": "grace@example.com", "role": "org:member"}
    first = backend.send("POST", f"{path}/invitations", **body).get_json()["id"]
    backend.send("POST", f"{path}/invitations/{first}/revoke")
    second = backend.send("POST", f"{path}/invitations", **body).get_json()["id"]
    grace.post(f"/me/organization_invitations/{second}/accept")
    domain = backend.send("POST", f"{path}/domains", name="acme.com").get_json()["id"]
    backend.send("PATCH", f"{path}/domains/{domain}", verified=False)
    backend.send("DELETE", f"{path}/domains/{domain}")
    backend.send("DELETE", path)
    types = [event["type"] for event in events(clerk, "organization")]
    assert types == [
        "organization.created",
        "organizationMembership.created",
        "organization.updated",
        "organizationMembership.created",
        "organizationMembership.updated",
        "organizationMembership.deleted",
        "organizationInvitation.created",
        "organizationInvitation.revoked",
        "organizationInvitation.created",
        "organizationMembership.created",
        "organizationInvitation.accepted",
        "organizationDomain.created",
        "organizationDomain.updated",
        "organizationDomain.deleted",
        "organization.deleted",
    ]
    (accepted,) = events(clerk, "organizationInvitation.accepted")
    assert (accepted["data"]["status"], accepted["data"]["user_id"]) == ("accepted", user_id(grace))
