"""The whole app while Clerk sends unusable responses, and with clocks that differ."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app import create_app
from app.clerk import clerk_of
from tests.app_fixtures import BROWSER
from tests.protocol.faulty_server import FaultyServer, as_json, faulty_server
from tests.protocol.nonsense import NONSENSE
from tests.signing import SECRET_KEY, Signer, publishable_key

JWKS = "/v1/jwks"
FETCH = {"Accept": "application/json", "Sec-Fetch-Dest": "empty"}

PAGES = {"/": 200, "/dashboard": 200, "/profile": 200, "/api/me": 200, "/login": 302, "/no": 404}
"""A page for signed-in users."""


T = 1_800_000_000
"""The time on Clerk's clock, as Unix time in seconds."""


@dataclass(frozen=True)
class Place:
    """An app that fetches its keys, its Clerk instance, and a Backend API with faults."""

    app: Flask
    signer: Signer
    api: FaultyServer

    def get(
        self,
        path: str,
        token: str = "",
        *,
        refresh: str = "",
        cookies: dict[str, str] | None = None,
        headers: dict[str, str] = BROWSER,
        now: float = T,
    ) -> TestResponse:
        """Load a page.

        :param token: the session token, if there is one.
        :param refresh: the refresh token, if there is one.
        :param cookies: more cookies.
        :param now: what our clock says.
        """
        clerk_of(self.app).now = lambda: now
        client = self.app.test_client()
        client.set_cookie("__clerk_db_jwt", "dvb_1")
        if token:
            client.set_cookie("__session", token)
            client.set_cookie("__client_uat", "1")
        suffix = clerk_of(self.app).instance.cookie_suffix
        for name, value in ({f"__refresh_{suffix}": refresh} | (cookies or {})).items():
            client.set_cookie(name, value)
        return client.get(path, headers=headers)


@pytest.fixture(scope="module", params=["development", "production"])
def place(
    request: pytest.FixtureRequest,
    empty_database: Path,
    tmp_path_factory: pytest.TempPathFactory,
    signer: Signer,
    live_signer: Signer,
) -> Iterator[Place]:
    """An app of a development instance, and one of a production instance."""
    database = tmp_path_factory.mktemp("faults") / "app.db"
    shutil.copy(empty_database, database)
    live = request.param == "production"
    ours = live_signer if live else signer
    kind = "live" if live else "test"
    with faulty_server() as server:
        server.replies[JWKS] = lambda: as_json(ours.jwks)
        app = create_app(
            {
                "SECRET_KEY": SECRET_KEY,
                "CLERK_PUBLISHABLE_KEY": publishable_key(ours.host, kind),
                "CLERK_SECRET_KEY": f"sk_{kind}_secret",
                "CLERK_API_URL": server.url,
                "CLERK_AUTHORIZED_PARTIES": "*",
                "DATABASE_URL": f"sqlite:///{database}",
            }
        )
        app.testing = True  # what a view raises reaches the test
        yield Place(app, ours, server)


@pytest.mark.parametrize("name", NONSENSE)
def test_every_page_works_while_the_backend_api_sends_unusable_responses(place: Place, name: str) -> None:
    place.api.otherwise = NONSENSE[name]
    user = f"user_{list(NONSENSE).index(name)}"  # not stored in the database yet
    token = place.signer.token(at=T, sub=user)
    for path, status in PAGES.items():
        response = place.get(path, token)
        assert response.status_code == status
        assert response.headers["X-Clerk-Auth-Status"] == "signed-in"
    assert "X-Evil" not in response.headers


@pytest.mark.parametrize("name", NONSENSE)
def test_a_refresh_with_an_unusable_response_becomes_a_handshake(place: Place, name: str) -> None:
    place.api.otherwise = NONSENSE[name]
    response = place.get("/dashboard", place.signer.token(at=T - 100), refresh="r")
    assert response.status_code == 307
    why = response.headers["X-Clerk-Auth-Reason"]
    assert re.fullmatch(r"session-token-expired-refresh-[A-Za-z0-9_.-]+", why)


@pytest.mark.parametrize("name", NONSENSE)
def test_a_handshake_that_cannot_be_fetched_is_explained_or_skipped(place: Place, name: str) -> None:
    place.api.otherwise = NONSENSE[name]
    response = place.get("/?__clerk_handshake_nonce=n")
    if clerk_of(place.app).instance.is_development:
        assert response.status_code == 500
        assert "CLERK_SECRET_KEY" in response.text or "andshake" in response.text
    else:
        assert response.status_code == 200
        assert response.headers["X-Clerk-Auth-Reason"] == "session-token-and-uat-missing"
    assert "__session" not in str(response.headers.getlist("Set-Cookie"))


# --- Clocks ---------------------------------------------------------------------------------------

EXPIRED = "session-token-expired-refresh-non-eligible-no-refresh-cookie"


@pytest.mark.parametrize(
    ("ours", "age", "claims", "reason"),
    [
        (0, 0, {}, ""),
        (-4, 0, {}, ""),
        (-10, 0, {}, "session-token-iat-in-the-future"),
        (-10, 0, {"nbf": T}, "session-token-nbf"),
        (-10, 6, {}, ""),
        (10, 0, {}, ""),
        (10, 54, {}, ""),
        (10, 56, {}, EXPIRED),
    ],
)
def test_clocks_may_differ_by_a_few_seconds(
    place: Place, ours: int, age: int, claims: dict[str, Any], reason: str
) -> None:
    """``ours``: seconds by which the app's clock is ahead of Clerk's; ``age``: of the token, in seconds."""
    token = place.signer.token(at=T, **claims)
    now = T + age + ours
    page = place.get("/", token, now=now)
    assert page.headers.get("X-Clerk-Auth-Reason", "") == reason
    assert page.headers["X-Clerk-Auth-Status"] == ("handshake" if reason else "signed-in")
    api_client = place.get("/", token, headers=FETCH, now=now)
    assert api_client.headers.get("X-Clerk-Auth-Reason", "") == reason
    assert api_client.headers["X-Clerk-Auth-Status"] == ("signed-out" if reason else "signed-in")


@pytest.mark.parametrize("ours", [-10, 70])
def test_a_wrong_clock_causes_no_endless_handshakes(place: Place, ours: int) -> None:
    token = place.signer.token(at=T)
    payload = place.signer.handshake([f"__session={token}; Path=/", "__client_uat=1; Path=/"])
    response = place.get("/", now=T + ours, cookies={"__clerk_handshake": payload})
    if clerk_of(place.app).instance.is_development:
        assert response.headers["X-Clerk-Auth-Status"] == "signed-in"
        assert response.headers["Location"] == "/"
    else:
        assert response.headers["X-Clerk-Auth-Status"] == "signed-out"
        assert not response.headers.getlist("Set-Cookie")
