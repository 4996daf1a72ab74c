"""A person's browser: what tests do in it, and what must not happen in it."""

from __future__ import annotations

import html
import itertools
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from playwright.sync_api import Error

from tests.browser import mounting
from tests.browser.local_clerk import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page, Request, Response

PATIENCE = 30_000
"""Milliseconds to wait for anything on a page: the machine may be busy."""
TAKES_PICTURES = bool(os.environ.get("PICTURES"))
"""Whether each step is kept as a screenshot. Set `PICTURES=1` to look at them."""
HOSTED_SIGN_IN = "/__clerk/sign-in"
NAVIGATION = {"Accept": "text/html", "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}
"""Headers of a request for a page. The app performs Clerk's handshake for no other requests."""
FORM_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class Visitor:
    """One person's browser, with a list of what went wrong in it.

    Args:
        page: the open tab.
        site: the app's origin.
        folder: where screenshots go.
        email: an address that no account has yet.
    """

    page: Page
    site: str
    folder: Path
    email: str
    problems: list[str] = field(default_factory=list)
    expected: list[tuple[int, str]] = field(default_factory=list)
    _steps: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def go(self, path: str) -> None:
        """Open this page. Try once more if Clerk.js navigates at the same moment."""
        try:
            self.page.goto(f"{self.site}{path}")
        except Error as error:
            if "interrupted by another navigation" not in str(error):
                raise
            self.page.wait_for_load_state()
            self.page.goto(f"{self.site}{path}")

    def land(self, path: str) -> str:
        """Follow all redirects of a path, and return the final URL without waiting for the page."""
        self.page.goto(f"{self.site}{path}", wait_until="commit")
        return self.page.url

    def show(self, component: str, settings: dict[str, Any] | None = None, **props: Any) -> None:
        """Open a page with only this component, such as `OrganizationList`."""
        self.go(mounting.address(component, settings, **props))
        self.page.locator("body[data-ready]").wait_for(state="attached")

    def enter(self, user: dict[str, Any], password: str = PASSWORD) -> None:
        """Sign in without opening a page: send the form of the hosted sign-in page.

        Raises:
            AssertionError: if the password is refused.
        """
        request = self.page.context.request
        form = request.get(f"{self.site}{HOSTED_SIGN_IN}", headers=NAVIGATION)
        token = FORM_TOKEN.search(form.text())
        assert token, f"No form on {form.url}:\n{form.text()}"
        fields = {"csrf_token": html.unescape(token[1]), "identifier": user["email"], "password": password}
        answer = request.post(form.url, form=fields, headers=NAVIGATION)
        cookies = {cookie.get("name") for cookie in self.page.context.cookies(self.site)}
        assert "__session" in cookies, f"{answer.status} from {answer.url}:\n{answer.text()}"
        self._reset_loop_guard()

    def enter_by_clerk_js(self, user: dict[str, Any]) -> None:
        """Open a page that only loads Clerk.js, and sign in there as @clerk/testing does."""
        self.show("Nothing")
        self.page.evaluate(
            """async ([identifier, password]) => {
              const strategy = "password";
              const done = await Clerk.client.signIn.create({ strategy, identifier, password });
              await Clerk.setActive({ session: done.createdSessionId });
            }""",
            [user["email"], PASSWORD],
        )

    def follow(self, link: str) -> None:
        """Open a link from a message in a new tab, and close the old tab."""
        old, self.page = self.page, self.page.context.new_page()
        self.watch()
        self.page.goto(link)
        old.close()

    def picture(self, step: str) -> None:
        """Keep a screenshot of this step, if screenshots are wanted."""
        if TAKES_PICTURES:
            file = self.folder / f"{next(self._steps):02} {step}.png"
            self.page.screenshot(path=file, full_page=True, animations="disabled")

    def arrive(self, path: str) -> None:
        """Wait until this page of the app is shown."""
        self.page.wait_for_url(
            lambda url: url.startswith(f"{self.site}/") and urlsplit(url).path == path, timeout=PATIENCE
        )
        self._reset_loop_guard()

    def expect_error(self, status: int, path: str) -> None:
        """Allow responses with this status from URLs that contain this path."""
        self.expected.append((status, path))

    def watch(self) -> None:
        """Record errors in the console, failed requests, error pages and requests to other hosts."""
        self.page.on("pageerror", lambda error: self.problems.append(f"exception: {error}"))
        self.page.on("console", lambda message: self._console(message.type, message.text))
        self.page.on("response", self._response)
        self.page.on("requestfailed", self._failure)

    def _reset_loop_guard(self) -> None:
        # The guard against redirect loops counts for two seconds, and a test is faster than a person.
        self.page.context.clear_cookies(name="__clerk_redirect_count")

    def _console(self, kind: str, text: str) -> None:
        # The browser reports failed requests here too; _response and _failure know their URLs.
        if kind == "error" and "Failed to load resource" not in text:
            self.problems.append(f"console: {text}")

    def _response(self, response: Response) -> None:
        wanted = any(response.status == s and p in response.url for s, p in self.expected)
        if response.status >= 400 and not wanted:
            self.problems.append(f"{response.status}: {response.request.method} {response.url}")

    def _failure(self, request: Request) -> None:
        # A page that is left aborts its unfinished requests.
        if request.failure != "net::ERR_ABORTED" and not is_icon(request.url):
            self.problems.append(f"{request.failure}: {request.url}")


def is_icon(url: str) -> bool:
    """Say whether this is an icon of a social provider from Clerk's CDN, which the tests don't need."""
    return urlsplit(url).hostname == "img.clerk.com"
