"""Browsers that drop some or all cookies are not redirected endlessly."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from flask import Flask
from werkzeug.datastructures import Headers
from werkzeug.http import parse_cookie
from werkzeug.test import Client, EnvironBuilder, TestResponse

from app import create_app
from app.clerk import clerk_of
from app.clerk.lost_cookies import MARKER
from tests.app_fixtures import BROWSER
from tests.local_server import LocalServer
from tests.signing import Signer

MOST_HOPS = 12
"""Redirects, of which a browser follows 20."""


class ForgetfulBrowser:
    """A browser that drops some cookies, and Clerk, to which it is redirected.

    :param drops: whether the browser drops a cookie, by name.
    :param by_cookie: whether Clerk returns the result of a handshake in a cookie.
    """

    def __init__(
        self, app: Flask, signer: Signer, drops: Callable[[str], bool], *, by_cookie: bool = False
    ) -> None:
        self._app = app
        self._signer = signer
        self._drops = drops
        self._by_cookie = by_cookie
        self.cookies: dict[str, str] = {}
        self.hops: list[str] = []
        self.origin = "http://localhost"
        self.prefix = ""

    def keep(self, name: str, value: str) -> None:
        """Receive a cookie."""
        self.cookies.pop(name, None)
        if value and not self._drops(name):
            self.cookies[name] = value

    def open(self, path: str) -> TestResponse:
        """Open a page of the app, and follow all redirects."""
        for _ in range(20):
            answer = self._get(path)
            if answer.status_code != 307:
                return answer
            self.hops.append(answer.headers["Location"])
            target = urlsplit(self.hops[-1])
            path = self._handshake(target.query) if target.path.endswith("/handshake") else self.hops[-1]
        pytest.fail("endless redirects: " + "\n".join(self.hops))

    def _get(self, path: str) -> TestResponse:
        sent = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        path = path.removeprefix(self.prefix)
        base = f"{self.origin}{self.prefix}/"
        headers = Headers({**BROWSER, "Cookie": sent, "User-Agent": "Forgetful"})
        builder = EnvironBuilder(path, base_url=base, headers=headers)
        answer = Client(self._app.wsgi_app, TestResponse, use_cookies=False).open(builder)
        for cookie in answer.headers.getlist("Set-Cookie"):
            ((name, value),) = parse_cookie(cookie.partition(";")[0]).items()
            self.keep(name, value)
        return answer

    def _handshake(self, query: str) -> str:
        back = urlsplit(parse_qs(query)["redirect_url"][0])
        assert f"{back.scheme}://{back.netloc}" == self.origin
        if self._by_cookie:
            self.keep("__clerk_handshake_nonce", "n")
            return f"{back.path}?{back.query}"
        return f"{back.path}?{urlencode([*parse_qsl(back.query), ('__clerk_handshake_nonce', 'n')])}"


def starts(*names: str) -> Callable[[str], bool]:
    """Drop the cookies whose names start so."""
    return lambda name: name.startswith(names)


def everything(name: str) -> bool:
    """Drop all cookies."""
    return True


COUNT = "__clerk_redirect_count"  # as good as lost if each hop takes over 2 seconds
LOSSES: dict[str, Callable[[str], bool]] = {
    "all": everything,
    "all of Clerk's": starts("__"),
    "client_uat": starts("__client_uat"),
    "client_uat, slowly": starts("__client_uat", COUNT),
    "session": starts("__session"),
    "session, slowly": starts("__session", COUNT),
    "dev browser": starts("__clerk_db_jwt"),
    "dev browser, slowly": starts("__clerk_db_jwt", COUNT),
}


def browser_of(
    app: Flask, signer: Signer, backend: LocalServer, drops: Callable[[str], bool], *, by_cookie: bool = False
) -> ForgetfulBrowser:
    """A browser of a user whom Clerk knows."""
    token, at = signer.token(), signer.claims()["iat"]
    suffix = clerk_of(app).instance.cookie_suffix
    values = {"__session": token, "__client_uat": at, "__clerk_db_jwt": "dvb_1"}
    cookies = [f"{name}{end}={value}; Path=/" for name, value in values.items() for end in ("", f"_{suffix}")]
    backend.answers["GET /v1/clients/handshake_payload"] = (200, {"directives": cookies})
    return ForgetfulBrowser(app, signer, drops, by_cookie=by_cookie)


@pytest.mark.parametrize("prefix", ["", "/crm"])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_development_app_explains_which_cookies_are_missing(
    environ: dict[str, str], signer: Signer, backend: LocalServer, loss: str, prefix: str
) -> None:
    browser = browser_of(create_app(environ), signer, backend, LOSSES[loss])
    browser.prefix = prefix
    answer = browser.open("/dashboard?tab=1")
    assert answer.status_code == 400
    assert len(browser.hops) <= MOST_HOPS
    assert "Cookies are blocked" in answer.text
    assert f'href="{prefix}/dashboard?tab=1"' in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert "<script" not in answer.text
    # Once the browser keeps cookies, the link leads to the page, whose URL has no marker.
    browser._drops = lambda name: False
    browser.hops.clear()
    assert browser.open("/dashboard?tab=1").headers["X-Clerk-Auth-Status"] == "signed-in"
    assert browser.hops[-1] == f"{prefix}/dashboard?tab=1"


@pytest.mark.parametrize("prefix", ["", "/crm"])
@pytest.mark.parametrize("by_cookie", [False, True], ids=["result in the URL", "result in a cookie"])
@pytest.mark.parametrize("kept", ["__session", "__client_uat"])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_production_app_stops_as_well(
    live_environ: dict[str, str],
    live_signer: Signer,
    backend: LocalServer,
    loss: str,
    kept: str,
    by_cookie: bool,
    prefix: str,
) -> None:
    browser = browser_of(create_app(live_environ), live_signer, backend, LOSSES[loss], by_cookie=by_cookie)
    browser.prefix = prefix
    # A cookie that scripts or an earlier visit left behind.
    browser.cookies[kept] = {"__session": live_signer.token(), "__client_uat": "1"}[kept]
    for _ in range(2):
        answer = browser.open("/dashboard?tab=1")
        assert answer.status_code in (200, 302, 400)
        assert len(browser.hops) <= MOST_HOPS
        browser.hops.clear()


@pytest.mark.parametrize("loss", ["all", "client_uat, slowly"])
def test_a_result_in_a_cookie_that_never_arrives_is_explained(
    live_environ: dict[str, str], live_signer: Signer, backend: LocalServer, loss: str
) -> None:
    drops = LOSSES[loss]
    browser = browser_of(
        create_app(live_environ),
        live_signer,
        backend,
        lambda name: drops(name) or "nonce" in name,
        by_cookie=True,
    )
    browser.cookies["__session"] = live_signer.token()
    answer = browser.open("/dashboard")
    assert answer.status_code == 400
    assert "Cookies are blocked" in answer.text
    assert "developers" not in answer.text


def test_production_over_http_asks_for_https(
    live_environ: dict[str, str], live_signer: Signer, backend: LocalServer
) -> None:
    environ = live_environ | {"CLERK_AUTHORIZED_PARTIES": "*"}
    drops = starts("__session", "__client_uat", "__clerk_handshake", COUNT)
    browser = browser_of(create_app(environ), live_signer, backend, drops, by_cookie=True)
    browser.origin = "http://app.example.com"
    browser.cookies["__client_uat"] = "1"
    answer = browser.open("/dashboard")
    assert answer.status_code == 400
    assert len(browser.hops) == 1
    assert "https://" in answer.text


@pytest.mark.parametrize("live", [False, True], ids=["development", "production"])
def test_a_browser_that_keeps_cookies_never_sees_the_marker(
    request: pytest.FixtureRequest, environ: dict[str, str], backend: LocalServer, live: bool
) -> None:
    environ = request.getfixturevalue("live_environ") if live else environ
    signer: Signer = request.getfixturevalue("live_signer" if live else "signer")
    browser = browser_of(create_app(environ), signer, backend, lambda name: False)
    for lost in ((), ("__session",), ("__client_uat",), ("__session", "__client_uat", "__clerk_db_jwt")):
        for name in [name for name in browser.cookies if name.startswith(lost or "-")]:
            del browser.cookies[name]
        browser.cookies.pop(COUNT, None)  # more than 2 seconds later
        browser.open("/dashboard")
    assert not any(MARKER in hop for hop in browser.hops)


@pytest.mark.parametrize("marked", [f"?{MARKER}=1", f"?a=1&{MARKER}=1", f"?{MARKER}=1&{MARKER}=2"])
def test_the_marker_is_removed_once_the_cookies_are_there(
    live_app: Flask, live_signer: Signer, marked: str
) -> None:
    client = live_app.test_client()
    client.set_cookie("__session", live_signer.token())
    client.set_cookie("__client_uat", "1")
    answer = client.get(f"/dashboard{marked}", headers=BROWSER)
    assert answer.status_code == 307
    assert answer.headers["Location"] == ("/dashboard?a=1" if "a=1" in marked else "/dashboard")
    assert client.get(f"/api/me{marked}", headers={"Accept": "application/json"}).status_code == 200


@pytest.mark.parametrize(
    "query", [f"x={MARKER}", f"{MARKER}=", f"{MARKER}", f"{MARKER}=&{MARKER}=1", f"x{MARKER}=1", "&" * 2000]
)
def test_what_only_looks_like_the_marker_causes_no_redirect(
    live_app: Flask, live_signer: Signer, query: str
) -> None:
    client = live_app.test_client()
    client.set_cookie("__session", live_signer.token())
    client.set_cookie("__client_uat", "1")
    assert client.get(f"/dashboard?{query}", headers=BROWSER).status_code == 200


def test_a_link_from_another_site_is_not_checked_endlessly_without_the_counter(
    live_environ: dict[str, str], live_signer: Signer, backend: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BROWSER, "Referer", "https://other.example/")
    browser = browser_of(create_app(live_environ), live_signer, backend, starts(COUNT), by_cookie=True)
    browser._drops = starts(COUNT, "__clerk_handshake")
    browser.cookies |= {"__session": live_signer.token(), "__client_uat": "1"}
    assert browser.open("/dashboard").headers["X-Clerk-Auth-Status"] == "signed-in"
    assert len(browser.hops) <= MOST_HOPS
