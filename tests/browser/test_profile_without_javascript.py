"""The account page of the hosted pages, with JavaScript disabled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.test_account_security import TEXTED
from tests.browser.test_profile import BACKUP_CODES
from tests.browser.test_profile_details import png
from tests.browser.test_without_javascript import enter_code, sign_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.local_clerk import LocalClerk
    from tests.browser.visitor import Visitor


def test_every_setting_of_an_account_works_without_javascript(
    visit: Callable[..., Visitor], clerk: LocalClerk
) -> None:
    clerk.switch(attributes={"phone_number": TEXTED, "backup_code": BACKUP_CODES})
    visitor = visit(javascript=False)
    page = visitor.page
    number = f"+1201555{visitor.email[-20:-16]}"
    user = clerk.create_user(first_name="Ada", phone_number=[number])
    visitor.go("/__clerk/sign-in")
    sign_in(page, user["email"])
    visitor.arrive("/")
    visitor.go("/__clerk/user")
    page.get_by_label("First name").fill("Augusta")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("name was saved")

    content = png(0, 128, 0)
    page.get_by_label("Another picture").set_input_files(
        {"name": "me.png", "mimeType": "image/png", "buffer": content}
    )
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("status")).to_contain_text("picture")
    shown = page.get_by_role("img", name="Your picture").get_attribute("src")
    assert shown is not None
    assert page.request.get(shown).body() == content
    visitor.picture("name and picture")

    page.get_by_label("Another address").fill(visitor.email)
    page.get_by_role("button", name="Add", exact=True).first.click()
    enter_code(page)
    page.get_by_role("button", name=f"Make primary {visitor.email}").click()
    page.get_by_role("button", name=f"Remove {user['email']}").click()
    expect(page.get_by_text(user["email"])).to_have_count(0)

    page.get_by_role("button", name="Use for codes").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Save these backup codes")
    visitor.picture("backup codes")
    page.get_by_role("link", name="Continue").click()
    visitor.arrive("/__clerk/user")
    page.get_by_role("button", name=f"Remove codes to {number}").click()
    expect(page.get_by_role("button", name="Use for codes")).to_be_visible()
    visitor.picture("account")
