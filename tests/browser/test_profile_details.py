"""Picture, names, email addresses, phone numbers and social accounts, in Clerk's own user profile."""

from __future__ import annotations

import struct
import time
import zlib
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser import components, profile

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.local_clerk import LocalClerk
    from tests.browser.visitor import Visitor

PICTURE = ".cl-profileSectionItem__profile img"
PHONES = {"enabled": True, "used_for_first_factor": True, "verifications": ["phone_code"]}


def png(red: int, green: int, blue: int) -> bytes:
    """Return a picture of 16 by 16 pixels in one color."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)
    rows = (b"\0" + bytes((red, green, blue)) * 16) * 16
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def shown_color(page: Page) -> list[int]:
    """Return the color of the shown picture."""
    color: list[int] = page.locator(PICTURE).evaluate(
        """async (picture) => {
          await picture.decode();
          const canvas = new OffscreenCanvas(1, 1).getContext("2d");
          canvas.drawImage(picture, 0, 0, 1, 1);
          return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
        }"""
    )
    return color


def upload(page: Page, content: bytes) -> None:
    """Upload a picture in the profile form, and wait until it is saved."""
    page.get_by_role("button", name="Update profile").click()
    with page.expect_response(lambda answer: "/profile_image" in answer.url):
        page.locator("input[type=file]").set_input_files(
            {"name": "me.png", "mimeType": "image/png", "buffer": content}
        )
    profile.closed(page, "profile")


def test_a_picture_is_uploaded_replaced_and_removed(visitor: Visitor, clerk: LocalClerk) -> None:
    user = clerk.create_user(first_name="Ada")
    visitor.enter(user)
    page = visitor.page
    visitor.go("/profile")
    upload(page, png(255, 0, 0))
    expect(page.locator(PICTURE)).to_be_visible()
    assert shown_color(page) == [255, 0, 0]
    visitor.picture("red picture")
    upload(page, png(0, 0, 255))
    page.reload()
    assert shown_color(page) == [0, 0, 255]
    page.get_by_role("button", name="Update profile").click()
    page.get_by_role("button", name="Remove").click()
    profile.closed(page, "profile")
    assert clerk.backend("GET", f"/users/{user['id']}")["has_image"] is False


def test_names_and_username_are_changed(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(attributes={"username": {"enabled": True, "used_for_first_factor": True}})
    taken, free = (f"{name}-{time.time_ns()}" for name in ("grace", "ada"))
    clerk.create_user(username=taken)
    visitor.enter(clerk.create_user(first_name="Ada", last_name="Byron"))
    page = visitor.page
    visitor.go("/profile")
    page.get_by_role("button", name="Update profile").click()
    page.get_by_label("First name").fill("Augusta")
    page.get_by_label("Last name").fill("King")
    page.get_by_role("button", name="Save").click()
    expect(profile.item(page, "profile", "Augusta King")).to_be_visible()

    page.get_by_role("button", name="Set username").click()
    page.locator("input[name=username]").fill(taken)
    visitor.expect_error(422, "/me")
    page.get_by_role("button", name="Save").click()
    components.expect_error(page, "username", "taken")
    page.locator("input[name=username]").fill(free)
    page.get_by_role("button", name="Save").click()
    expect(profile.item(page, "username", free)).to_be_visible()
    profile.closed(page, "username")

    page.get_by_role("button", name="Update username").click()
    profile.section(page, "username").get_by_role("button", name="Cancel").click()
    profile.closed(page, "username")
    visitor.picture("names")


def test_an_email_address_is_added_made_primary_and_the_old_one_removed(
    visitor: Visitor, clerk: LocalClerk
) -> None:
    taken = clerk.create_user()
    user = clerk.create_user(first_name="Ada")
    visitor.enter(user)
    page = visitor.page
    visitor.go("/profile")
    visitor.expect_error(422, "/email_addresses")
    profile.add_email_address(page, taken["email"])
    components.expect_error(page, "emailAddress", "taken")
    visitor.picture("taken")
    page.get_by_label("Email address").fill(visitor.email)
    page.get_by_role("button", name="Add", exact=True).click()
    visitor.expect_error(422, "/attempt_verification")
    components.enter_code(page, "000000")
    expect(page.get_by_test_id("form-feedback-error")).to_be_visible()
    expect(page.locator("input[autocomplete=one-time-code]").first).to_have_value("")
    components.enter_code(page)
    profile.closed(page, "emailAddresses")

    profile.choose(page, "emailAddresses", visitor.email, "Set as primary")
    expect(profile.item(page, "emailAddresses", visitor.email)).to_contain_text("Primary")
    profile.choose(page, "emailAddresses", user["email"], "Remove email")
    profile.confirm(page, "emailAddresses")
    expect(profile.item(page, "emailAddresses", user["email"])).to_have_count(0)
    visitor.picture("only the new address")


def test_an_email_address_is_verified_by_a_link(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(attributes={"email_address": {"verifications": ["email_link"]}})
    visitor.enter(clerk.create_user(first_name="Ada"))
    page = visitor.page
    visitor.go("/profile")
    profile.add_email_address(page, visitor.email)
    page.get_by_text("verification link").first.wait_for()
    elsewhere = page.context.new_page()
    elsewhere.goto(clerk.last_link(visitor.email))
    expect(profile.item(page, "emailAddresses", visitor.email)).to_be_visible()
    profile.closed(page, "emailAddresses")
    expect(profile.item(page, "emailAddresses", visitor.email)).not_to_contain_text("Unverified")
    visitor.picture("verified by link")
    elsewhere.close()


def test_a_phone_number_is_added_made_primary_and_removed(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(attributes={"phone_number": PHONES})
    first, second = (f"201555{int(time.time() * 10) % 5000 + n:04}" for n in (0, 5000))
    visitor.enter(clerk.create_user(first_name="Ada", phone_number=[f"+1{first}"]))
    page = visitor.page
    visitor.go("/profile")
    profile.add_phone_number(page, second)
    tail = second[-4:]
    profile.choose(page, "phoneNumbers", tail, "Set as primary")
    expect(profile.item(page, "phoneNumbers", tail)).to_contain_text("Primary")
    profile.choose(page, "phoneNumbers", first[-4:], "Remove phone")
    profile.confirm(page, "phoneNumbers")
    expect(page.locator(".cl-profileSectionItem__phoneNumbers")).to_have_count(1)
    visitor.picture("only the new number")


def test_a_social_account_is_connected_and_removed(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(social={"github": {"enabled": True}})
    visitor.enter(clerk.create_user(first_name="Ada"))
    page = visitor.page
    visitor.go("/profile")
    page.get_by_role("button", name="Connect account").click()
    page.get_by_role("menuitem", name="GitHub").click()
    components.consent(page, "Ada", visitor.email)
    visitor.arrive("/profile")
    expect(page.locator(".cl-profileSection__connectedAccounts")).to_contain_text("GitHub")
    visitor.picture("connected")
    profile.choose(page, "connectedAccounts", "GitHub", "Remove")
    profile.confirm(page, "connectedAccounts")
    expect(profile.item(page, "connectedAccounts", "GitHub")).to_have_count(0)
    visitor.picture("connected no longer")
