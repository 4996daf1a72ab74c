"""Clerk's hosted pages, without any JavaScript."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from clerk_emulator.testing import PASSWORD, Backend, Browser

from .hosted_forms import send

PROXY = {"Clerk-Proxy-Url": "http://localhost:5000/__clerk"}
ORIGIN = {"Origin": "http://localhost:5000"}
SUFFIX = "MUrzIuC5"
DASHBOARD = "redirect_url=http%3A%2F%2Flocalhost%3A5000%2Fdashboard"


@pytest.fixture
def visitor(browser: Browser) -> FlaskClient:
    """A browser with cookies, but without Clerk.js."""
    return browser.http


def open_page(visitor: FlaskClient, path: str) -> TestResponse:
    return visitor.get(path, headers=PROXY)


def submit(
    visitor: FlaskClient, path: str, headers: Mapping[str, str] = ORIGIN, **form: str
) -> TestResponse:
    """Open a page, fill in its first form, and submit it."""
    page = open_page(visitor, path).text
    action, token = (
        re.search(pattern, page) for pattern in (r'action="([^"]+)"', r'csrf_token" value="(\w+)"')
    )
    assert action is not None
    assert token is not None
    target = unescape(action[1]).removeprefix(PROXY["Clerk-Proxy-Url"])
    data = {"csrf_token": token[1]} | form
    return visitor.post(target, data=data, headers={**PROXY, **headers})


def sign_up(visitor: FlaskClient, query: str = DASHBOARD) -> TestResponse:
    submit(visitor, f"/sign-up?{query}", email_address="grace@example.com", password=PASSWORD)
    return submit(visitor, f"/sign-up/verify?{query}", code="424242")


def parts(answer: TestResponse) -> tuple[str, list[str]]:
    """The target of a redirect, and the dev browser token in it."""
    url = urlsplit(answer.location or "")
    token = parse_qs(url.query).get("__clerk_db_jwt", [])
    return f"{url.scheme}://{url.netloc}{url.path}", token


def dev_browser(visitor: FlaskClient) -> str:
    cookie = visitor.get_cookie("__clerk_db_jwt")
    assert cookie is not None
    return cookie.value


def forget(visitor: FlaskClient) -> None:
    """Drop the browser's cookies."""
    for name in ("__clerk_db_jwt", f"__clerk_db_jwt_{SUFFIX}"):
        visitor.delete_cookie(name)


def test_sign_up_redirects_to_the_app_with_the_dev_browser_token(visitor: FlaskClient) -> None:
    answer = sign_up(visitor)
    assert answer.status_code == 303
    assert parts(answer) == ("http://localhost:5000/dashboard", [dev_browser(visitor)])


def test_sign_in_redirects_to_the_app(visitor: FlaskClient) -> None:
    sign_up(visitor)
    forget(visitor)
    answer = submit(
        visitor, f"/sign-in?{DASHBOARD}", identifier="grace@example.com", password=PASSWORD
    )
    assert parts(answer)[0] == "http://localhost:5000/dashboard"


def test_a_wrong_password_is_reported_next_to_the_field(visitor: FlaskClient) -> None:
    sign_up(visitor)
    forget(visitor)
    page = submit(visitor, "/sign-in", identifier="grace@example.com", password="wrong").text
    assert 'aria-describedby="password-error"' in page
    assert "Password is incorrect" in page
    assert 'value="grace@example.com"' in page
    assert 'value="wrong"' not in page


def test_a_wrong_code_is_reported_next_to_the_field(visitor: FlaskClient) -> None:
    submit(visitor, "/sign-up", email_address="grace@example.com", password=PASSWORD)
    assert 'id="code-error"' in submit(visitor, "/sign-up/verify", code="1").text


def test_a_weak_password_leaves_no_sign_up_behind(visitor: FlaskClient) -> None:
    page = submit(visitor, "/sign-up", email_address="grace@example.com", password="short").text
    assert 'id="password-error"' in page
    assert open_page(visitor, "/sign-up/verify").status_code == 303


def test_the_name_can_be_changed(visitor: FlaskClient) -> None:
    sign_up(visitor)
    names = {"first_name": "Grace", "last_name": "<Hopper>"}
    send(visitor, open_page(visitor, "/user"), "/user", **names)
    page = open_page(visitor, "/user").text
    assert 'value="Grace"' in page
    assert "&lt;Hopper&gt;" in page


def test_signing_out_redirects_to_the_app(visitor: FlaskClient) -> None:
    sign_up(visitor)
    page = open_page(visitor, "/user").text
    token = re.search(r'csrf_token" value="(\w+)"', page)
    assert token is not None
    data = {"csrf_token": token[1]}
    answer = visitor.post("/user/sign-out", data=data, headers=PROXY | ORIGIN)
    assert parts(answer)[0] == "http://localhost:5000/"
    assert open_page(visitor, "/user").status_code == 303


def test_deletion_asks_first_and_redirects_to_the_login_page(
    visitor: FlaskClient, backend: Backend
) -> None:
    sign_up(visitor)
    answer = submit(visitor, "/user/delete")
    assert parts(answer)[0] == "http://localhost:5000/login"
    assert backend.get("/users/count").get_json()["total_count"] == 0


def test_a_signed_in_user_is_redirected_at_once(visitor: FlaskClient) -> None:
    sign_up(visitor)
    answer = open_page(visitor, f"/sign-in?{DASHBOARD}")
    assert parts(answer)[0] == "http://localhost:5000/dashboard"


def test_the_query_identifies_the_browser_and_sets_its_cookies(ada: Browser) -> None:
    answer = ada.http.get("/user", query_string={"__clerk_db_jwt": ada.dev_browser})
    assert "ada@example.com" in answer.text
    assert dev_browser(ada.http) == ada.dev_browser


def test_all_links_go_through_the_apps_proxy(visitor: FlaskClient) -> None:
    page = open_page(visitor, f"/sign-in?{DASHBOARD}").text
    links = re.findall(r'(?:href|action)="(http[^"]+)"', page)
    assert links
    assert all(link.startswith("http://localhost:5000/__clerk/") for link in links)


@pytest.mark.parametrize(
    "proxy", ["http://evil.example/__clerk", "javascript:alert(1)", "http://localhost:x/", ""]
)
def test_an_unknown_proxy_is_ignored(visitor: FlaskClient, proxy: str) -> None:
    page = visitor.get("/sign-in", headers={"Clerk-Proxy-Url": proxy}).text
    assert 'action="http://127.0.0.1:5001/sign-in"' in page


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "http://evil.example/",
        "http://localhost:5000@evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "http://localhost:5000\\.evil.example",
        "%2F%2Fevil.example",
    ],
)
def test_it_only_redirects_back_to_the_app(visitor: FlaskClient, target: str) -> None:
    answer = sign_up(visitor, f"redirect_url={target}")
    assert parts(answer)[0] == "http://localhost:5000/"


def test_every_page_warns_that_it_is_not_the_real_clerk(visitor: FlaskClient) -> None:
    assert "development only" in open_page(visitor, "/sign-in").text


def test_no_page_runs_scripts_or_can_be_framed(visitor: FlaskClient) -> None:
    page = open_page(visitor, "/sign-in")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "<script" not in page.text


FOREIGN: list[dict[str, str]] = [
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:9999"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:5000"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_other_sites_cannot_delete_an_account(
    visitor: FlaskClient, backend: Backend, headers: dict[str, str]
) -> None:
    sign_up(visitor)
    assert submit(visitor, "/user/delete", headers).status_code in (400, 403)
    assert backend.get("/users/count").get_json()["total_count"] == 1


@pytest.mark.parametrize(
    "path", ["/sign-in", "/sign-up", "/sign-up/verify", "/user", "/user/sign-out", "/user/delete"]
)
def test_every_form_needs_its_token(visitor: FlaskClient, path: str) -> None:
    sign_up(visitor)
    assert visitor.post(path, headers=PROXY | ORIGIN).status_code == 403


@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
def test_an_invented_form_token_is_rejected(visitor: FlaskClient, token: str) -> None:
    open_page(visitor, "/sign-in")
    answer = visitor.post("/sign-in", data={"csrf_token": token}, headers=PROXY | ORIGIN)
    assert answer.status_code == 403


def test_the_form_token_of_another_browser_is_rejected(visitor: FlaskClient) -> None:
    page = open_page(visitor, "/sign-in").text
    token = re.search(r'csrf_token" value="(\w+)"', page)
    assert token is not None
    forget(visitor)
    open_page(visitor, "/sign-in")
    answer = visitor.post("/sign-in", data={"csrf_token": token[1]}, headers=PROXY | ORIGIN)
    assert answer.status_code == 403
