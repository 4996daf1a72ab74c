"""Clerk's own npm packages against the local Clerk, unmodified: @clerk/backend, express, testing."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx
import pytest

from tests.clients.conftest import APP_URL, LocalClerk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PLAIN = ("users", "sessions", "tickets", "machines", "keys", "wrong keys", "throttling")


@pytest.fixture
def ada(local_clerk: LocalClerk) -> dict[str, str]:
    """Return the tokens and IDs of a browser in which a user has just signed up."""
    address = f"ada-{uuid4().hex[:8]}@example.com"
    return {"address": address} | local_clerk.browser(address)


@pytest.mark.parametrize("scenario", PLAIN)
def test_backend(node: Callable[..., str], scenario: str) -> None:
    node("backend.mjs", scenario)


def test_backend_signs_a_browser_in_by_a_handshake(node: Callable[..., str], ada: dict[str, str]) -> None:
    node("backend.mjs", "handshake", **ada)


@pytest.mark.parametrize("scenario", ["setup", "routing"])
def test_testing(node: Callable[..., str], ada: dict[str, str], scenario: str) -> None:
    node("testing.mjs", scenario, **ada)


@pytest.fixture
def site(packages: Path, script_environment: dict[str, str]) -> Iterator[httpx.Client]:
    """Run the Express app; return an HTTP client for it."""
    process = subprocess.Popen(
        ["node", packages / "express.mjs"],
        cwd=packages,
        env={**os.environ, **script_environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        with httpx.Client(base_url=process.stdout.readline().strip(), trust_env=False) as client:
            yield client
    finally:
        process.terminate()
        process.communicate(timeout=20)


def test_express_gets_the_signed_in_user(site: httpx.Client, ada: dict[str, str]) -> None:
    bearer = {"Authorization": f"Bearer {ada['token']}"}
    assert site.get("/", headers=bearer).json() == {"userId": ada["user_id"]}
    assert site.get("/private", headers=bearer).json() == {"address": ada["address"]}


def test_express_rejects_signed_out_requests(site: httpx.Client, ada: dict[str, str]) -> None:
    assert site.get("/").json() == {"userId": None}
    forged = {"Authorization": f"Bearer {ada['token'][:-6]}AAAAAA"}
    assert site.get("/", headers=forged).json() == {"userId": None}
    refused = site.get("/private", headers=forged)
    assert refused.status_code in {302, 307}
    assert refused.headers["Location"].startswith(f"{APP_URL}/login")


def test_express_redirects_a_browser_to_a_handshake(
    site: httpx.Client, local_clerk: LocalClerk, ada: dict[str, str]
) -> None:
    page = {"Accept": "text/html", "Sec-Fetch-Dest": "document", "Host": "localhost:5000"}
    cookie = {"Cookie": f"__clerk_db_jwt={ada['dev_browser']}; __client_uat=1"}
    away = site.get("/", headers=page | cookie)
    assert away.status_code == 307
    assert away.headers["Location"].startswith(f"{local_clerk.url}/v1/client/handshake")
    back = local_clerk.http.get(away.headers["Location"]).headers["Location"]
    assert back.startswith(APP_URL)
    arrived = site.get(back.removeprefix(APP_URL), headers=page | cookie)
    cookies = [line.partition(";")[0] for line in arrived.headers.get_list("set-cookie")]
    last = site.get("/", headers=page | {"Cookie": "; ".join(cookies)})
    assert last.json() == {"userId": ada["user_id"]}
