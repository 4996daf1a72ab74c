"""Pages of the app call the Frontend API directly; pages of other sites can't."""

from __future__ import annotations

import pytest
from flask import Flask

from clerk_emulator.testing import Backend, Browser

APP = "http://localhost:5000"


@pytest.mark.parametrize("origin", [APP, "http://127.0.0.1:5000"])
def test_the_app_may_read_responses(browser: Browser, origin: str) -> None:
    query = {"__clerk_db_jwt": browser.dev_browser}
    answer = browser.http.get("/v1/client", query_string=query, headers={"Origin": origin})
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert "Origin" in answer.headers["Vary"]


def test_errors_can_be_read_as_well(emulator: Flask) -> None:
    answer = emulator.test_client().get("/v1/client", headers={"Origin": APP})
    assert answer.status_code == 401
    assert answer.headers["Access-Control-Allow-Origin"] == APP


def test_the_app_may_show_avatars(emulator: Flask) -> None:
    answer = emulator.test_client().get("/avatars/user_1", headers={"Origin": APP})
    assert answer.headers["Access-Control-Allow-Origin"] == APP


def test_a_preflight_allows_the_headers_that_were_asked_for(emulator: Flask) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-mobile"}
    answer = emulator.test_client().options("/v1/client", headers={"Origin": APP} | asked)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Headers"] == "x-mobile"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "http://localhost:5001",
        "https://localhost:5000",
        "http://localhost:5000.evil.example",
        "null",
        "",
    ],
)
def test_other_origins_get_no_permission(emulator: Flask, origin: str) -> None:
    http = emulator.test_client()
    for answer in (
        http.get("/v1/environment", headers={"Origin": origin}),
        http.options("/v1/environment", headers={"Origin": origin}),
    ):
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("path", ["/", "/sign-in", "/emulator/inbox", "/api/v1/users"])
def test_scripts_of_the_app_cannot_read_pages_or_the_backend_api(
    emulator: Flask, backend: Backend, path: str
) -> None:
    answer = emulator.test_client().get(path, headers={"Origin": APP})
    assert "Access-Control-Allow-Origin" not in answer.headers
