"""Roles and permissions, changed through the Backend API."""

from __future__ import annotations

from typing import Any

import pytest

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.testing import Backend, Browser, error_of

from .organizations import Json, enable, user_id

ROLES, PERMISSIONS = "/organization_roles", "/organization_permissions"


@pytest.fixture(autouse=True)
def organizations(clerk: LocalClerk) -> None:
    enable(clerk)


@pytest.fixture
def read(backend: Backend) -> Json:
    """A custom permission."""
    body = {"name": "Read invoices", "key": "org:invoices:read"}
    made: Json = backend.send("POST", PERMISSIONS, **body).get_json()
    return made


@pytest.fixture
def viewer(backend: Backend, read: Json) -> Json:
    """A role with that permission."""
    body = {"name": "Viewer", "key": "org:viewer", "permissions": [read["id"]]}
    made: Json = backend.send("POST", ROLES, **body).get_json()
    return made


def member(backend: Backend, ada: Browser, role: str) -> str:
    """The path of Ada's membership."""
    organization = backend.send("POST", "/organizations", name="Acme").get_json()["id"]
    path = f"/organizations/{organization}/memberships"
    assert backend.send("POST", path, user_id=user_id(ada), role=role).status_code == 200
    return path


def role_in(backend: Backend, path: str) -> Json:
    (found,) = backend.get(path).get_json()["data"]
    shown: Json = found
    return shown


def test_a_role_is_created_assigned_and_changed(
    backend: Backend, viewer: Json, ada: Browser
) -> None:
    assert [one["key"] for one in viewer["permissions"]] == ["org:invoices:read"]
    path = member(backend, ada, "org:viewer")
    assert role_in(backend, path)["permissions"] == ["org:invoices:read"]
    one = f"{ROLES}/{viewer['id']}"
    changed = backend.send("PATCH", one, key="org:reader", name="Reader").get_json()
    assert (changed["id"], changed["key"]) == (viewer["id"], "org:reader")
    assert role_in(backend, path)["role"] == "org:reader"
    assert error_of(backend.send("DELETE", one))[0] == 403
    backend.send("PATCH", f"{path}/{user_id(ada)}", role="org:member")
    assert backend.send("DELETE", one).get_json()["deleted"] is True
    assert backend.get(one).status_code == 404


def test_permissions_are_added_and_removed(backend: Backend, viewer: Json, read: Json) -> None:
    one = f"{ROLES}/{viewer['id']}/permissions"
    assert backend.send("DELETE", f"{one}/{read['id']}").get_json()["permissions"] == []
    assert error_of(backend.send("DELETE", f"{one}/{read['id']}"))[0] == 404
    given = backend.send("POST", f"{one}/{read['id']}").get_json()["permissions"]
    assert [permission["key"] for permission in given] == ["org:invoices:read"]


def test_a_permission_is_changed_and_removed_from_all_roles(
    backend: Backend, viewer: Json, read: Json
) -> None:
    one = f"{PERMISSIONS}/{read['id']}"
    changed = backend.send("PATCH", one, key="org:bills:read").get_json()
    assert (changed["id"], changed["key"], changed["type"]) == (
        read["id"],
        "org:bills:read",
        "user",
    )
    shown = backend.get(f"{ROLES}/{viewer['id']}").get_json()["permissions"]
    assert [permission["key"] for permission in shown] == ["org:bills:read"]
    assert backend.send("DELETE", one).get_json()["deleted"] is True
    assert backend.get(f"{ROLES}/{viewer['id']}").get_json()["permissions"] == []


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        (ROLES, {"name": "X", "key": "viewer"}, "key"),
        (ROLES, {"name": "X", "key": "org:Admin"}, "key"),
        (ROLES, {"name": "X", "key": "org:admin"}, "key"),
        (ROLES, {"key": "org:x"}, "name"),
        (ROLES, {"name": "X"}, "key"),
        (PERMISSIONS, {"name": "X", "key": "org:x"}, "key"),
        (PERMISSIONS, {"name": "X", "key": "org:sys_x:manage"}, "key"),
        (PERMISSIONS, {"name": "X", "key": "org:invoices:read"}, "key"),
    ],
)
def test_invalid_roles_are_rejected(
    backend: Backend, read: Json, path: str, body: dict[str, Any], param: str
) -> None:
    assert read["key"] == "org:invoices:read"
    assert error_of(backend.send("POST", path, **body))[::2] == (422, param)


def test_built_in_roles_and_permissions_cannot_be_changed(backend: Backend) -> None:
    for id in ("role_admin", "role_member"):
        assert error_of(backend.send("DELETE", f"{ROLES}/{id}"))[0] == 403
    own = f"{PERMISSIONS}/perm_sys_profile_manage"
    assert backend.get(own).status_code == 200
    assert error_of(backend.send("DELETE", own))[0] == 403
    assert error_of(backend.send("PATCH", own, name="X"))[0] == 403


def test_there_is_one_set_of_roles(backend: Backend, viewer: Json, ada: Browser) -> None:
    member(backend, ada, "org:viewer")
    (shown,) = backend.get("/role_sets").get_json()["data"]
    assert (shown["key"], shown["type"]) == ("role_set:default", "initial")
    members = {role["key"]: role["members_count"] for role in shown["roles"]}
    assert members == {"org:admin": 0, "org:member": 0, "org:viewer": 1}
    changed = backend.send("PATCH", f"/role_sets/{shown['key']}", default_role_key="org:viewer")
    assert changed.get_json()["default_role"]["id"] == viewer["id"]
    wrong = backend.send("PATCH", f"/role_sets/{shown['id']}", creator_role_key="org:nobody")
    assert error_of(wrong)[::2] == (422, "creator_role_key")
    assert backend.get("/role_sets/role_set:other").status_code == 404


def test_roles_are_unavailable_while_disabled(clerk: LocalClerk, backend: Backend) -> None:
    clerk.source.replace({})
    for path in (ROLES, PERMISSIONS, "/role_sets"):
        assert error_of(backend.get(path))[0] == 403
