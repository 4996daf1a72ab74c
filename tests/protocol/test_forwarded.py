"""The public URL of a request behind proxies."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from app import create_app
from tests.app_fixtures import BROWSER


def seen(environ: dict[str, str], headers: dict[str, str]) -> str:
    """The origin to which a handshake returns."""
    client = create_app(environ).test_client()
    location = client.get("/x", headers=BROWSER | headers).headers["Location"]
    return parse_qs(urlsplit(location).query)["redirect_url"][0].removesuffix("/x")


@pytest.mark.parametrize(
    ("headers", "origin"),
    [
        ({}, "http://localhost"),
        ({"X-Forwarded-Proto": "https"}, "https://localhost"),
        ({"X-Forwarded-Host": "app.example:8443"}, "http://app.example:8443"),
        (
            {"X-Forwarded-Proto": "https, http", "X-Forwarded-Host": "app.example, inner"},
            "https://app.example",
        ),
        ({"X-Forwarded-Proto": "javascript"}, "http://localhost"),
        ({"X-Forwarded-Host": "[::1]:5000"}, "http://[::1]:5000"),
        ({"X-Forwarded-Host": "evil.example/path"}, "http://localhost"),
        ({"X-Forwarded-Host": "me@evil.example"}, "http://localhost"),
        ({"X-Forwarded-Host": "evil.example\\@x"}, "http://localhost"),
        ({"X-Forwarded-Host": ":80"}, "http://localhost"),
        ({"X-Forwarded-Host": ""}, "http://localhost"),
    ],
)
def test_behind_a_trusted_proxy(environ: dict[str, str], headers: dict[str, str], origin: str) -> None:
    assert seen(environ | {"TRUSTED_PROXY_HOPS": "1"}, headers) == origin


def test_without_a_trusted_proxy_the_headers_are_ignored(environ: dict[str, str]) -> None:
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
    assert seen(environ, headers) == "http://localhost"
