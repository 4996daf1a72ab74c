"""The app works below a path, such as /crm: every link, redirect, cookie and form stays below it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from html import unescape
from urllib.parse import parse_qs, urljoin, urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from app.clerk import clerk_of
from clerk_emulator.testing import RunningClerk
from tests.app_fixtures import BROWSER
from tests.signing import SECRET_KEY

ORIGIN = "http://localhost"
LINK = re.compile(r'(?:href|src|action|data-clerk-proxy-url)="([^"#][^"]*)"')
JSON = re.compile(r'data-clerk-(?:settings|props)="([^"]*)"')


class Mounted:
    """A server that mounts the app at a path, as gunicorn does with ``SCRIPT_NAME``."""

    def __init__(self, app: WSGIApplication, prefix: str) -> None:
        self._app, self._prefix = app, prefix

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        assert path.startswith(self._prefix), f"{path} is not below {self._prefix}"
        environ |= {"SCRIPT_NAME": self._prefix, "PATH_INFO": path.removeprefix(self._prefix)}
        return self._app(environ, start_response)


class Whole:
    """A proxy that passes the whole path on."""

    def __init__(self, app: WSGIApplication, prefix: str) -> None:
        self._app, self._prefix = app, prefix

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        assert environ["PATH_INFO"].startswith(self._prefix)
        return self._app(environ, start_response)


class Stripped(Whole):
    """A proxy that removes the prefix without telling the app."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        assert environ["PATH_INFO"].startswith(self._prefix)
        environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix(self._prefix)
        return self._app(environ, start_response)


WAYS = [
    pytest.param("/crm", Mounted, "", id="server"),
    pytest.param("/crm", Whole, f"{ORIGIN}/crm", id="app-url"),
    pytest.param("/crm", Stripped, f"{ORIGIN}/crm", id="app-url-and-stripping-proxy"),
    pytest.param("/a/b.c", Whole, f"{ORIGIN}/a/b.c", id="two-segments"),
    pytest.param("", Whole, "", id="root"),
]


class Walker:
    """A browser that follows redirects by itself, and checks where they and the links lead."""

    def __init__(self, app: Flask, mount: type[Whole] | type[Mounted], prefix: str) -> None:
        app.wsgi_app = mount(app.wsgi_app, prefix)  # type: ignore[method-assign]
        app.config.update(SERVER_NAME=None, APPLICATION_ROOT="/")  # or the test client would add them
        self.http: FlaskClient = app.test_client()
        self.prefix = prefix
        self.seen: list[str] = []

    def get(self, path: str) -> TestResponse:
        """Open a page of the app."""
        return self._follow(self.http.get(self.prefix + path, base_url=ORIGIN, headers=BROWSER))

    def submit(self, page: TestResponse, action: str, **fields: str) -> TestResponse:
        """Send a form on the page, with its hidden fields."""
        form = re.search(rf'action="({re.escape(action)}[^"]*)"(.*?)</form>', page.text, re.S)
        assert form, f"No form {action} in:\n{page.text}"
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form[2]))
        target = urljoin(page.request.url, unescape(form[1]))
        sent = self.http.post(target, data=hidden | fields, headers={"Origin": ORIGIN, **BROWSER})
        return self._follow(sent)

    def _follow(self, response: TestResponse) -> TestResponse:
        self._check(response)
        for _ in range(10):
            if response.status_code not in (302, 303, 307):
                return response
            response = self.http.get(urljoin(response.request.url, response.location), headers=BROWSER)
            self._check(response)
        raise AssertionError(f"too many redirects: {response.location}")

    def _check(self, response: TestResponse) -> None:
        found = [response.location] if response.location else []
        if response.mimetype == "text/html":
            found += map(unescape, LINK.findall(response.text))
            for text in JSON.findall(response.text):
                values = json.loads(unescape(text)).values()
                found += [value for value in values if isinstance(value, str) and "/" in value]
        for link in found:
            absolute = urlsplit(urljoin(response.request.url, link))
            if absolute.scheme not in ("mailto", "data"):
                assert f"{absolute.scheme}://{absolute.netloc}" == ORIGIN, link
                assert f"{absolute.path}/".startswith(f"{self.prefix}/"), f"{link} in {response.request.url}"
            for back in parse_qs(absolute.query).get("redirect_url", []):
                assert f"{urlsplit(back).path}/".startswith(f"{self.prefix}/"), link
            self.seen.append(link)
        for cookie in response.headers.getlist("Set-Cookie"):
            # Clerk's own cookies, which Clerk.js sets for the whole origin, too.
            clerks = cookie.startswith(("__client", "__session", "__clerk_", "__refresh"))
            path = "/" if clerks or "/__clerk" in response.request.url else self.prefix or "/"
            assert f"; Path={path};" in f"{cookie};", cookie


@pytest.mark.parametrize(("prefix", "mount", "url"), WAYS)
def test_the_whole_app_works_below_a_path(
    database_url: str,
    clerk: RunningClerk,
    prefix: str,
    mount: type[Whole] | type[Mounted],
    url: str,
) -> None:
    own = {"SECRET_KEY": SECRET_KEY, "DATABASE_URL": database_url, "APP_URL": url}
    app = create_app(clerk.environ | own)
    app.testing = True
    clerk_of(app).now = clerk.now
    browser = Walker(app, mount, prefix)

    for path in ("/", "/login", "/signup", "/login/factor-one", "/healthz", "/static/app.css"):
        assert browser.get(path).status_code == 200, path
    assert browser.get("/nowhere").status_code == 404

    login = browser.get("/dashboard")
    assert urlsplit(login.request.url).path == f"{prefix}/login"
    assert f'"fallbackRedirectUrl": "{prefix}/dashboard"' in unescape(login.text)
    hosted = re.search(r'<noscript>.*?href="([^"]+)"', login.text, re.S)
    assert hosted
    clerk.create_user("ada@example.com", password="correct horse 9")
    page = browser.get(unescape(hosted[1]).removeprefix(ORIGIN + prefix))
    form = {"identifier": "ada@example.com", "password": "correct horse 9"}
    page = browser.submit(page, f"{ORIGIN}{prefix}/__clerk/sign-in", **form)
    assert urlsplit(page.request.url).path == f"{prefix}/dashboard"
    assert "ada@example.com" in page.text

    assert browser.get("/profile").status_code == 200
    assert browser.get("/api/me").get_json()["user_id"].startswith("user_")
    assert urlsplit(browser.get("/login").request.url).path == f"{prefix}/dashboard"

    page = browser.submit(browser.get("/dashboard"), f"{prefix}/logout")
    assert urlsplit(page.request.url).path == f"{prefix}/"
    assert urlsplit(browser.get("/dashboard").request.url).path == f"{prefix}/login"
    assert len(browser.seen) > 100


def test_an_unsafe_way_back_is_removed_below_the_path(live_environ: dict[str, str]) -> None:
    app = create_app(live_environ | {"APP_URL": "https://example.com/crm"})
    response = app.test_client().get("/login?redirect_url=//evil.example")
    assert response.location == "/crm/login"


def test_organizations_are_found_below_the_path(environ: dict[str, str]) -> None:
    """A handshake for an organization's page names the organization, and returns to the page."""
    patterns = {"CLERK_ORGANIZATION_PATTERNS": "/orgs/<slug>", "APP_URL": f"{ORIGIN}/crm"}
    client = create_app(environ | patterns).test_client()
    client.set_cookie("__clerk_db_jwt", "dvb_1")
    client.set_cookie("__client_uat", "1")
    response = client.get("/orgs/acme", headers=BROWSER)
    query = parse_qs(urlsplit(response.location).query)
    assert query["organization_id"] == ["acme"]
    assert query["redirect_url"] == [f"{ORIGIN}/crm/orgs/acme"]
