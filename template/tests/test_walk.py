"""From sign-up to the deletion of the account, in a browser without JavaScript."""

from __future__ import annotations

import re
import time
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import pytest
import requests
import sqlalchemy as sa
from flask import Flask

from app.accounts import User
from app.database import db

if TYPE_CHECKING:
    from clerk_emulator.testing import RunningClerk


class PlainBrowser:
    """Follows redirects, keeps cookies, and fills in forms.

    :param origin: of the site, such as ``http://localhost:5000``.
    """

    def __init__(self, origin: str) -> None:
        self._http = requests.Session()
        self._http.headers.update({"Accept": "text/html", "Sec-Fetch-Dest": "document"})
        self._origin = origin
        self.page = requests.Response()

    @property
    def path(self) -> str:
        """The path of the open page."""
        return urlsplit(self.page.url).path

    def open(self, address: str) -> None:
        """Open a page of the site."""
        self._forget_redirects()
        self.page = self._http.get(urljoin(self._origin, address), timeout=10)

    def follow(self, part: str) -> None:
        """Follow the link whose address contains this."""
        links = re.findall(r'href="([^"]*)"', self.page.text)
        self.open(unescape(next(link for link in links if part in link)))

    def submit(self, action: str, **fields: str) -> None:
        """Fill in the form whose action ends like this, and send it."""
        self._forget_redirects()
        actions = re.findall(r'<form[^>]*action="([^"]*)"', self.page.text)
        target = next(url for url in actions if url.partition("?")[0].endswith(action))
        if token := re.search(r'name="csrf_token" value="([^"]*)"', self.page.text):
            fields["csrf_token"] = token[1]
        url = urljoin(self.page.url, unescape(target))
        headers = {"Origin": self._origin}
        self.page = self._http.post(url, data=fields, headers=headers, timeout=10)

    def _forget_redirects(self) -> None:
        # Protects against redirect loops for two seconds; a person is slower than that.
        for cookie in [c for c in self._http.cookies if c.name == "__clerk_redirect_count"]:
            self._http.cookies.clear(cookie.domain, cookie.path, cookie.name)


@pytest.fixture
def browser(clerk: RunningClerk, live_site: str) -> PlainBrowser:
    """A browser on the site, which runs on a port of this machine."""
    return PlainBrowser(live_site)


def count_users(site: Flask) -> int:
    """Count the rows of users."""
    with site.app_context():
        return db.session.scalar(sa.select(sa.func.count()).select_from(User)) or 0


def test_sign_up_sign_out_sign_in_and_delete_the_account(
    browser: PlainBrowser, site: Flask
) -> None:
    browser.open("/dashboard")
    assert browser.path == "/login"

    browser.open("/signup")
    browser.follow("/__clerk/sign-up")
    browser.submit("/sign-up", email_address="ada@example.com", password="correct horse battery")
    browser.submit("/sign-up/verify", code="424242")
    assert browser.path == "/dashboard"
    assert count_users(site) == 1

    browser.open("/nowhere")  # any page with the navigation
    browser.submit("/logout")
    assert browser.path == "/"
    browser.open("/dashboard")
    assert browser.path == "/login"

    browser.follow("/__clerk/sign-in")
    browser.submit("/sign-in", identifier="ada@example.com", password="wrong")
    assert browser.path == "/__clerk/sign-in"
    browser.submit("/sign-in", identifier="ada@example.com", password="correct horse battery")
    assert browser.path == "/dashboard"

    browser.open("/__clerk/user/delete")
    browser.submit("/user/delete")
    assert browser.path == "/login"
    browser.open("/dashboard")
    assert browser.path == "/login"
    deadline = time.monotonic() + 10
    while count_users(site):  # until the webhook arrives
        assert time.monotonic() < deadline
        time.sleep(0.02)
