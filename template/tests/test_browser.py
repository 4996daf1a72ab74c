"""The site in a real browser. Run it with: pytest -m browser

It needs the group ``browser`` in pyproject.toml, a Chromium, and Clerk.js, which
``flask clerk assets`` fetches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from clerk_emulator.testing import OpenPage, RunningClerk

pytestmark = pytest.mark.browser


def test_a_user_signs_up_and_out(clerk: RunningClerk, browser_page: OpenPage) -> None:
    page = browser_page()
    page.goto("/signup")
    page.get_by_label("Email address").fill("ada@example.com")
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.get_by_role("button", name="Continue", exact=True).click()
    page.get_by_label("Enter verification code").fill("424242")
    page.wait_for_url("**/dashboard")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/")
    page.goto("/dashboard")
    page.wait_for_url("**/login**")
