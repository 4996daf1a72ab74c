"""Session tasks after signing in or signing up, in Clerk's own components and without JavaScript."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from tests.browser import components
from tests.browser.test_profile import AUTHENTICATOR, BACKUP_CODES, authenticator_code

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.local_clerk import LocalClerk
    from tests.browser.visitor import Visitor

FORCED = {"enabled": True, "force_organization_selection": True}
SMS = {
    "enabled": True,
    "used_for_second_factor": True,
    "second_factors": ["phone_code"],
    "verifications": ["phone_code"],
}
NEW_PASSWORD = "quite another password"
NUMBER = "+12015550123"


def choose_name(page: Page) -> None:
    page.locator("input[name=name]").fill(f"Acme {time.time_ns()}")
    page.get_by_role("button", name="Continue").click()


def expect_signed_out(visitor: Visitor) -> None:
    """Check that the app treats a session with open tasks as signed out."""
    answer = visitor.page.request.get(f"{visitor.site}/api/me")
    assert answer.status == 401, answer.text()


def active_organization(visitor: Visitor) -> str | None:
    found: str | None = visitor.page.request.get(f"{visitor.site}/api/me").json()["organization_id"]
    return found


def test_a_compromised_password_is_reset_then_an_organization_created(
    visitor: Visitor, clerk: LocalClerk
) -> None:
    clerk.switch(organizations=FORCED)
    user = clerk.create_user()
    clerk.backend("POST", f"/users/{user['id']}/password/set_compromised")
    visitor.expect_error(422, "/attempt_first_factor")
    page = visitor.page
    visitor.go("/login")
    components.sign_in(page, user["email"])
    page.get_by_role("button", name=re.compile("Email code to")).click()
    components.enter_code(page)
    components.fill_new_password(page, NEW_PASSWORD)
    visitor.picture("new password")
    expect_signed_out(visitor)
    page.get_by_role("button", name="Reset password").click()
    choose_name(page)
    visitor.arrive("/dashboard")
    assert active_organization(visitor)


def test_a_new_user_joins_the_organization_that_invited_them(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(organizations=FORCED)
    made = clerk.backend("POST", "/organizations", name="Engines")
    invitation = {"email_address": visitor.email, "role": "org:member"}
    clerk.backend("POST", f"/organizations/{made['id']}/invitations", **invitation)
    page = visitor.page
    visitor.go("/signup")
    components.sign_up(page, visitor.email)
    page.get_by_role("button", name="Join").wait_for()
    visitor.picture("invitation")
    visitor.go("/dashboard")
    visitor.arrive("/login")
    page.get_by_role("button", name="Join").click()
    page.get_by_role("button", name="Engines").click()
    visitor.arrive("/dashboard")
    assert active_organization(visitor) == made["id"]


def test_a_user_who_requested_to_join_has_to_wait(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(organizations=FORCED | {"domains": True})
    made = clerk.backend("POST", "/organizations", name="Engines")
    host = f"engines{time.time_ns()}.example"
    domain = {"name": host, "enrollment_mode": "automatic_suggestion", "verified": True}
    clerk.backend("POST", f"/organizations/{made['id']}/domains", **domain)
    user = clerk.create_user(f"ada@{host}")
    visitor.go("/login")
    components.sign_in(visitor.page, user["email"])
    visitor.page.get_by_role("button", name="Request to join").click()
    expect(visitor.page.get_by_text("Pending approval")).to_be_visible()
    expect_signed_out(visitor)


def test_a_new_user_sets_up_text_messages_as_second_factor(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(
        attributes={"phone_number": SMS, "backup_code": BACKUP_CODES},
        sign_in={"second_factor_required": True},
    )
    page = visitor.page
    visitor.go("/signup")
    components.sign_up(page, visitor.email)
    page.locator("input[name=phoneNumber]").fill(NUMBER)
    components.proceed(page)
    components.enter_code(page)
    page.get_by_text("Save these backup codes").wait_for()
    visitor.picture("backup codes")
    components.proceed(page)
    visitor.arrive("/dashboard")


def test_a_user_who_signs_in_sets_up_an_authenticator_app(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(
        attributes={"authenticator_app": AUTHENTICATOR, "backup_code": BACKUP_CODES},
        sign_in={"second_factor_required": True},
    )
    user = clerk.create_user()
    page = visitor.page
    visitor.go("/login")
    components.sign_in(page, user["email"])
    page.get_by_role("button", name=re.compile("scan QR code", re.I)).click()
    secret = page.locator("input[readonly], input[disabled]").first.input_value()
    visitor.picture("authenticator app")
    components.proceed(page)
    components.enter_code(page, authenticator_code(secret))
    page.get_by_text("Save these backup codes").wait_for()
    components.proceed(page)
    visitor.arrive("/dashboard")


def test_every_task_works_without_javascript(visit: Callable[..., Visitor], clerk: LocalClerk) -> None:
    visitor = visit(javascript=False)
    tables: dict[str, Any] = {
        "attributes": {"authenticator_app": AUTHENTICATOR, "phone_number": SMS, "backup_code": BACKUP_CODES},
        "sign_in": {"second_factor_required": True},
        "organizations": FORCED,
    }
    clerk.switch(**tables)
    user = clerk.create_user()
    clerk.backend("POST", f"/users/{user['id']}/password/set_compromised")
    page = visitor.page
    visitor.go(f"/__clerk/sign-in?redirect_url={visitor.site}/profile")
    page.get_by_label("Email address").fill(user["email"])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=re.compile("code to .*@")).first.click()
    page.get_by_label("Verification code").fill(components.CODE)
    page.get_by_role("button", name="Continue").first.click()
    visitor.arrive("/__clerk/tasks/reset-password")
    expect_signed_out(visitor)
    page.get_by_label("New password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Save").click()
    visitor.arrive("/__clerk/tasks/setup-mfa")
    visitor.picture("second factor")
    page.get_by_label("Phone number").fill("+12015550124")
    page.get_by_role("button", name="Send a code").click()
    page.get_by_label("Verification code").fill(components.CODE)
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("heading", name="Save these backup codes")).to_be_visible()
    visitor.picture("backup codes")
    page.get_by_role("link", name="Continue").click()
    visitor.arrive("/__clerk/tasks/choose-organization")
    page.get_by_label("Name").fill(f"Acme {time.time_ns()}")
    visitor.picture("organization")
    page.get_by_role("button", name="Create").click()
    visitor.arrive("/profile")
    assert active_organization(visitor)
