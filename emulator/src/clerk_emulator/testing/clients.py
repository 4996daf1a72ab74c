"""A browser without a browser, a backend, and a clock that stands still.

They speak to an emulator app through Flask's test client, the way Clerk.js and an app's server
speak to it over HTTP.
"""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ..config import EmulatorConfig
from ..users import CODE

PASSWORD = "correct horse 9"  # noqa: S105
BACKEND_PREFIX = "/api/v1"


def example_config(folder: Path, **changes: Any) -> EmulatorConfig:
    """A valid configuration whose files are in ``folder``."""
    host = base64.b64encode(b"local-acme-1.clerk.accounts.dev$").decode()
    values: dict[str, Any] = {
        "publishable_key": f"pk_test_{host}",
        "secret_key": "sk_test_example",
        "webhook_signing_secret": f"whsec_{base64.b64encode(b'a signing secret').decode()}",
        "app_url": "http://localhost:5000",
        "state": folder / "emulator.sqlite3",
        "assets": folder / "assets",
    }
    return EmulatorConfig(**values | changes)


class ManualClock:
    """Unix milliseconds that pass only when told to. Starts at the real time, as JWTs need."""

    def __init__(self) -> None:
        self.now = time.time_ns() // 1_000_000

    def __call__(self) -> int:
        return self.now

    def forward(self, *, seconds: float) -> None:
        """Let time pass."""
        self.now += round(seconds * 1000)


class Browser:
    """Calls the Frontend API as Clerk.js does, with a dev browser of its own."""

    def __init__(self, emulator: Flask) -> None:
        self.http: FlaskClient = emulator.test_client()
        answer = self.http.post("/v1/dev_browser")
        self.dev_browser: str = answer.get_json()["id"]

    def get(self, path: str, **query: str) -> TestResponse:
        """GET a path below ``/v1``."""
        return self.http.get(f"/v1{path}", query_string=self._query(query))

    def post(self, path: str, method: str = "POST", **form: str) -> TestResponse:
        """POST a form to a path below ``/v1``; another method travels as ``_method``."""
        query = self._query({} if method == "POST" else {"_method": method})
        return self.http.post(f"/v1{path}", query_string=query, data=form)

    def _query(self, more: dict[str, str]) -> dict[str, str]:
        return {"__clerk_db_jwt": self.dev_browser} | more

    def client(self) -> dict[str, Any]:
        """The client object: sessions, and the sign-in or sign-up under way."""
        client: dict[str, Any] = self.get("/client").get_json()["response"]
        return client

    def begin_sign_up(self, email: str, password: str = PASSWORD) -> dict[str, Any]:
        """The first step of registration."""
        answer = self.post("/client/sign_ups", email_address=email, password=password)
        sign_up: dict[str, Any] = answer.get_json()["response"]
        return sign_up

    def sign_up(self, email: str, password: str = PASSWORD) -> dict[str, Any]:
        """All of registration; returns the new session."""
        path = f"/client/sign_ups/{self.begin_sign_up(email, password)['id']}"
        self.post(f"{path}/prepare_verification", strategy="email_code")
        self.post(f"{path}/attempt_verification", strategy="email_code", code=CODE)
        return self.session()

    def sign_in(self, email: str, password: str = PASSWORD) -> TestResponse:
        """Sign in with a password, in one step."""
        form = {"identifier": email, "password": password, "strategy": "password"}
        return self.post("/client/sign_ins", **form)

    def session(self) -> dict[str, Any]:
        """The browser's only session."""
        (session,) = self.client()["sessions"]
        found: dict[str, Any] = session
        return found


class Backend:
    """Calls the Backend API as the app's server does, with the secret key."""

    def __init__(self, emulator: Flask, secret_key: str) -> None:
        self._http = emulator.test_client()
        self._headers = {"Authorization": f"Bearer {secret_key}"}

    def get(self, path: str, **query: Any) -> TestResponse:
        """GET a path below ``/api/v1``."""
        return self._http.get(BACKEND_PREFIX + path, query_string=query, headers=self._headers)

    def send(self, method: str, path: str, **body: Any) -> TestResponse:
        """Send a JSON object to a path below ``/api/v1``."""
        url = BACKEND_PREFIX + path
        return self._http.open(url, method=method, json=body, headers=self._headers)


def error_of(answer: TestResponse) -> tuple[int, str, str | None]:
    """Status, Clerk's error code, and the parameter at fault."""
    (error,) = answer.get_json()["errors"]
    return answer.status_code, error["code"], error["meta"].get("param_name")
