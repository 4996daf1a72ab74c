"""Pages of the app may call the local Clerk. Pages of other sites can't read or change data."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from clerk_emulator import EmulatorConfig
from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import Client
from clerk_emulator.testing import Backend, Browser, error_of

APP = "http://localhost:5000"
OTHER = "http://localhost:9999"
"""Another website on the same computer."""
SAFE = {"GET", "HEAD", "OPTIONS"}
LINK = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


def endpoints(emulator: Flask, *, changing: bool) -> Iterator[tuple[str, str]]:
    """Every method and path that changes data, or every path that can be read."""
    for rule in emulator.url_map.iter_rules():
        path = re.sub(r"<any\((\w+)[^>]*>", r"\1", rule.rule)
        path = re.sub(r"<(?:\w+:)?\w+>", "x", path).replace("'clerk-js'", "clerk-js")
        for method in (rule.methods or set()) - SAFE if changing else {"GET"}:
            yield method, path


def is_refused(answer: TestResponse) -> bool:
    return answer.status_code == 400 and b'"origin_invalid"' in answer.data


def test_no_endpoint_changes_anything_for_a_page_of_another_site(
    emulator: Flask, config: EmulatorConfig, clerk: LocalClerk, ada: Browser
) -> None:
    """Not even with the browser's token, its cookies and the secret key."""
    table = list(endpoints(emulator, changing=True))
    assert len(table) > 300
    browsers = clerk.store.count(Client)
    query = {"__clerk_db_jwt": ada.dev_browser}
    bearer = {"Authorization": f"Bearer {config.secret_key}"}
    let_in = [
        f"{method} {path} {sent}"
        for method, path in table
        for sent in (
            {"Origin": OTHER},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": ""},
            {"Sec-Fetch-Site": "cross-site", **LINK},
            {"Sec-Fetch-Site": "same-site"},
        )
        if not is_refused(
            ada.http.open(path, method=method, query_string=query, headers=bearer | sent)
        )
    ]
    assert let_in == []
    assert clerk.store.count(Client) == browsers
    assert ada.session()["status"] == "active"


def test_no_page_of_another_site_can_load_data(emulator: Flask) -> None:
    public = ("/npm/", "/avatars/", "/.well-known/", "/healthz")
    http = emulator.test_client()
    let_in = [
        path
        for _, path in endpoints(emulator, changing=False)
        for sent in (
            {"Origin": OTHER},
            {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
        )
        if not path.startswith(public) and not is_refused(http.get(path, headers=sent))
    ]
    assert let_in == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": APP},
        {"Origin": "http://127.0.0.1:5000", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://localhost:5001", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://[::1]:5000", "Clerk-Proxy-Url": "http://[::1]:5000/__clerk"},
        {"Origin": "http://localhost:8000", "Clerk-Proxy-Url": "http://localhost:8000/__clerk"},
    ],
    ids=["native", "app", "loopback", "own", "proxied", "other-port"],
)
def test_native_apps_the_app_and_own_pages_may_sign_in(
    ada: Browser, emulator: Flask, headers: dict[str, str]
) -> None:
    browser = Browser(emulator)
    form = {"identifier": "ada@example.com", "password": "correct horse 9"}
    query = {"__clerk_db_jwt": browser.dev_browser}
    answer = browser.http.post(
        "/v1/client/sign_ins", query_string=query, data=form, headers=headers
    )
    assert answer.get_json()["response"]["status"] == "complete"


@pytest.mark.parametrize(
    ("origin", "proxy"),
    [
        ("https://evil.example", "https://evil.example/__clerk"),
        (OTHER, "http://localhost:5000/__clerk"),
        ("null", "http://localhost:5000/__clerk"),
        ("http://localhost:5000.evil.example", "http://localhost:5000/__clerk"),
    ],
)
def test_a_proxy_does_not_make_another_origin_known(
    browser: Browser, origin: str, proxy: str
) -> None:
    headers = {"Origin": origin, "Clerk-Proxy-Url": proxy}
    answer = browser.http.post("/v1/dev_browser", headers=headers)
    assert error_of(answer)[:2] == (400, "origin_invalid")


def test_a_link_on_another_site_can_be_followed(emulator: Flask) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", **LINK}
    assert emulator.test_client().get("/sign-in", headers=headers).status_code == 200


def test_foreign_hosts_are_refused_everywhere(emulator: Flask, config: EmulatorConfig) -> None:
    """DNS rebinding: a page's own name leads to this computer, so its requests are same-origin."""
    http = emulator.test_client()
    headers = {"Authorization": f"Bearer {config.secret_key}", "Host": "evil.example:5001"}
    for changing in (True, False):
        for method, path in endpoints(emulator, changing=changing):
            answer = http.open(path, method=method, headers=headers)
            assert error_of(answer)[:2] == (403, "host_invalid"), f"{method} {path}"
            assert "Set-Cookie" not in answer.headers


def test_no_page_can_be_framed(emulator: Flask) -> None:
    for path in ("/", "/dashboard/users", "/sign-in", "/sign-up"):
        policy = emulator.test_client().get(path).headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy


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


@pytest.mark.parametrize("path", ["/v1/client", "/v1/nothing", "/.well-known/jwks.json"])
def test_a_preflight_is_answered_whatever_it_asks_for(emulator: Flask, path: str) -> None:
    methods = (None, "", "DELETE", "PURGE", "a,b", "\x00é", "x" * 9000)
    headers = (None, "", ",", '"', "a, a", 'a="b', "*", "\x00é\x7f", "x" * 9000, "a," * 5000)
    http = emulator.test_client()
    for method, names, origin in itertools.product(methods, headers, (APP, OTHER)):
        environ = {} if method is None else {"HTTP_ACCESS_CONTROL_REQUEST_METHOD": method}
        environ |= {} if names is None else {"HTTP_ACCESS_CONTROL_REQUEST_HEADERS": names}
        answer = http.options(path, headers={"Origin": origin}, environ_overrides=environ)
        assert answer.status_code in (200, 400, 404)


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
