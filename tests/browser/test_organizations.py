"""Organizations, in Clerk's own components."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser import components, mounting

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.local_clerk import LocalClerk
    from tests.browser.visitor import Visitor


@pytest.fixture
def ada(clerk: LocalClerk) -> dict[str, Any]:
    """Return a user. The instance has organizations."""
    clerk.switch(organizations={"enabled": True})
    return clerk.create_user(first_name="Ada")


def own_organization(visitor: Visitor, clerk: LocalClerk, user: dict[str, Any]) -> dict[str, Any]:
    """Create an organization for a user, and sign in; as their only one, it is active."""
    made: dict[str, Any] = clerk.backend(
        "POST", "/organizations", name=f"Acme {time.time_ns()}", created_by=user["id"]
    )
    visitor.enter(user)
    return made


def test_a_user_creates_organizations_and_switches_between_them(
    visitor: Visitor, ada: dict[str, Any]
) -> None:
    visitor.enter(ada)
    here = mounting.address("OrganizationSwitcher")
    page, trigger = visitor.page, visitor.page.locator(".cl-organizationSwitcherTrigger")
    names = [f"{name} {time.time_ns()}" for name in ("Acme", "Globex")]
    for name in names:
        visitor.show("OrganizationSwitcher", afterCreateOrganizationUrl=here)
        trigger.click()
        page.get_by_role("button", name="Create organization").click()
        page.locator("input[name=name]").fill(name)
        page.get_by_role("button", name="Create organization").last.click()
        page.get_by_role("button", name="Skip").click()
        expect(trigger).to_contain_text(name)
    trigger.click()
    visitor.picture("two organizations")
    page.get_by_text(names[0], exact=True).click()
    page.wait_for_function("name => window.Clerk?.organization?.name === name", arg=names[0])


def test_an_admin_invites_a_user(visitor: Visitor, clerk: LocalClerk, ada: dict[str, Any]) -> None:
    own_organization(visitor, clerk, ada)
    visitor.show("OrganizationProfile", routing="hash")
    page = visitor.page
    page.get_by_role("button", name="Members").click()
    page.get_by_role("button", name="Invite").click()
    page.get_by_placeholder("example@email.com").fill(visitor.email)
    page.keyboard.press("Enter")
    visitor.picture("invitation")
    page.get_by_role("button", name="Send invitations").click()
    page.get_by_role("tab", name="Invitations").click()
    expect(page.get_by_text(visitor.email)).to_be_visible()
    assert "ticket=" in clerk.last_link(visitor.email)


def test_an_invitation_link_joins_the_organization(
    visit: Callable[..., Visitor], clerk: LocalClerk, ada: dict[str, Any]
) -> None:
    organization = clerk.backend("POST", "/organizations", name="Acme", created_by=ada["id"])
    guest = visit()
    clerk.backend(
        "POST",
        f"/organizations/{organization['id']}/invitations",
        email_address=guest.email,
        role="org:member",
        redirect_url=f"{guest.site}/signup",
    )
    guest.page.goto(clerk.last_link(guest.email))
    guest.page.locator("input[name=password]").fill(components.PASSWORD)
    guest.picture("sign-up with a ticket")
    components.proceed(guest.page)
    guest.arrive("/dashboard")
    assert guest.page.request.get(f"{guest.site}/api/me").json()["organization_id"] == organization["id"]


def test_an_admin_changes_a_role(visitor: Visitor, clerk: LocalClerk, ada: dict[str, Any]) -> None:
    organization = own_organization(visitor, clerk, ada)
    bob = clerk.create_user(first_name="Bob")
    members = f"/organizations/{organization['id']}/memberships"
    clerk.backend("POST", members, user_id=bob["id"], role="org:member")
    visitor.show("OrganizationProfile", routing="hash")
    page = visitor.page
    page.get_by_role("button", name="Members").click()
    row = page.get_by_role("row").filter(has_text=bob["email"][:20])
    row.get_by_role("button", name="Member").click()
    page.get_by_role("option", name="Admin").or_(page.get_by_role("menuitem", name="Admin")).click()
    expect(row.get_by_role("button", name="Admin")).to_be_visible()
    visitor.picture("roles")
    roles = {m["public_user_data"]["user_id"]: m["role"] for m in clerk.backend("GET", members)["data"]}
    assert roles[bob["id"]] == "org:admin"


def test_an_admin_deletes_the_organization(visitor: Visitor, clerk: LocalClerk, ada: dict[str, Any]) -> None:
    organization = own_organization(visitor, clerk, ada)
    visitor.show("OrganizationProfile", routing="hash", afterLeaveOrganizationUrl="/dashboard")
    page = visitor.page
    page.get_by_role("button", name="Delete organization").click()
    page.locator("input[name=deleteOrganizationConfirmation]").fill(organization["name"])
    page.get_by_role("button", name="Delete organization").last.click()
    visitor.arrive("/dashboard")
    with pytest.raises(AssertionError, match="404"):
        clerk.backend("GET", f"/organizations/{organization['id']}")


def test_a_user_without_an_organization_must_create_one_first(
    visitor: Visitor, clerk: LocalClerk, ada: dict[str, Any]
) -> None:
    clerk.switch(organizations={"enabled": True, "force_organization_selection": True})
    visitor.go("/login")
    page = visitor.page
    components.sign_in(page, ada["email"])
    page.locator("input[name=name]").fill(f"Acme {time.time_ns()}")
    visitor.picture("task")
    page.get_by_role("button", name="Continue").click()
    visitor.arrive("/dashboard")
    assert page.request.get(f"{visitor.site}/api/me").json()["organization_id"]
