"""Clerk.js sends telemetry only where a setting allows it, and the Content-Security-Policy agrees."""

from __future__ import annotations

import html
import json
import re

import pytest

from app import create_app
from app.clerk import ConfigurationError, read_instance
from tests.app_fixtures import keys_of, settings_for
from tests.local_server import LocalServer
from tests.signing import Signer, publishable_key

TELEMETRY_ORIGIN = "https://clerk-telemetry.com"

LOCAL_KEYS = {
    "CLERK_PUBLISHABLE_KEY": publishable_key("local-app-1.clerk.accounts.dev"),
    "CLERK_SECRET_KEY": "sk_test_local",
    "CLERK_ALLOW_LOCAL_KEYS": "true",
    "CLERK_JWT_KEY": "",
    "CLERK_EMULATOR_URL": "http://127.0.0.1:5001",
}


@pytest.mark.parametrize(
    ("settings", "allowed"),
    [
        ({}, False),
        ({"CLERK_TELEMETRY": ""}, False),
        ({"CLERK_TELEMETRY": "false"}, False),
        ({"CLERK_TELEMETRY": "true"}, True),
        (LOCAL_KEYS, False),
        (LOCAL_KEYS | {"CLERK_TELEMETRY": "true"}, False),
    ],
    ids=["default", "empty", "off", "on", "local Clerk", "local Clerk, on"],
)
def test_the_page_and_its_policy_agree_on_telemetry(
    signer: Signer,
    backend: LocalServer,
    database_url: str,
    settings: dict[str, str],
    allowed: bool,
) -> None:
    app = create_app(settings_for(signer, backend, database_url) | settings)
    response = app.test_client().get("/login", headers={"Authorization": "Bearer x"})
    found = re.search(r'data-clerk-settings="([^"]*)"', response.text)
    assert found
    options = json.loads(html.unescape(found[1]))
    assert options.get("telemetry", True) is allowed
    assert "signInUrl" in options
    policy = dict(rule.split(" ", 1) for rule in response.headers["Content-Security-Policy"].split("; "))
    assert (TELEMETRY_ORIGIN in policy.pop("connect-src").split()) is allowed
    assert TELEMETRY_ORIGIN not in " ".join(policy.values())


def test_an_invalid_setting_is_rejected(signer: Signer) -> None:
    with pytest.raises(ConfigurationError, match="CLERK_TELEMETRY is 'maybe'"):
        read_instance(keys_of(signer) | {"CLERK_TELEMETRY": "maybe"})
