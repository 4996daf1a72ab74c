"""Joining and leaving organizations, roles and domains, in Clerk's own components."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser import components

if TYPE_CHECKING:
    from tests.browser.local_clerk import LocalClerk
    from tests.browser.visitor import Visitor

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
BILLING_CLERK = {
    "key": "org:clerk",
    "name": "Clerk",
    "permissions": ["org:sys_memberships:read", "org:invoices:read"],
}
ADMIN = {
    "key": "org:admin",
    "name": "Admin",
    "permissions": [
        f"org:sys_{name}"
        for name in (
            "profile:manage",
            "profile:delete",
            "memberships:read",
            "memberships:manage",
            "domains:read",
            "domains:manage",
        )
    ],
}
MEMBER = {"key": "org:member", "name": "Member", "permissions": ["org:sys_memberships:read"]}
SETTINGS = {
    "enabled": True,
    "domains": True,
    "roles": [ADMIN, MEMBER, BILLING_CLERK],
    "permissions": [{"key": "org:invoices:read", "name": "Read invoices"}],
}


@pytest.fixture
def ada(clerk: LocalClerk) -> dict[str, Any]:
    """Return a user. Organizations of the instance have domains and a custom role."""
    clerk.switch(organizations=SETTINGS)
    return clerk.create_user(first_name="Ada")


def make(clerk: LocalClerk, user: dict[str, Any]) -> dict[str, Any]:
    name = f"Acme {time.time_ns()}"
    made: dict[str, Any] = clerk.backend("POST", "/organizations", name=name, created_by=user["id"])
    return made


def members(clerk: LocalClerk, organization: dict[str, Any]) -> dict[str, str]:
    """Return the role of each member, by user ID."""
    found = clerk.backend("GET", f"/organizations/{organization['id']}/memberships")["data"]
    return {one["public_user_data"]["user_id"]: one["role"] for one in found}


def join(clerk: LocalClerk, organization: dict[str, Any], role: str = "org:member") -> dict[str, Any]:
    """Add a new member, and return the user."""
    bob = clerk.create_user(first_name="Bob")
    path = f"/organizations/{organization['id']}/memberships"
    clerk.backend("POST", path, user_id=bob["id"], role=role)
    return bob


def profile(visitor: Visitor, user: dict[str, Any], organization: dict[str, Any]) -> None:
    """Sign in as a member, and open the profile of their only organization."""
    visitor.enter(user)
    visitor.show("OrganizationProfile", routing="hash", afterLeaveOrganizationUrl="/dashboard")


def test_a_member_leaves(visitor: Visitor, clerk: LocalClerk, ada: dict[str, Any]) -> None:
    acme = make(clerk, ada)
    bob = join(clerk, acme)
    profile(visitor, bob, acme)
    page = visitor.page
    page.get_by_role("button", name="Leave organization").click()
    page.locator("input[name=deleteOrganizationConfirmation]").fill(acme["name"])
    page.get_by_role("button", name="Leave organization").last.click()
    visitor.arrive("/dashboard")
    assert set(members(clerk, acme)) == {ada["id"]}


def test_an_admin_removes_a_member(visitor: Visitor, clerk: LocalClerk, ada: dict[str, Any]) -> None:
    acme = make(clerk, ada)
    bob = join(clerk, acme)
    profile(visitor, ada, acme)
    page = visitor.page
    page.get_by_role("button", name="Members").click()
    row = page.get_by_role("row").filter(has_text=bob["email"][:20])
    row.get_by_role("button", name="Open menu").click()
    page.get_by_role("menuitem", name="Remove member").click()
    expect(row).to_have_count(0)
    assert set(members(clerk, acme)) == {ada["id"]}


def test_a_custom_role_grants_exactly_its_permissions(
    visitor: Visitor, clerk: LocalClerk, ada: dict[str, Any]
) -> None:
    acme = make(clerk, ada)
    bob = join(clerk, acme, "org:clerk")
    profile(visitor, bob, acme)
    page = visitor.page
    asked = {
        key: page.evaluate("permission => Clerk.session.checkAuthorization({ permission })", key)
        for key in ("org:invoices:read", "org:sys_memberships:manage")
    }
    assert asked == {"org:invoices:read": True, "org:sys_memberships:manage": False}
    page.get_by_role("button", name="Members").click()
    expect(page.get_by_role("row").filter(has_text=bob["email"][:20])).to_be_visible()
    expect(page.get_by_role("button", name="Invite")).to_have_count(0)


def test_an_invitation_is_accepted_in_the_switcher(
    visitor: Visitor, clerk: LocalClerk, ada: dict[str, Any]
) -> None:
    acme, bob = make(clerk, ada), clerk.create_user(first_name="Bob")
    path = f"/organizations/{acme['id']}/invitations"
    clerk.backend("POST", path, email_address=bob["email"], role="org:clerk")
    visitor.enter(bob)
    visitor.show("OrganizationSwitcher")
    page = visitor.page
    page.locator(".cl-organizationSwitcherTrigger").click()
    expect(page.get_by_text(acme["name"])).to_be_visible()
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_role("button", name="Join")).to_have_count(0)
    visitor.picture("joined")
    assert members(clerk, acme)[bob["id"]] == "org:clerk"


def test_users_of_a_verified_domain_request_to_join_and_are_approved(
    visitor: Visitor, clerk: LocalClerk, ada: dict[str, Any]
) -> None:
    acme, domain = make(clerk, ada), f"acme{time.time_ns()}.com"
    path = f"/organizations/{acme['id']}/domains"
    mode = "automatic_suggestion"
    clerk.backend("POST", path, name=domain, enrollment_mode=mode, verified=True)
    bob = clerk.create_user(f"bob@{domain}", first_name="Bob")
    visitor.enter(bob)
    visitor.show("OrganizationList")
    page = visitor.page
    page.get_by_role("button", name="Request to join").click()
    expect(page.get_by_text("Pending approval")).to_be_visible()
    page.evaluate("Clerk.signOut()")
    profile(visitor, ada, acme)
    page.get_by_role("button", name="Members").click()
    page.get_by_role("tab", name="Requests").click()
    row = page.get_by_role("row").filter(has_text=bob["email"])
    row.get_by_role("button", name="Approve").click()
    expect(row).to_have_count(0)
    assert members(clerk, acme)[bob["id"]] == "org:member"


def test_an_admin_verifies_a_domain_and_enables_automatic_invitations(
    visitor: Visitor, clerk: LocalClerk, ada: dict[str, Any]
) -> None:
    acme, domain = make(clerk, ada), f"acme{time.time_ns()}.com"
    profile(visitor, ada, acme)
    page = visitor.page
    page.get_by_role("button", name="Add domain").click()
    page.locator("input[name=name]").fill(domain)
    page.get_by_role("button", name="Save").click()
    page.locator("input[name=affiliationEmailAddress]").fill("ada")
    page.get_by_role("button", name="Save").click()
    components.enter_code(page)
    # Clerk.js closes the form immediately but shows the domain as it was before the code.
    expect(page.locator("input[data-otp-input]")).to_have_count(0)
    visitor.show("OrganizationProfile", routing="hash")
    row = page.locator(".cl-profileSectionItem__organizationDomains", has_text=domain)
    row.get_by_role("button", name="Open menu").click()
    page.get_by_role("menuitem", name="Manage").click()
    page.get_by_text("Automatic invitations").click()
    page.get_by_role("button", name="Save").click()
    expect(row.get_by_text("Automatic invitations")).to_be_visible()
    visitor.picture("domain")
    (shown,) = clerk.backend("GET", f"/organizations/{acme['id']}/domains")["data"]
    assert shown["enrollment_mode"] == "automatic_invitation"
    assert shown["verification"]["status"] == "verified"


def test_an_admin_changes_name_and_logo(visitor: Visitor, clerk: LocalClerk, ada: dict[str, Any]) -> None:
    acme = make(clerk, ada)
    profile(visitor, ada, acme)
    page = visitor.page
    page.get_by_role("button", name="Update profile").click()
    page.locator("input[name=name]").fill("Globex")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".cl-profileSectionItem__organizationProfile")).to_contain_text("Globex")
    page.get_by_role("button", name="Update profile").click()
    # The saved form is still closing.
    expect(page.locator("input[type=file]")).to_have_count(1)
    page.locator("input[type=file]").set_input_files(
        {"name": "logo.png", "mimeType": "image/png", "buffer": PICTURE}
    )
    page.wait_for_function("() => Clerk.organization.hasImage")
    shown = clerk.backend("GET", f"/organizations/{acme['id']}")
    assert (shown["name"], shown["has_image"]) == ("Globex", True)


def test_forced_organization_selection_hides_the_personal_account(
    visitor: Visitor, clerk: LocalClerk, ada: dict[str, Any]
) -> None:
    acme = make(clerk, ada)
    clerk.switch(organizations=SETTINGS | {"force_organization_selection": True})
    visitor.enter(ada)
    visitor.show("OrganizationSwitcher")
    trigger = visitor.page.locator(".cl-organizationSwitcherTrigger")
    expect(trigger).to_contain_text(acme["name"])
    trigger.click()
    expect(visitor.page.get_by_text("Create organization")).to_be_visible()
    expect(visitor.page.get_by_text("Personal account")).to_have_count(0)
