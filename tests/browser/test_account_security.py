"""The security page of Clerk's own user profile: password, second factors, devices, deletion."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser import components, profile
from tests.browser.test_profile import AUTHENTICATOR, BACKUP_CODES, authenticator_code

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.local_clerk import LocalClerk
    from tests.browser.visitor import Visitor

NEW = "quite another password"
TEXTED = {
    "enabled": True,
    "used_for_second_factor": True,
    "second_factors": ["phone_code"],
    "verifications": ["phone_code"],
}


def open_security(visitor: Visitor) -> Page:
    visitor.show("UserProfile", routing="hash")
    profile.open_security(visitor.page)
    return visitor.page


def is_signed_in(visitor: Visitor) -> bool:
    """Load Clerk.js again in that browser, and return whether it is signed in."""
    visitor.show("Nothing")
    return bool(visitor.page.evaluate("Clerk.isSignedIn"))


def test_a_new_password_signs_out_all_other_devices(visit: Callable[..., Visitor], clerk: LocalClerk) -> None:
    clerk.switch(sessions={"reverification": False})
    visitor, elsewhere = visit(), visit()
    user = clerk.create_user(first_name="Ada")
    elsewhere.enter(user)
    visitor.enter(user)
    page = open_security(visitor)
    page.get_by_role("button", name="Update password").click()
    visitor.expect_error(422, "/change_password")
    profile.set_password(page, NEW, current="not my password")
    components.expect_error(page, "currentPassword", "incorrect")
    expect(page.get_by_label("Sign out of all other devices")).to_be_checked()
    profile.set_password(page, NEW, current=components.PASSWORD)
    profile.closed(page, "password")
    visitor.picture("password changed")
    assert not is_signed_in(elsewhere)
    assert is_signed_in(visitor)
    elsewhere.enter(user, NEW)


def test_a_user_without_a_password_sets_one(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(attributes={"password": {"required": False}})
    visitor.enter_by_clerk_js(clerk.create_user(first_name="Ada"))
    removal = "password => Clerk.user.removePassword({ currentPassword: password })"
    visitor.page.evaluate(removal, components.PASSWORD)
    page = open_security(visitor)
    page.get_by_role("button", name="Set password").click()
    profile.set_password(page, NEW)
    profile.closed(page, "password")
    expect(page.get_by_role("button", name="Update password")).to_be_visible()


def test_text_messages_and_an_authenticator_app_are_both_second_factors(
    visitor: Visitor, clerk: LocalClerk
) -> None:
    clerk.switch(
        attributes={
            "phone_number": TEXTED,
            "authenticator_app": AUTHENTICATOR,
            "backup_code": BACKUP_CODES,
        }
    )
    number = f"+1201555{int(time.time() * 10) % 10_000:04}"
    visitor.enter(clerk.create_user(first_name="Ada", phone_number=[number]))
    page = open_security(visitor)
    page.get_by_role("button", name="Add two-step verification").click()
    page.get_by_role("menuitem", name="SMS code").click()
    page.get_by_role("button", name=re.compile(number[-4:])).click()
    page.get_by_text("SMS code verification enabled").wait_for()
    before = backup_codes(page)
    page.get_by_role("button", name="Finish").click()
    expect(profile.item(page, "mfa", "SMS code")).to_contain_text("Default")

    page.get_by_role("button", name="Add two-step verification").click()
    page.get_by_role("menuitem", name="Authenticator application").click()
    page.get_by_role("button", name=re.compile("scan QR code")).click()
    secret = profile.section(page, "mfa").locator("input").first.input_value()
    components.proceed(page)
    components.enter_code(page, authenticator_code(secret))
    page.get_by_role("button", name="Finish").click()
    expect(profile.item(page, "mfa", "Authenticator application")).to_be_visible()
    visitor.picture("two second factors")

    profile.choose(page, "mfa", "Backup codes", "Regenerate")
    after = backup_codes(page)
    assert len(after) == 10
    assert not set(after) & set(before)
    page.get_by_role("button", name="Finish").click()
    profile.choose(page, "mfa", number[-4:], "Remove")
    profile.confirm(page, "mfa")
    expect(profile.item(page, "mfa", "SMS code")).to_have_count(0)
    profile.choose(page, "mfa", "Authenticator application", "Remove")
    profile.confirm(page, "mfa")
    expect(page.locator(".cl-profileSectionItem__mfa")).to_have_count(0)
    visitor.picture("no second factor")


def backup_codes(page: Page) -> list[str]:
    """Return the codes that the section shows."""
    page.get_by_role("button", name="Finish").wait_for()
    return re.findall(r"^[a-z0-9]{8}$", profile.section(page, "mfa").inner_text(), re.M)


def test_a_user_signs_out_another_device(visit: Callable[..., Visitor], clerk: LocalClerk) -> None:
    visitor, elsewhere = visit(), visit()
    user = clerk.create_user(first_name="Ada")
    elsewhere.enter(user)
    visitor.enter(user)
    page = open_security(visitor)
    devices = page.locator(".cl-activeDeviceListItem")
    expect(devices).to_have_count(2)
    expect(devices.filter(has_text="This device")).to_have_count(1)
    visitor.picture("two devices")
    other = devices.filter(has_not_text="This device")
    other.get_by_role("button", name="Open menu").click()
    with page.expect_response(lambda answer: "/revoke" in answer.url):
        page.get_by_role("menuitem", name="Sign out of device").click()
    open_security(visitor)
    expect(devices).to_have_count(1)
    assert not is_signed_in(elsewhere)
    assert is_signed_in(visitor)


def test_users_delete_their_account_if_the_instance_allows_it(
    visit: Callable[..., Visitor], clerk: LocalClerk
) -> None:
    clerk.switch(actions={"delete_self": False})
    visitor = visit()
    visitor.enter(clerk.create_user(first_name="Ada"))
    page = open_security(visitor)
    expect(profile.section(page, "password")).to_be_visible()
    expect(page.get_by_role("button", name="Delete account")).to_have_count(0)
    clerk.switch()
    page = open_security(visitor)
    page.get_by_role("button", name="Delete account").click()
    deletion = page.get_by_role("button", name="Delete account").last
    page.locator("input[name=deleteConfirmation]").fill("Delete")
    expect(deletion).to_be_disabled()
    page.locator("input[name=deleteConfirmation]").fill("Delete account")
    deletion.click()
    visitor.arrive("/")
    assert not [c for c in page.context.cookies() if c.get("name", "").startswith("__session")]
    assert not is_signed_in(visitor)
