"""The Content-Security-Policy allows what Clerk needs with every way to reach it, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from app import create_app
from tests.signing import HOST, LIVE_HOST, publishable_key

PORTAL = f"https://accounts.{LIVE_HOST.removeprefix('clerk.')}"
DEV_PORTAL = f"https://{HOST.replace('.clerk.accounts.', '.accounts.')}"
SATELLITE = {
    "CLERK_IS_SATELLITE": "true",
    "CLERK_DOMAIN": "satellite.example",
    "CLERK_SIGN_IN_URL": "https://primary.example/login?x=1",
}


def policy(environ: Mapping[str, str], changes: Mapping[str, str]) -> dict[str, list[str]]:
    header = create_app({**environ, **changes}).test_client().get("/").headers["Content-Security-Policy"]
    rules = (rule.split(" ") for rule in header.split("; "))
    return {name: sources for name, *sources in rules}


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("https://example.com/__clerk", "https://example.com/__clerk/"),
        ("https://clerk.example.com/a/b", "https://clerk.example.com/a/b/"),
        ("https://clerk.example.com:8443", "https://clerk.example.com:8443"),
    ],
)
def test_clerk_js_loads_from_an_absolute_proxy_url(
    live_environ: dict[str, str], url: str, source: str, slash: str
) -> None:
    rules = policy(live_environ, {"CLERK_PROXY_URL": url + slash})
    for name in ("script-src", "connect-src", "img-src", "form-action"):
        assert source in rules[name], name


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"CLERK_PROXY_URL": "/__clerk"},
        {"CLERK_PROXY_URL": "/__clerk", "CLERK_SERVE_PROXY": "true"},
        {"CLERK_PROXY_URL": "https://example.com/__clerk"},
        SATELLITE,
    ],
)
def test_public_networks_are_not_allowed_in_production(
    live_environ: dict[str, str], changes: dict[str, str]
) -> None:
    sources = {source for rule in policy(live_environ, changes).values() for source in rule}
    assert not [source for source in sources if "jsdelivr" in source or "*" in source]


def test_the_local_clerk_may_load_clerk_js_from_a_public_network(environ: dict[str, str]) -> None:
    local = {
        "CLERK_PUBLISHABLE_KEY": publishable_key("local-test-1.clerk.accounts.dev"),
        "CLERK_EMULATOR_URL": "http://127.0.0.1:5001",
    }
    rules = policy(environ, local)
    assert "https://cdn.jsdelivr.net" in rules["script-src"]
    assert rules["form-action"] == ["'self'"]


@pytest.mark.parametrize(
    ("changes", "sources"),
    [
        ({}, [f"https://{LIVE_HOST}", PORTAL]),
        ({"CLERK_PROXY_URL": "/__clerk"}, [PORTAL]),
        (SATELLITE, ["https://clerk.satellite.example", PORTAL, "https://primary.example"]),
    ],
)
def test_forms_may_be_redirected_to_clerk(
    live_environ: dict[str, str], changes: dict[str, str], sources: list[str]
) -> None:
    assert policy(live_environ, changes)["form-action"] == ["'self'", *sources]


def test_forms_may_be_redirected_to_a_development_instance(environ: dict[str, str]) -> None:
    assert policy(environ, {})["form-action"] == ["'self'", f"https://{HOST}", DEV_PORTAL]
