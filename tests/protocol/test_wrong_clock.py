"""A clock that is off by seconds or minutes, with real handshakes between the app and Clerk."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.clerk import clerk_of
from tests.app_fixtures import BROWSER
from tests.local_server import LocalServer
from tests.signing import Signer

NONCES = "GET /v1/clients/handshake_payload"


class Visitor:
    """A browser of a signed-in user that follows redirects, and Clerk, whose clock is right."""

    def __init__(self, app: Flask, signer: Signer, backend: LocalServer) -> None:
        self.client: FlaskClient = app.test_client()
        self._signer = signer
        self._backend = backend
        self.now = signer.claims()["iat"]
        """Clerk's time."""
        self.hops = 0

    def open(self, path: str) -> TestResponse:
        """Open a page, and follow redirects to Clerk and back."""
        for _ in range(20):
            answer = self.client.get(path, headers=BROWSER)
            if answer.status_code != 307:
                return answer
            self.hops += 1
            target = urlsplit(answer.headers["Location"])
            path = "/?__clerk_handshake_nonce=n" if target.path.endswith("/handshake") else target.path
            token = self._signer.token(at=self.now)
            cookies = [
                f"__session={token}; Path=/",
                f"__client_uat={self.now}; Path=/",
                "__clerk_db_jwt=d; Path=/",
            ]
            self._backend.answers[NONCES] = (200, {"directives": cookies})
        pytest.fail("endless redirects")

    def later(self, seconds: int) -> None:
        """Let Clerk.js renew the token some time later."""
        self.now += seconds
        self.client.set_cookie("__session", self._signer.token(at=self.now))


@pytest.fixture
def set_clock(request: pytest.FixtureRequest) -> Callable[[Flask, Visitor, int], None]:
    """A function that sets the app's clock, by seconds ahead of Clerk's."""

    def set_clock(app: Flask, visitor: Visitor, seconds: int) -> None:
        clerk_of(app).now = lambda: float(visitor.now + seconds)

    return set_clock


@pytest.fixture
def app(environ: dict[str, str]) -> Flask:
    """An app of its own: it remembers by how much its clock is off."""
    from app import create_app

    app = create_app(environ)
    app.testing = True
    return app


@pytest.mark.parametrize("seconds", [-3600, -150, -60, -20, -7, 7, 20, 60, 90, 150, 3600])
def test_a_wrong_clock_in_development_shows_the_page_with_a_warning(
    app: Flask,
    signer: Signer,
    backend: LocalServer,
    caplog: pytest.LogCaptureFixture,
    set_clock: Callable[[Flask, Visitor, int], None],
    seconds: int,
) -> None:
    visitor = Visitor(app, signer, backend)
    set_clock(app, visitor, seconds)
    answer = visitor.open("/dashboard")
    assert answer.headers["X-Clerk-Auth-Status"] == "signed-in"
    assert visitor.hops <= 4
    if seconds not in (7, 20, 60):  # a new token is still valid on such a clock
        said = f"about {abs(seconds)} seconds {'ahead of' if seconds > 0 else 'behind'} Clerk's"
        assert said in caplog.text
    assert "CLERK_SECRET_KEY" not in caplog.text
    hops = visitor.hops
    for _ in range(4):
        visitor.later(50)
        assert visitor.open("/dashboard").headers["X-Clerk-Auth-Status"] == "signed-in"
        fetched = visitor.client.get("/api/me", headers={"Accept": "application/json"})
        assert fetched.status_code == 200
    assert visitor.hops <= hops + 2


def test_a_corrected_clock_needs_no_restart(
    app: Flask, signer: Signer, backend: LocalServer, set_clock: Callable[[Flask, Visitor, int], None]
) -> None:
    visitor = Visitor(app, signer, backend)
    set_clock(app, visitor, -90)
    visitor.open("/dashboard")
    assert clerk_of(app).tokens.clock_offset == 90
    set_clock(app, visitor, 0)
    visitor.later(50)
    assert visitor.open("/dashboard").headers["X-Clerk-Auth-Status"] == "signed-in"
    visitor.client.delete_cookie("__session")
    visitor.open("/dashboard")
    assert clerk_of(app).tokens.clock_offset == 0


def test_an_old_token_stays_expired_on_a_wrong_clock(
    app: Flask, signer: Signer, backend: LocalServer, set_clock: Callable[[Flask, Visitor, int], None]
) -> None:
    visitor = Visitor(app, signer, backend)
    set_clock(app, visitor, 120)
    visitor.open("/dashboard")
    old = {"Authorization": f"Bearer {signer.token(at=visitor.now - 120)}", "Accept": "application/json"}
    assert visitor.client.get("/api/me", headers=old).status_code == 401


@pytest.mark.parametrize("seconds", [-150, -20, 90, 150])
def test_a_wrong_clock_in_production_signs_nobody_in_and_the_log_names_the_clock(
    live_app: Flask,
    live_signer: Signer,
    backend: LocalServer,
    caplog: pytest.LogCaptureFixture,
    set_clock: Callable[[Flask, Visitor, int], None],
    seconds: int,
) -> None:
    visitor = Visitor(live_app, live_signer, backend)
    now = clerk_of(live_app).now
    set_clock(live_app, visitor, seconds)
    visitor.client.set_cookie("__client_uat", "1")
    try:
        answer = visitor.open("/dashboard")
    finally:
        clerk_of(live_app).now = now
    assert answer.headers["X-Clerk-Auth-Status"] == "signed-out"
    assert "clock" in caplog.text
    assert clerk_of(live_app).tokens.clock_offset == 0
