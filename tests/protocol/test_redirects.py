"""Untrusted redirect targets never lead to another site."""

from __future__ import annotations

import pytest

from app.clerk import safe_path

ORIGIN = "https://app.example"


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/", "/"),
        ("/dashboard", "/dashboard"),
        ("/search?q=a%20b&next=https://x.example", "/search?q=a%20b&next=https://x.example"),
        ("/orgs/acme#members", "/orgs/acme#members"),
        ("/caf%C3%A9", "/caf%C3%A9"),
        ("https://app.example/dashboard?a=1", "/dashboard?a=1"),
    ],
)
def test_targets_inside_the_app_become_paths(target: str, path: str) -> None:
    assert safe_path(target, ORIGIN) == path


EVIL = [
    "",
    "dashboard",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/%5Cevil.example",
    "/%2Fevil.example",
    "/%2fevil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "/\n/evil.example",
    " //evil.example",
    "/ /evil.example",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "data:text/html,x",
    "https:evil.example",
    "https:/evil.example",
    "http://evil.example",
    "https://evil.example/",
    "https://app.example",
    "https://app.example.evil.example/",
    "https://app.example@evil.example/",
    "https://app.example:443@evil.example/",
    "https://app.example\\@evil.example/",
    "https://app.example//evil.example",
    "https://app.example/\\evil.example",
    "https://APP.example/",
    "http://app.example/",
    "https://user@app.example/",
    "/.//evil.example",
    "/..//evil.example",
    "/a/../..//evil.example",
    "/.%2f/evil.example",
    "/%2e%2e//evil.example",
    "/a//b",
    "https://app.example/.//evil.example",
    "/\u2028/evil.example",
    "/caf\u00e9",
    "/x\r\nSet-Cookie: a=b",
]


@pytest.mark.parametrize("target", EVIL)
def test_targets_outside_the_app_are_rejected(target: str) -> None:
    assert safe_path(target, ORIGIN) is None


def test_a_missing_target_is_rejected() -> None:
    assert safe_path(None, ORIGIN) is None
