"""API keys, in Clerk's own component."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.local_clerk import LocalClerk
    from tests.browser.visitor import Visitor

KEYS = {"user_enabled": True, "organization_enabled": True}
ROLES = [
    {
        "key": "org:admin",
        "name": "Admin",
        "permissions": ["org:sys_api_keys:manage", "org:sys_api_keys:read"],
    },
    {"key": "org:viewer", "name": "Viewer", "permissions": ["org:sys_api_keys:read"]},
    {"key": "org:member", "name": "Member", "permissions": []},
]


@pytest.fixture
def ada(clerk: LocalClerk) -> dict[str, Any]:
    """Return a user. The instance has API keys for users and organizations."""
    clerk.switch(api_keys=KEYS, organizations={"enabled": True, "roles": ROLES})
    return clerk.create_user(first_name="Ada")


def make_key(page: Page, name: str) -> str:
    """Create a key that is valid for a day, and return its secret."""
    page.get_by_role("button", name="Add new key").click()
    page.locator("input[name=name]").fill(name)
    page.locator(".cl-selectButton__apiKeyExpiration").click()
    page.locator(".cl-selectOption__apiKeyExpiration", has_text="1 Day").click()
    with page.expect_response(lambda r: "api_keys" in r.url and r.request.method == "POST") as made:
        page.get_by_role("button", name="Create key").click()
    answer = made.value
    assert (answer.status, answer.request.redirected_from) == (200, None)
    secret = str(answer.json()["secret"])
    expect(page.locator(".cl-apiKeysCopyModal-root input, .cl-apiKeysCopyModal input").first).to_have_value(
        secret
    )
    page.get_by_role("button", name="Close").last.click()
    return secret


def revoke(page: Page, name: str) -> None:
    row = page.locator(".cl-apiKeysTable .cl-tableRow", has_text=name)
    row.locator(".cl-menuButton").click()
    page.get_by_role("menuitem", name="Revoke key").click()
    page.locator("input[name=apiKeyRevokeConfirmation]").fill("Revoke")
    page.get_by_role("button", name="Revoke key").last.click()
    expect(row).to_have_count(0)


def test_a_user_creates_and_revokes_a_key(clerk: LocalClerk, ada: dict[str, Any], visitor: Visitor) -> None:
    visitor.enter(ada)
    visitor.show("APIKeys")
    page = visitor.page
    secret = make_key(page, "Reports")
    visitor.picture("key")
    seen = clerk.backend("POST", "/api_keys/verify", secret=secret)
    assert (seen["subject"], seen["name"]) == (ada["id"], "Reports")
    revoke(page, "Reports")
    with pytest.raises(AssertionError, match="404"):
        clerk.backend("POST", "/api_keys/verify", secret=secret)


def test_an_organization_has_its_own_keys(clerk: LocalClerk, ada: dict[str, Any], visitor: Visitor) -> None:
    name = f"Acme {time.time_ns()}"
    acme = clerk.backend("POST", "/organizations", name=name, created_by=ada["id"])
    visitor.enter(ada)
    visitor.show("OrganizationProfile", routing="hash")
    visitor.page.get_by_role("button", name="API keys").click()
    secret = make_key(visitor.page, "Deploy")
    assert clerk.backend("POST", "/api_keys/verify", secret=secret)["subject"] == acme["id"]


@pytest.mark.parametrize(("role", "sees"), [("org:viewer", True), ("org:member", False)])
def test_only_roles_with_permission_see_the_keys(
    clerk: LocalClerk, ada: dict[str, Any], visitor: Visitor, role: str, sees: bool
) -> None:
    acme = clerk.backend("POST", "/organizations", name="Acme", created_by=ada["id"])
    bob = clerk.create_user(first_name="Bob")
    path = f"/organizations/{acme['id']}/memberships"
    clerk.backend("POST", path, user_id=bob["id"], role=role)
    visitor.enter(bob)
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    visitor.show("OrganizationProfile", routing="hash")
    page = visitor.page
    page.get_by_role("button", name="API keys").click()
    if sees:
        expect(page.locator(".cl-apiKeysTable")).to_be_visible()
    else:
        page.wait_for_url(lambda url: "api-keys" in url)
    expect(page.get_by_role("button", name="Add new key")).to_have_count(0)
    expect(page.locator(".cl-apiKeysTable")).to_have_count(int(sees))
    assert any("api_keys" in url for url in asked) is sees
