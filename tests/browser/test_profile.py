"""The user profile, in Clerk's own component."""

from __future__ import annotations

import base64
import hmac
import re
import struct
import time
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser import components

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.local_clerk import LocalClerk
    from tests.browser.visitor import Visitor

AUTHENTICATOR = {"enabled": True, "used_for_second_factor": True, "second_factors": ["totp"]}
BACKUP_CODES = {"enabled": True, "used_for_second_factor": True, "second_factors": ["backup_code"]}


def authenticator_code(secret: str, later: int = 0) -> str:
    """Return the code that an authenticator app shows now, or `later` seconds from now (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, struct.pack(">Q", int((time.time() + later) // 30)), "sha1")
    (number,) = struct.unpack_from(">I", digest, digest[-1] & 15)
    return f"{(number & 0x7FFFFFFF) % 10**6:06}"


def test_a_user_changes_their_name_and_adds_an_email_address(visitor: Visitor, clerk: LocalClerk) -> None:
    visitor.enter(clerk.create_user(first_name="Ada"))
    page = visitor.page
    visitor.go("/profile")
    page.get_by_role("button", name="Update profile").click()
    page.get_by_label("First name").fill("Augusta")
    page.get_by_label("Last name").fill("King")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Augusta King").first).to_be_visible()

    page.get_by_role("button", name="Add email address").click()
    page.get_by_label("Email address").fill(visitor.email)
    page.get_by_role("button", name="Add", exact=True).click()
    components.enter_code(page)
    expect(page.locator("input[data-otp-input]")).to_have_count(0)
    expect(page.get_by_text(visitor.email, exact=True)).to_be_visible()
    visitor.picture("name and address")


def test_changing_the_password_requires_reverification(
    visit: Callable[..., Visitor], clerk: LocalClerk
) -> None:
    visitor, elsewhere = visit(), visit()
    user = clerk.create_user(first_name="Ada")
    visitor.enter(user)
    clerk.ask("POST", "/emulator/clock", {"advance_seconds": 1200})
    visitor.show("UserProfile", routing="hash")
    page = visitor.page
    page.get_by_role("button", name="Security").click()
    page.get_by_role("button", name="Update password").click()
    components.fill_new_password(page, "quite another password")
    visitor.expect_error(403, "/change_password")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Verification required").wait_for()
    visitor.picture("verification required")
    components.fill_password(page)
    expect(page.get_by_text("Verification required")).to_have_count(0)
    expect(page.locator("input[name=newPassword]")).to_have_count(0)
    elsewhere.enter(user, "quite another password")


def test_a_backup_code_works_in_place_of_the_authenticator_app(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(attributes={"authenticator_app": AUTHENTICATOR, "backup_code": BACKUP_CODES})
    user = clerk.create_user(first_name="Ada")
    visitor.enter(user)
    page = visitor.page
    visitor.go("/profile")
    page.get_by_role("button", name="Security").click()
    page.get_by_role("button", name="Add two-step verification").click()
    page.get_by_role("menuitem", name="Authenticator application").click()
    page.get_by_role("button", name=re.compile("scan QR code")).click()
    secret = page.locator(".cl-profileSection__mfa input").first.input_value()
    page.get_by_role("button", name="Continue", exact=True).click()
    components.enter_code(page, authenticator_code(secret))
    page.get_by_role("button", name="Finish").wait_for()
    visitor.picture("backup codes")
    codes = re.findall(r"^[a-z0-9]{8}$", page.locator(".cl-profileSection__mfa").inner_text(), re.M)
    page.get_by_role("button", name="Finish").click()
    expect(page.locator(".cl-profileSection__mfa")).to_contain_text("Default")

    components.sign_out(page)
    visitor.arrive("/")
    visitor.go("/login")
    components.sign_in(page, user["email"])
    page.wait_for_url(lambda url: "/factor-two" in url)
    visitor.picture("second factor")
    page.get_by_text("Use another method").click()
    page.get_by_role("button", name="Use a backup code").click()
    page.locator("input[name=code]").fill(codes[0])
    components.proceed(page)
    visitor.arrive("/dashboard")
