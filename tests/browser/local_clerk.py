"""Control of the local Clerk behind the site: settings, inbox, and the Backend API."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

PASSWORD = "correct horse battery staple"
MAIL_SECONDS = 20


@dataclass(frozen=True)
class LocalClerk:
    """A client for a running local Clerk."""

    url: str
    secret_key: str
    used_links: set[str] = field(default_factory=set)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send JSON with the secret key, and return the JSON that comes back.

        Raises:
            AssertionError: if the answer is an error.
        """
        request = urllib.request.Request(
            self.url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.secret_key}", "Content-Type": "application/json"},
            method=method,
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=10) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from None

    def switch(self, **tables: Any) -> None:
        """Let exactly these settings differ from the defaults."""
        self.ask("PUT", "/emulator/settings", tables)

    def last_link(self, to: str) -> str:
        """Wait for a message with a new link to this email address, and return the link.

        Raises:
            AssertionError: if none arrives within `MAIL_SECONDS`.
        """
        deadline = time.monotonic() + MAIL_SECONDS
        while True:
            messages = self.ask("GET", f"/emulator/inbox?to={quote(to)}")["data"]
            link = next((message["link"] for message in messages if message["link"]), None)
            if link is not None and link not in self.used_links:
                self.used_links.add(link)
                return str(link)
            assert time.monotonic() < deadline, f"No new link was sent to {to}; the inbox has {messages}"
            time.sleep(0.05)

    def backend(self, method: str, path: str, **body: Any) -> Any:
        """Call the Backend API."""
        return self.ask(method, f"/api/v1{path}", body or None)

    def create_user(self, email: str | None = None, **more: Any) -> dict[str, Any]:
        """Make an account with a password; return the user."""
        email = email or f"eve-{time.time_ns()}@example.com"
        made = self.backend(
            "POST", "/users", email_address=[email], password=PASSWORD, skip_password_checks=True, **more
        )
        return {**made, "email": email}
