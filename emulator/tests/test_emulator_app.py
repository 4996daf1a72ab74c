"""Rules that hold for every request."""

from __future__ import annotations

import logging

import pytest
from flask import Flask

from clerk_emulator.testing import Browser, error_of


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/organizations"),
        ("POST", "/v1/me/nothing"),
        ("PUT", "/v1/environment"),
        ("GET", "/api/v1/nothing"),
        ("POST", "/healthz"),
        ("GET", "/nothing"),
    ],
)
def test_an_unknown_endpoint_is_a_404_and_logged(
    emulator: Flask, caplog: pytest.LogCaptureFixture, method: str, path: str
) -> None:
    with caplog.at_level(logging.WARNING):
        answer = emulator.test_client().open(path, method=method)
    assert error_of(answer)[:2] == (404, "resource_not_found")
    assert f"unknown endpoint: {method} {path}" in caplog.text


def test_the_log_cannot_be_forged(emulator: Flask, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        emulator.test_client().get("/x%0aLocal%20Clerk%20ready")
    assert "\nLocal Clerk ready" not in caplog.text


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_the_environment_lists_what_is_enabled(browser: Browser, method: str) -> None:
    query = {} if method == "GET" else {"_method": method}
    send = browser.http.get if method == "GET" else browser.http.post
    environment = send("/v1/environment", query_string=query).get_json()
    settings = environment["user_settings"]
    assert environment["display_config"]["application_name"] == "Acme"
    assert environment["display_config"]["instance_environment_type"] == "development"
    assert environment["organization_settings"]["enabled"] is False
    assert settings["password_settings"]["disable_hibp"] is True
    assert settings["sign_up"]["captcha_enabled"] is False


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:5001", "10.0.0.1", "["])
def test_a_foreign_host_name_is_rejected(emulator: Flask, host: str) -> None:
    """DNS rebinding: the name is foreign, though it leads to this machine."""
    http = emulator.test_client()
    direct = http.get("/v1/environment", headers={"Host": host})
    proxied = http.get("/v1/environment", headers={"X-Forwarded-Host": host})
    assert error_of(direct)[:2] == error_of(proxied)[:2] == (403, "host_invalid")


@pytest.mark.parametrize("host", ["localhost:5001", "127.0.0.1", "[::1]:5001", "LOCALHOST"])
def test_local_host_names_are_accepted(emulator: Flask, host: str) -> None:
    answer = emulator.test_client().get("/healthz", headers={"Host": host})
    assert answer.get_json() == {"status": "ok"}


def test_responses_are_not_cached(browser: Browser) -> None:
    assert browser.get("/client").headers["Cache-Control"] == "no-store"


def test_a_too_large_body_is_rejected(browser: Browser) -> None:
    answer = browser.post("/client/sign_ups", first_name="x" * 1_100_000)
    assert answer.status_code == 413
