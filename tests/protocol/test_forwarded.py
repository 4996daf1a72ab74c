"""The public URL of a request: from ``APP_URL``, a proxy's headers, or ``Host``."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from flask import Flask, url_for
from werkzeug.test import create_environ, run_wsgi_app

from app import create_app
from app.settings import SettingsError
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


@pytest.mark.parametrize(
    ("hops", "hosts", "origin"),
    [
        ("1", "evil.example, app.example", "https://app.example"),
        ("1", "evil.example,,app.example", "https://app.example"),
        ("1", "evil.example, ", "https://localhost"),
        ("1", "evil.example, ..", "https://localhost"),
        ("2", "evil.example, app.example, inner", "https://app.example"),
        ("2", "evil.example, evil.example, app.example, inner", "https://app.example"),
        ("2", "app.example, inner", "https://app.example"),
        ("2", "app.example", "https://app.example"),
        ("99", "app.example, inner", "https://app.example"),
    ],
)
def test_values_that_a_client_puts_before_those_of_the_proxies_are_ignored(
    environ: dict[str, str], hops: str, hosts: str, origin: str
) -> None:
    schemes = "https" if hops == "99" else ",".join(["http"] * 3 + ["https"] * int(hops))
    headers = {"X-Forwarded-Host": hosts, "X-Forwarded-Proto": schemes}
    assert seen(environ | {"TRUSTED_PROXY_HOPS": hops}, headers) == origin


def test_without_a_trusted_proxy_the_headers_are_ignored(environ: dict[str, str]) -> None:
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
    assert seen(environ, headers) == "http://localhost"


MALFORMED = [
    *(
        "",
        "..",
        "a..b",
        ".a",
        "a.",
        "-a.example",
        "a-.example",
        "x" * 64,
        f"{'a.' * 150}b",
        "*",
        "a b",
        "a\tb",
    ),
    *("a/b", "a\\b", "a?b", "a#b", "a@b", "a,b", "a;b", "a%00b", "a_b", "é", "\u2603", "http://a", "//a"),
    *(
        "a:",
        "a:x",
        "a:-1",
        "a:0",
        "a:65536",
        "a:80:80",
        "::1",
        "[::1",
        "[::1]x",
        "[::g]",
        "[:::]",
        "[1.2]",
        "[]",
    ),
]


@pytest.mark.parametrize("host", MALFORMED)
def test_a_malformed_host_is_a_bad_request(app: Flask, caplog: pytest.LogCaptureFixture, host: str) -> None:
    for path in ("/", "/healthz", "/api/me", "/no-such-page", "/static/app.css"):
        assert ask(app, path, BROWSER | {"Host": host})[0] == "400 BAD REQUEST"
    assert not caplog.records


@pytest.mark.parametrize("host", ["LOCALHOST", "a.example:8443", "127.0.0.1:5000", "[::1]:5000", "xn--0.com"])
def test_a_valid_host_is_used(app: Flask, host: str) -> None:
    assert ask(app, "/healthz", {"Host": host})[0] == "200 OK"
    assert f"//{host}/x" in unquote(ask(app, "/x", BROWSER | {"Host": host})[1])


def test_a_malformed_host_after_a_valid_one_is_still_a_bad_request(app: Flask) -> None:
    for host, status in (("a.example", "200"), ("..", "400"), ("a.example", "200"), ("..", "400")):
        assert ask(app, "/healthz", {"Host": host})[0].startswith(status)


def test_a_request_without_a_host_is_answered(app: Flask) -> None:
    assert ask(app, "/healthz", {})[0] == "200 OK"


FORGED = {
    "Host": "evil.example",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Prefix": "/evil",
    "Forwarded": "host=evil.example;proto=http",
}


@pytest.mark.parametrize("hops", ["0", "1"])
@pytest.mark.parametrize("url", ["https://app.example.com", "https://app.example.com:8443/crm"])
def test_with_an_app_url_no_header_decides_where_redirects_lead(
    environ: dict[str, str], url: str, hops: str
) -> None:
    settings = {"APP_URL": url, "TRUSTED_PROXY_HOPS": hops}
    for headers in (FORGED, FORGED | {"Host": ".."}):
        location = ask(create_app(environ | settings), "/x", BROWSER | headers)[1]
        assert "evil" not in location
        assert parse_qs(urlsplit(location).query)["redirect_url"] == [f"{url}/x"]


@pytest.mark.parametrize("host", ["10.0.0.7", "10.0.0.7:8000", "my_service:8000", "app.example.com"])
def test_with_an_app_url_health_checks_may_send_any_host(environ: dict[str, str], host: str) -> None:
    app = create_app(environ | {"APP_URL": "https://app.example.com"})
    status, _ = ask(app, "/healthz", {"Host": host})
    assert status.startswith("200")


@pytest.mark.parametrize(
    ("script_name", "path"),
    [("", "/crm/healthz"), ("", "/healthz"), ("/crm", "/healthz")],
    ids=["the proxy keeps the prefix", "the proxy removes it", "the server knows it"],
)
def test_an_app_url_with_a_path_mounts_the_app_there(
    environ: dict[str, str], script_name: str, path: str
) -> None:
    settings = {"APP_URL": "https://example.com/crm"}
    status, _ = ask(create_app(environ | settings), path, {}, script_name=script_name)
    assert status.startswith("200")
    _, location = ask(
        create_app(environ | settings), path.replace("healthz", "x"), BROWSER, script_name=script_name
    )
    assert parse_qs(urlsplit(location).query)["redirect_url"] == ["https://example.com/crm/x"]


@pytest.mark.parametrize("path", ["/crmx/healthz", "/crm/crm/healthz", "//crm/healthz"])
def test_only_the_prefix_is_removed_from_a_path(environ: dict[str, str], path: str) -> None:
    app = create_app(environ | {"APP_URL": "https://example.com/crm"})
    assert not ask(app, path, {})[0].startswith("200")


@pytest.mark.parametrize(
    "url",
    [
        *("app.example.com", "//app.example.com", "ftp://app.example.com", "javascript://x", "https://"),
        *("https://me@app.example.com", "https://app.example.com?x", "https://app.example.com#x", "*"),
        *("https://a.example//crm", "https://a.example/..", "https://a.example/a b", "https://a.example/%2e"),
        *("https://a..example", "https://a.example:0", "https://a.example,https://b.example", "tauri://a"),
    ],
)
def test_an_app_url_that_is_not_a_url_of_an_app_is_rejected(environ: dict[str, str], url: str) -> None:
    with pytest.raises(SettingsError, match="APP_URL"):
        create_app(environ | {"APP_URL": url})


def test_in_production_the_app_url_is_https(live_environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="https://"):
        create_app(live_environ | {"APP_URL": "http://app.example.com"})
    create_app(live_environ | {"APP_URL": "http://localhost:5000"})
    create_app(live_environ | {"APP_URL": "https://app.example.com/"})


def test_links_made_outside_of_a_request_start_with_the_app_url(environ: dict[str, str]) -> None:
    app = create_app(environ | {"APP_URL": "https://example.com/crm/"})
    with app.app_context():
        assert url_for("accounts.login") == "https://example.com/crm/login"


def ask(app: Flask, path: str, headers: dict[str, str], script_name: str = "") -> tuple[str, str]:
    """Call the WSGI application without a test client, which would change the host and the path.

    :returns: the status and the ``Location`` header.
    """
    facts = create_environ(headers={name: text for name, text in headers.items() if name != "Host"})
    facts |= {"PATH_INFO": path, "SCRIPT_NAME": script_name}
    del facts["HTTP_HOST"]
    facts |= {"HTTP_HOST": headers["Host"]} if "Host" in headers else {}
    _, status, received = run_wsgi_app(app, facts)
    return status.upper(), received.get("Location", "")
