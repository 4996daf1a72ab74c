"""One sign-in for several domains: a primary domain and its satellites."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.clerk import Clerk, ConfigurationError, read_instance
from tests.app_fixtures import BROWSER
from tests.signing import HOST, LIVE_HOST, Signer, publishable_key

DEVELOPMENT = {
    "CLERK_PUBLISHABLE_KEY": publishable_key(HOST),
    "CLERK_SECRET_KEY": "sk_test_secret",
}
PRODUCTION = {
    "CLERK_PUBLISHABLE_KEY": publishable_key(LIVE_HOST, "live"),
    "CLERK_SECRET_KEY": "sk_live_secret",
    "CLERK_AUTHORIZED_PARTIES": "http://localhost",
}
SATELLITE = {"CLERK_IS_SATELLITE": "true", "CLERK_DOMAIN": "satellite.example"}
DEVELOPMENT_SATELLITE = DEVELOPMENT | SATELLITE | {"CLERK_SIGN_IN_URL": "http://primary.test:5000/login?a=1"}
PRODUCTION_SATELLITE = PRODUCTION | SATELLITE
AUTO = {"CLERK_SATELLITE_AUTO_SYNC": "true"}
ORIGINS = (
    "http://satellite.test, https://satellite.test, http://satellite.test:5001, http://xn--bcher-kva.test"
)
PRIMARY = DEVELOPMENT | {"CLERK_SATELLITE_ORIGINS": ORIGINS}

FETCH = {"Accept": "application/json", "Sec-Fetch-Dest": "empty"}
FRAME = {"Accept": "text/html", "Sec-Fetch-Dest": "iframe"}
FROM_ELSEWHERE = BROWSER | {"Referer": "https://other.example/"}
DEV = {"__clerk_db_jwt": "dvb_1"}
IN = {"__client_uat": "1", "__session": "fresh"}

SIGNED_OUT = "session-token-and-uat-missing"
SYNC = "satellite-needs-syncing"
RESPONDS = "primary-responds-to-syncing"


def client_of(environ: dict[str, str], signer: Signer) -> FlaskClient:
    """A browser, for an app with these settings."""
    app = Flask("satellites")
    Clerk().init_app(app, read_instance(environ | {"CLERK_JWT_KEY": signer.pem}))
    app.add_url_rule("/", "page", lambda: "page", methods=["GET", "POST"])
    return app.test_client()


@dataclass
class Case:
    """A row of the table. The token is made when the row is tested."""

    name: str
    environ: dict[str, str]
    status: str
    reason: str = ""
    path: str = "/"
    cookies: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=lambda: BROWSER)
    method: str = "GET"


CASES = [
    # A new browser is synced only with auto-sync, or after a sign-in on the primary.
    Case("live, new", PRODUCTION_SATELLITE, "signed-out", SIGNED_OUT),
    Case("dev, new", DEVELOPMENT_SATELLITE, "signed-out", SIGNED_OUT),
    Case("live, auto-sync", PRODUCTION_SATELLITE | AUTO, "handshake", SYNC),
    Case("dev, auto-sync", DEVELOPMENT_SATELLITE | AUTO, "handshake", SYNC),
    Case("live, back", PRODUCTION_SATELLITE, "handshake", SYNC, "/?__clerk_synced=false"),
    Case("dev, back", DEVELOPMENT_SATELLITE, "handshake", SYNC, "/?__clerk_synced=false"),
    Case("signed out here", PRODUCTION_SATELLITE, "signed-out", SIGNED_OUT, cookies={"__client_uat": "0"}),
    Case(
        "signed out here, auto-sync",
        PRODUCTION_SATELLITE | AUTO,
        "handshake",
        SYNC,
        cookies={"__client_uat": "0"},
    ),
    Case(
        "back, with an old session",
        PRODUCTION_SATELLITE,
        "handshake",
        SYNC,
        "/?__clerk_synced=false",
        cookies=IN,
    ),
    # A synced browser is not synced again.
    Case("live, synced", PRODUCTION_SATELLITE | AUTO, "signed-out", SIGNED_OUT, "/?__clerk_synced=true"),
    Case(
        "dev, synced, in the query first",
        DEVELOPMENT_SATELLITE | AUTO,
        "handshake",
        "dev-browser-sync",
        "/?__clerk_synced=true&__clerk_db_jwt=dvb_1",
    ),
    Case(
        "dev, synced, signed out",
        DEVELOPMENT_SATELLITE | AUTO,
        "signed-out",
        SIGNED_OUT,
        "/?__clerk_synced=true",
        cookies=DEV,
    ),
    Case("synced, signed in", PRODUCTION_SATELLITE, "signed-in", "", "/?__clerk_synced=true", IN),
    Case("an unexpected value", PRODUCTION_SATELLITE, "signed-out", SIGNED_OUT, "/?__clerk_synced=False"),
    # With cookies, the usual steps apply.
    Case("live, signed in", PRODUCTION_SATELLITE, "signed-in", cookies=IN),
    Case("dev, signed in", DEVELOPMENT_SATELLITE, "signed-in", cookies=IN | DEV),
    Case("auto-sync, signed in", PRODUCTION_SATELLITE | AUTO, "signed-in", cookies=IN),
    Case(
        "uat only",
        PRODUCTION_SATELLITE,
        "handshake",
        "client-uat-but-no-session-token",
        cookies={"__client_uat": "1"},
    ),
    Case(
        "session only",
        PRODUCTION_SATELLITE,
        "handshake",
        "session-token-but-no-client-uat",
        cookies={"__session": "fresh"},
    ),
    Case(
        "forged",
        PRODUCTION_SATELLITE,
        "signed-out",
        "token-invalid-signature",
        cookies=IN | {"__session": "forged"},
    ),
    Case(
        "satellites ignore the referer",
        PRODUCTION_SATELLITE,
        "signed-in",
        cookies=IN,
        headers=FROM_ELSEWHERE,
    ),
    # Only page loads are synced.
    Case("fetch", PRODUCTION_SATELLITE | AUTO, "signed-out", SIGNED_OUT, headers=FETCH),
    Case("frame", PRODUCTION_SATELLITE | AUTO, "signed-out", SIGNED_OUT, headers=FRAME),
    Case("no headers", PRODUCTION_SATELLITE | AUTO, "signed-out", SIGNED_OUT, headers={}),
    Case("POST", PRODUCTION_SATELLITE | AUTO, "signed-out", SIGNED_OUT, method="POST"),
    Case(
        "dev, fetch",
        DEVELOPMENT_SATELLITE | AUTO,
        "signed-out",
        "dev-browser-missing",
        headers=FETCH,
    ),
    Case(
        "three in a row",
        PRODUCTION_SATELLITE | AUTO,
        "signed-out",
        SYNC,
        cookies={"__clerk_redirect_count": "3"},
    ),
    # The primary returns browsers in development only, and page loads only.
    Case(
        "dev primary",
        PRIMARY,
        "handshake",
        RESPONDS,
        "/?__clerk_redirect_url=http://satellite.test/",
    ),
    Case(
        "dev primary, signed in",
        PRIMARY,
        "handshake",
        RESPONDS,
        "/?__clerk_redirect_url=http://satellite.test/",
        cookies=IN | DEV,
    ),
    Case(
        "dev primary, fetch",
        PRIMARY,
        "signed-out",
        RESPONDS,
        "/?__clerk_redirect_url=http://satellite.test/",
        headers=FETCH,
    ),
    Case(
        "dev primary without configured satellites",
        DEVELOPMENT,
        "signed-out",
        SIGNED_OUT,
        "/?__clerk_redirect_url=http://satellite.test/",
        cookies=DEV,
    ),
    Case(
        "live primary",
        PRODUCTION | {"CLERK_SATELLITE_ORIGINS": ORIGINS},
        "signed-out",
        SIGNED_OUT,
        "/?__clerk_redirect_url=http://satellite.test/",
    ),
    Case(
        "a satellite does not return browsers",
        DEVELOPMENT_SATELLITE,
        "signed-out",
        SIGNED_OUT,
        "/?__clerk_redirect_url=http://satellite.test/",
    ),
    Case("the primary does not sync", PRODUCTION, "signed-out", SIGNED_OUT, "/?__clerk_synced=false"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_satellite_authentication(case: Case, signer: Signer, live_signer: Signer, forger: Signer) -> None:
    ours = live_signer if "live" in case.environ["CLERK_PUBLISHABLE_KEY"] else signer
    tokens = {"fresh": ours.token(), "forged": forger.token(iss=f"https://{ours.host}")}
    client = client_of(case.environ, ours)
    for name, value in case.cookies.items():
        client.set_cookie(name, tokens.get(value, value))
    response = client.open(case.path, method=case.method, headers=case.headers)

    assert response.headers["X-Clerk-Auth-Status"] == case.status
    assert response.headers.get("X-Clerk-Auth-Reason", "") == case.reason
    assert (response.status_code == 307) == (case.status == "handshake")


def test_a_satellite_reaches_clerk_on_its_own_domain(live_signer: Signer) -> None:
    client = client_of(PRODUCTION_SATELLITE | AUTO, live_signer)
    response = client.get("/?tab=1", headers=BROWSER)
    target = urlsplit(response.headers["Location"])
    assert (target.scheme, target.netloc) == ("https", "clerk.satellite.example")
    assert target.path == "/v1/client/handshake"
    query = parse_qs(target.query)
    assert query["redirect_url"] == ["http://localhost/?tab=1"]
    assert query["__clerk_hs_reason"] == [SYNC]
    assert response.headers["Cache-Control"] == "no-store"
    assert "__clerk_redirect_count=1" in response.headers["Set-Cookie"]


def test_a_satellite_reaches_clerk_through_its_proxy(live_signer: Signer) -> None:
    settings = {"CLERK_IS_SATELLITE": "true", "CLERK_PROXY_URL": "/__clerk"}
    response = client_of(PRODUCTION | settings | AUTO, live_signer).get("/", headers=BROWSER)
    location = response.headers["Location"]
    assert location.startswith("http://localhost/__clerk/v1/client/handshake?")


def test_a_development_satellite_redirects_to_the_primarys_sign_in_page(signer: Signer) -> None:
    client = client_of(DEVELOPMENT_SATELLITE, signer)
    response = client.get("/?tab=a%26b&__clerk_synced=false", headers=BROWSER)
    target = urlsplit(response.headers["Location"])
    assert (target.scheme, target.netloc, target.path) == ("http", "primary.test:5000", "/login")
    assert parse_qsl(target.query) == [
        ("a", "1"),
        ("__clerk_redirect_url", "http://localhost/?tab=a%26b&__clerk_synced=false"),
    ]
    assert response.headers["Cache-Control"] == "no-store"
    assert "__clerk_redirect_count=1" in response.headers["Set-Cookie"]


def test_the_primary_returns_the_browser_with_its_dev_browser(signer: Signer) -> None:
    client = client_of(PRIMARY, signer)
    client.set_cookie("__clerk_db_jwt", "dvb_1")
    back = "http://satellite.test:5001/a?tab=a%26b&__clerk_synced=false&__clerk_db_jwt=old#here"
    response = client.get("/", query_string={"__clerk_redirect_url": back}, headers=BROWSER)
    target = urlsplit(response.headers["Location"])
    assert (target.scheme, target.netloc) == ("http", "satellite.test:5001")
    assert (target.path, target.fragment) == ("/a", "here")
    assert parse_qsl(target.query) == [
        ("tab", "a&b"),
        ("__clerk_db_jwt", "dvb_1"),
        ("__clerk_synced", "true"),
    ]
    assert response.headers["Cache-Control"] == "no-store"


def test_the_primary_returns_a_browser_without_a_dev_browser(signer: Signer) -> None:
    path = "/?__clerk_redirect_url=https://satellite.test/"
    response = client_of(PRIMARY, signer).get(path, headers=BROWSER)
    assert response.headers["Location"] == "https://satellite.test/?__clerk_synced=true"


@pytest.mark.parametrize(
    "target",
    [
        "",
        "/login",
        "//evil.example",
        "evil.example",
        "javascript:alert(1)",
        "JaVaScRiPt://x.example/%0aalert(1)",
        "data:text/html,x",
        "ftp://satellite.test/",
        "file:///etc/passwd",
        "http://",
        "http:///path",
        "http:satellite.test",
        "http://[::1",
        "http://satellite.test\\@evil.example/",
        "http://satellite.test/\r\nSet-Cookie: a=b",
        "http://satellite.test/\u2028",
        # Web pages, but not of a configured satellite.
        "https://evil.example/",
        "http://satellite.test.evil.example/",
        "http://evil.example/?http://satellite.test/",
        "http://evil.example#http://satellite.test/",
        "http://localhost/",
        "http://localhost@satellite.test/",
        "http://satellite.test@evil.example/",
        "http://satellite.test:80@evil.example/",
        "http://satellite.test%40evil.example/",
        "http://satellite.test%2eevil.example/",
        "http://satellite.test./",
        "http://.satellite.test/",
        "http://satellite.test:5002/",
        "http://satellite.test:0/",
        "http://satellite.test:65617/",
        "http://satellite.test:+80/",
        "http://satellite.test:\u0668\u0660/",
        "http://satellite.test:5001:80/",
        "http://satellite.test\t/",
        "http://satellite.test\x00/",
        "http://sat\nellite.test/",
        "\x01http://satellite.test/",
        " http://satellite.test/",
        "http:/\\satellite.test/",
        "http:\\\\satellite.test/",
        "http:///satellite.test/",
        "http:////satellite.test/",
        "http://satellite.test\\.evil.example/",
        "http://satellite.test/\\evil.example",
        "http://\u212aevil.example/",
        "http://satellite\uff0etest/",
        "http://satellite\u3002test/",
        "http://b\u00fccher.test/",
        "http://[::1]/",
        "https://satellite.test:5001/",
    ],
    ids=repr,
)
def test_the_primary_redirects_only_to_its_satellites(
    signer: Signer, target: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = client_of(PRIMARY, signer)
    client.set_cookie("__clerk_db_jwt", "dvb_1")
    response = client.get("/", query_string={"__clerk_redirect_url": target}, headers=BROWSER)
    assert response.status_code == 200
    assert "Location" not in response.headers
    assert response.headers["X-Clerk-Auth-Reason"] == SIGNED_OUT
    assert response.text == "page"
    assert "dvb_1" not in str(response.headers)
    assert ("CLERK_SATELLITE_ORIGINS" in caplog.text) == bool(target)


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("HTTP://Satellite.TEST/a", "http://satellite.test/a?__clerk_synced=true"),
        ("http://satellite.test:80/", "http://satellite.test/?__clerk_synced=true"),
        ("http://satellite.test:05001", "http://satellite.test:5001?__clerk_synced=true"),
        ("https://satellite.test:443/#x", "https://satellite.test/?__clerk_synced=true#x"),
        ("http://satellite.test//evil.example", "http://satellite.test//evil.example?__clerk_synced=true"),
        ("http://xn--bcher-kva.test/", "http://xn--bcher-kva.test/?__clerk_synced=true"),
        ("http://satellite.test/caf\u00e9", "http://satellite.test/caf%C3%A9?__clerk_synced=true"),
    ],
)
def test_other_spellings_of_a_satellites_origin_are_recognized(
    signer: Signer, target: str, location: str
) -> None:
    client = client_of(PRIMARY, signer)
    response = client.get("/", query_string={"__clerk_redirect_url": target}, headers=BROWSER)
    assert response.headers["Location"] == location


def test_a_referer_does_not_make_a_site_a_satellite(signer: Signer) -> None:
    client = client_of(DEVELOPMENT, signer)
    client.set_cookie("__clerk_db_jwt", "dvb_1")
    headers = BROWSER | {"Referer": "http://satellite.test/"}
    response = client.get("/?__clerk_redirect_url=http://satellite.test/", headers=headers)
    assert response.text == "page"


def test_every_origin_can_be_allowed_in_development_only(
    signer: Signer, caplog: pytest.LogCaptureFixture
) -> None:
    every = {"CLERK_SATELLITE_ORIGINS": "*"}
    client = client_of(DEVELOPMENT | every, signer)
    assert "CLERK_SATELLITE_ORIGINS is *" in caplog.text
    response = client.get("/?__clerk_redirect_url=http://any.test:1/", headers=BROWSER)
    assert response.headers["Location"] == "http://any.test:1/?__clerk_synced=true"
    response = client.get("/?__clerk_redirect_url=javascript://any.test/", headers=BROWSER)
    assert "javascript" not in response.headers.get("Location", "").partition("?")[0]
    with pytest.raises(ConfigurationError, match="CLERK_SATELLITE_ORIGINS is \\*"):
        read_instance(PRODUCTION | every)
