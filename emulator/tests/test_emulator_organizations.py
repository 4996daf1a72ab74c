"""Organizations, as their members create, change, switch to and delete them with Clerk.js."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask import Flask

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import User
from clerk_emulator.testing import Backend, Browser, error_of

from .organizations import create, data, enable, join, person, switch, user_id

FOREIGN = (404, "organization_not_found_or_unauthorized", None)
PIXEL = b"\x89PNG\r\n\x1a\n" + b"0" * 20


@pytest.fixture(autouse=True)
def organizations(clerk: LocalClerk) -> None:
    enable(clerk)


@pytest.fixture
def grace(emulator: Flask) -> Browser:
    return person(emulator, "grace")


def test_the_creator_is_an_admin(ada: Browser) -> None:
    id = create(ada, "Acme Inc.")
    (membership,) = ada.session()["user"]["organization_memberships"]
    assert membership["role"] == "org:admin"
    assert "org:sys_memberships:manage" in membership["permissions"]
    assert membership["organization"]["id"] == id
    assert membership["organization"]["slug"] == "acme-inc"
    assert membership["organization"]["members_count"] == 1
    assert membership["public_user_data"]["identifier"] == "ada@example.com"


def test_a_slug_that_is_taken_gets_a_number(ada: Browser) -> None:
    create(ada, "Acme")
    other = ada.post("/organizations", name="Acme").get_json()["response"]
    assert other["slug"].startswith("acme-")


def test_slugs_can_be_disabled(clerk: LocalClerk, ada: Browser) -> None:
    enable(clerk, slugs=False)
    assert ada.post("/organizations", name="A", slug="a").get_json()["response"]["slug"] is None


@pytest.mark.parametrize(
    ("form", "code", "param"),
    [
        ({}, "form_param_nil", "name"),
        ({"name": " "}, "form_param_nil", "name"),
        ({"name": "a" * 257}, "form_param_max_length_exceeded", "name"),
        ({"name": "A", "slug": "Not A Slug"}, "form_param_format_invalid", "slug"),
        ({"name": "A", "slug": "-a"}, "form_param_format_invalid", "slug"),
        ({"name": "A", "slug": "taken"}, "form_identifier_exists", "slug"),
    ],
)
def test_invalid_values_are_rejected(
    ada: Browser, form: dict[str, str], code: str, param: str
) -> None:
    create(ada, "Taken", slug="taken")
    assert error_of(ada.post("/organizations", **form)) == (422, code, param)


def test_organizations_are_unavailable_while_disabled(clerk: LocalClerk, ada: Browser) -> None:
    id = create(ada)
    clerk.source.replace({})
    expected = (403, "organization_not_enabled_in_instance", None)
    assert error_of(ada.post("/organizations", name="A")) == expected
    assert error_of(ada.get(f"/organizations/{id}")) == expected
    assert ada.session()["user"]["organization_memberships"] == []


def test_users_without_permission_cannot_create_organizations(
    clerk: LocalClerk, ada: Browser
) -> None:
    clerk.source.switch({"actions": {"create_organization": False}})
    assert error_of(ada.post("/organizations", name="A"))[:2] == (403, "authorization_invalid")


def test_a_user_can_have_a_limit(clerk: LocalClerk, ada: Browser) -> None:
    user = clerk.store.get(User, user_id(ada))
    assert user is not None
    user.create_organizations_limit = 1
    clerk.store.put(user)
    create(ada)
    answer = ada.post("/organizations", name="B")
    assert error_of(answer)[:2] == (403, "organization_quota_exceeded")


def test_it_can_be_changed(ada: Browser) -> None:
    id = create(ada)
    ada.post(f"/organizations/{id}", "PATCH", name="New", slug="new")
    seen = ada.get(f"/organizations/{id}").get_json()["response"]
    assert (seen["name"], seen["slug"]) == ("New", "new")


def test_an_organization_may_keep_its_own_slug(ada: Browser) -> None:
    id = create(ada, slug="acme")
    assert ada.post(f"/organizations/{id}", "PATCH", slug="acme").status_code == 200


def test_a_logo_can_be_uploaded_and_removed(ada: Browser) -> None:
    path = f"/organizations/{create(ada)}/logo"
    query = {"__clerk_db_jwt": ada.dev_browser}
    answer = ada.http.put(
        f"/v1{path}", query_string=query, data={"file": (io.BytesIO(PIXEL), "a.png")}
    )
    shown = answer.get_json()["response"]
    assert shown["has_image"] is True
    assert ada.http.get(shown["image_url"]).data == PIXEL
    gone = ada.post(path, "DELETE").get_json()["response"]
    assert gone["has_image"] is False
    assert ada.http.get(gone["image_url"]).mimetype == "image/svg+xml"
    assert ada.http.get(shown["image_url"]).status_code == 404


def test_a_user_switches_to_an_organization(ada: Browser) -> None:
    id = create(ada)
    assert switch(ada, id).get_json()["response"]["last_active_organization_id"] == id
    assert switch(ada, "").get_json()["response"]["last_active_organization_id"] is None
    assert switch(ada, "acme").get_json()["response"]["last_active_organization_id"] == id


def test_a_touch_without_an_organization_keeps_it_active(ada: Browser) -> None:
    id = create(ada)
    switch(ada, id)
    ada.post(f"/client/sessions/{ada.session()['id']}/touch")
    assert ada.session()["last_active_organization_id"] == id


def test_users_cannot_switch_to_organizations_of_others(ada: Browser, grace: Browser) -> None:
    id = create(ada)
    path = f"/client/sessions/{grace.session()['id']}/tokens"
    for wanted in (id, "acme", "org_none"):
        assert error_of(switch(grace, wanted)) == FOREIGN
        assert error_of(grace.post(path, organization_id=wanted)) == FOREIGN
    assert grace.session()["last_active_organization_id"] is None


def test_deleting_an_organization_deletes_its_memberships(ada: Browser, grace: Browser) -> None:
    id = create(ada)
    join(ada, id, grace)
    switch(grace, id)
    gone = ada.post(f"/organizations/{id}", "DELETE").get_json()["response"]
    assert gone == {"object": "organization", "id": id, "deleted": True}
    assert grace.session()["last_active_organization_id"] is None
    assert grace.session()["user"]["organization_memberships"] == []
    assert error_of(ada.get(f"/organizations/{id}")) == FOREIGN


def test_members_cannot_delete_it_if_disabled(clerk: LocalClerk, ada: Browser) -> None:
    id = create(ada)
    enable(clerk, admin_delete=False)
    answer = ada.post(f"/organizations/{id}", "DELETE")
    assert error_of(answer)[:2] == (403, "organization_admin_delete_not_enabled")


WORK_OF_ADMINS: list[tuple[str, str, dict[str, str]]] = [
    ("PATCH", "", {"name": "Mine"}),
    ("DELETE", "", {}),
    ("PUT", "/logo", {}),
    ("DELETE", "/logo", {}),
    ("POST", "/memberships", {"user_id": "user_x", "role": "org:admin"}),
    ("PATCH", "/memberships/{me}", {"role": "org:admin"}),
    ("DELETE", "/memberships/{me}", {}),
    ("GET", "/invitations", {}),
    ("POST", "/invitations", {"email_address": "x@example.com", "role": "org:admin"}),
    ("POST", "/invitations/bulk", {"email_address": "x@example.com", "role": "org:admin"}),
    ("POST", "/invitations/orginv_x/revoke", {}),
    ("GET", "/domains", {}),
    ("POST", "/domains", {"name": "acme.com"}),
    ("GET", "/domains/orgdmn_x", {}),
    ("DELETE", "/domains/orgdmn_x", {}),
    ("POST", "/domains/orgdmn_x/prepare_affiliation_verification", {}),
    ("POST", "/domains/orgdmn_x/attempt_affiliation_verification", {"code": "424242"}),
    ("POST", "/domains/orgdmn_x/update_enrollment_mode", {}),
    ("GET", "/membership_requests", {}),
    ("POST", "/membership_requests/orgmemreq_x/accept", {}),
    ("POST", "/membership_requests/orgmemreq_x/reject", {}),
]


@pytest.mark.parametrize(("method", "path", "form"), WORK_OF_ADMINS)
def test_members_do_not_have_admin_permissions(
    clerk: LocalClerk, ada: Browser, grace: Browser, method: str, path: str, form: dict[str, str]
) -> None:
    enable(clerk, domains=True)
    id = create(ada)
    join(ada, id, grace)
    url = f"/organizations/{id}{path}".replace("{me}", user_id(grace))
    answer = grace.get(url) if method == "GET" else grace.post(url, method, **form)
    assert error_of(answer)[:2] == (403, "missing_organization_permission")


EVERYTHING = [*WORK_OF_ADMINS, ("GET", "", {}), ("GET", "/memberships", {}), ("GET", "/roles", {})]


@pytest.mark.parametrize(("method", "path", "form"), EVERYTHING)
def test_users_who_are_not_members_get_a_404(
    clerk: LocalClerk, ada: Browser, grace: Browser, method: str, path: str, form: dict[str, str]
) -> None:
    enable(clerk, domains=True)
    create(grace, "Elsewhere")
    url = f"/organizations/{create(ada)}{path}".replace("{me}", user_id(ada))
    answer = grace.get(url) if method == "GET" else grace.post(url, method, **form)
    assert error_of(answer) == FOREIGN


def test_roles_are_listed_with_their_permissions(clerk: LocalClerk, ada: Browser) -> None:
    roles: list[dict[str, Any]] = [
        {"key": "org:admin", "permissions": ["org:sys_memberships:read", "org:invoices:pay"]}
    ]
    permissions = [{"key": "org:invoices:pay", "name": "Pay invoices"}]
    enable(clerk, roles=roles, permissions=permissions)
    listed = ada.get(f"/organizations/{create(ada)}/roles").get_json()["response"]
    (role,) = listed["data"]
    assert (role["key"], role["name"], listed["total_count"]) == ("org:admin", "Admin", 1)
    names = {permission["key"]: permission["name"] for permission in role["permissions"]}
    assert names["org:invoices:pay"] == "Pay invoices"


def test_memberships_are_listed_in_pages(ada: Browser) -> None:
    ids = [create(ada, f"Org {number}") for number in range(3)]
    first = ada.get("/me/organization_memberships", paginated="true", limit="2", offset="0")
    second = ada.get("/me/organization_memberships", paginated="true", limit="2", offset="2")
    listed = [
        membership["organization"]["id"] for page in (first, second) for membership in data(page)
    ]
    assert listed == ids
    assert first.get_json()["response"]["total_count"] == 3


def test_the_form_for_a_new_one_starts_empty(ada: Browser) -> None:
    defaults = ada.get("/me/organization_creation_defaults").get_json()["response"]
    assert defaults["form"]["name"] == ""


def test_deleting_an_account_ends_its_memberships(
    ada: Browser, grace: Browser, backend: Backend
) -> None:
    id = create(ada)
    join(ada, id, grace)
    grace.post("/me", "DELETE")
    (left,) = data(ada.get(f"/organizations/{id}/memberships"))
    assert left["public_user_data"]["identifier"] == "ada@example.com"


def test_a_developer_can_enable_them_from_the_page(clerk: LocalClerk, ada: Browser) -> None:
    clerk.source.replace({})
    path = "/dev_tools/enable_environment_setting"
    nothing = ada.post(path, "PATCH").get_json()
    assert nothing["organization_settings"]["enabled"] is False
    form = {"enable_organizations": "true", "organization_allow_personal_accounts": "false"}
    shown = ada.post(path, "PATCH", **form).get_json()["organization_settings"]
    assert (shown["enabled"], shown["force_organization_selection"]) == (True, True)
    stranger = ada.http.patch(f"/v1{path}", data={"enable_organizations": "true"})
    assert error_of(stranger)[:2] == (401, "dev_browser_unauthenticated")
