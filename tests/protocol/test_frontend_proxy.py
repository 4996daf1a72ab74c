"""The proxy for the Frontend API, on a path of this app."""

from __future__ import annotations

import gzip
import json
from urllib.parse import urlsplit

import pytest
from flask import Flask

from app import create_app
from app.clerk import frontend_proxy, instance, instance_settings
from app.settings import SettingsError
from tests.local_server import LocalServer
from tests.signing import publishable_key

LOCAL = "local-test-1.clerk.accounts.dev"


@pytest.fixture
def proxied(environ: dict[str, str], backend: LocalServer) -> Flask:
    """An app whose local Clerk is the local server."""
    return local_app(environ, backend)


def local_app(environ: dict[str, str], backend: LocalServer, hops: str = "0") -> Flask:
    changes = {
        "CLERK_PUBLISHABLE_KEY": publishable_key(LOCAL),
        "CLERK_ALLOW_LOCAL_KEYS": "true",
        "CLERK_EMULATOR_URL": backend.url,
        "CLERK_API_URL": "",
        "TRUSTED_PROXY_HOPS": hops,
    }
    return create_app(environ | changes)


def test_requests_are_forwarded_with_clerks_headers(proxied: Flask, backend: LocalServer) -> None:
    backend.answers["POST /v1/client/sign_ins"] = (422, {"errors": []})
    backend.headers = [("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; HttpOnly")]
    response = proxied.test_client().post(
        "/__clerk/v1/client/sign_ins?_method=PATCH&x=%2F", data={"identifier": "a b"}
    )
    assert response.status_code == 422
    assert json.loads(response.data) == {"errors": []}
    assert response.headers.getlist("Set-Cookie") == ["a=1; Path=/", "b=2; HttpOnly"]
    seen = backend.received[-1]
    assert seen.path == "/v1/client/sign_ins?_method=PATCH&x=%2F"
    assert seen.body == b"identifier=a+b"
    assert seen.headers["clerk-proxy-url"] == "http://localhost/__clerk"
    assert seen.headers["x-forwarded-for"] == "127.0.0.1"


def test_a_double_slash_in_the_path_is_not_redirected(proxied: Flask, backend: LocalServer) -> None:
    backend.answers["POST /api_keys"] = (200, {})
    response = proxied.test_client().post("/__clerk//api_keys?x=1", json={"name": "CI"})
    assert response.status_code == 200
    assert backend.received[-1].path == "/api_keys?x=1"


@pytest.mark.parametrize("path", ["//evil.example/x", "//evil.example:80/x", "/\\evil.example/x"])
def test_no_path_is_forwarded_to_another_host(proxied: Flask, backend: LocalServer, path: str) -> None:
    response = proxied.test_client().get(f"/__clerk{path}")
    assert response.status_code == 404
    assert response.location is None
    assert backend.received[-1].headers["host"] == urlsplit(backend.url).netloc


@pytest.mark.parametrize("status", [200, 307])
def test_compressed_responses_and_redirects_are_not_changed(
    proxied: Flask, backend: LocalServer, status: int
) -> None:
    packed = gzip.compress(b"body")
    backend.answers["GET /npm/clerk.js"] = (status, packed)
    backend.headers = [("Content-Encoding", "gzip"), ("Location", "https://cdn.example/x")]
    response = proxied.test_client().get("/__clerk/npm/clerk.js")
    assert response.status_code == status
    assert response.headers["Location"] == "https://cdn.example/x"
    assert response.data == packed


def test_cookies_of_one_user_are_never_sent_for_another(proxied: Flask, backend: LocalServer) -> None:
    backend.answers["GET /v1/client"] = (200, {})
    backend.headers = [("Set-Cookie", "__client=of_alice; Path=/")]
    proxied.test_client().get("/__clerk/v1/client")
    proxied.test_client().get("/__clerk/v1/client")
    assert "cookie" not in backend.received[-1].headers


CLERKS_COOKIES = (
    "__client=a%3Bb; __client_uat=1; __client_uat_abcDEF-_=1; __session=e30.e30.x; __session_abcDEF-_=x; "
    "__refresh_abcDEF-_=r; __clerk_db_jwt=dvb_1; __clerk_handshake_nonce=n; clerk_active_context=sess_1:"
)


def test_a_session_cookie_with_a_name_like_clerks_is_not_forwarded(
    proxied: Flask, backend: LocalServer
) -> None:
    proxied.config["SESSION_COOKIE_NAME"] = "__clerk_app"
    headers = {"Cookie": "__clerk_app=secret; __client=a"}
    proxied.test_client(use_cookies=False).get("/__clerk/v1/client", headers=headers)
    assert backend.received[-1].headers["cookie"] == "__client=a"


@pytest.mark.parametrize(
    "cookies",
    [
        f"OURS=secret; {CLERKS_COOKIES}; sessions=x; csrf=y; __client_id=z",
        f"{CLERKS_COOKIES}; OURS=secret",
        # Servers join several Cookie headers with a comma.
        f"a=1,OURS=secret,{CLERKS_COOKIES}",
        f"a=1, OURS=secret; b=2 , {CLERKS_COOKIES},OURS = secret",
    ],
)
def test_clerk_gets_only_its_own_cookies(proxied: Flask, backend: LocalServer, cookies: str) -> None:
    backend.answers["GET /v1/client"] = (200, {})
    sent = cookies.replace("OURS", proxied.config["SESSION_COOKIE_NAME"])
    proxied.test_client(use_cookies=False).get("/__clerk/v1/client", headers={"Cookie": sent})
    assert backend.received[-1].headers["cookie"] == CLERKS_COOKIES


def test_requests_without_a_body_are_forwarded_without_one(proxied: Flask, backend: LocalServer) -> None:
    backend.answers["GET /v1/client"] = (200, {})
    proxied.test_client().get("/__clerk/v1/client")
    # A server that doesn't read a request's body resets the connection and loses its response.
    assert not {"transfer-encoding", "content-length"} & backend.received[-1].headers.keys()


FORGED = {
    "Accept-Client-IP": "10.0.0.1",
    "Access-Control-Request-Forwarded-For": "10.0.0.1",
    "Clerk-Secret-Key": "sk_test_stolen",
    "Clerk-Proxy-Url": "https://evil.example",
    "CF-Connecting-IP": "10.0.0.1",
    "CF-Connecting-IPv6": "::2",
    "CF-IPCountry": "US",
    "CF-Pseudo-IPv4": "10.0.0.1",
    "Client-IP": "10.0.0.1",
    "Fastly-Client-IP": "10.0.0.1",
    "Fly-Client-IP": "10.0.0.1",
    "Forwarded": "for=10.0.0.1",
    "If-Real-IP": "10.0.0.1",
    "Sec-Real-IP": "10.0.0.1",
    "True-Client-IP": "10.0.0.1",
    "Via": "1.1 evil.example",
    "X-Appengine-User-IP": "10.0.0.1",
    "X-Client-IP": "10.0.0.1",
    "X-Cluster-Client-IP": "10.0.0.1",
    "X-Envoy-External-Address": "10.0.0.1",
    "X-Android-Client-IP": "10.0.0.1",
    "X-Expo-Forwarded-For": "10.0.0.1",
    "X-Forwarded": "10.0.0.1",
    "X-Forwarded-For": "10.0.0.1",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "1",
    "X-Forwarded-Prefix": "/x",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Server": "evil.example",
    "X-iOS-Forwarded-For": "10.0.0.1",
    "X-Original-Forwarded-For": "10.0.0.1",
    "X-Original-Host": "evil.example",
    "X-Real-IP": "10.0.0.1",
    "X-Remote-Addr": "10.0.0.1",
    "X-Vercel-Forwarded-For": "10.0.0.1",
}
REAL = {
    "clerk-secret-key": "sk_live_secret",
    "clerk-proxy-url": "http://localhost/__clerk",
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-host": "localhost",
    "x-forwarded-proto": "http",
}


@pytest.fixture
def served(live_environ: dict[str, str], backend: LocalServer, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """An app that proxies the real Clerk, for which the local server stands in."""
    for module in (instance, instance_settings):
        monkeypatch.setattr(module, "PROXY_TARGET", backend.url)
    backend.answers["GET /v1/client"] = (200, {})
    return create_app(live_environ | {"CLERK_PROXY_URL": "/__clerk", "CLERK_SERVE_PROXY": "true"})


def test_clients_cannot_lie_about_their_address(served: Flask, backend: LocalServer) -> None:
    served.test_client().get("/__clerk/v1/client", headers=FORGED)
    seen = backend.received[-1].headers
    kept = {name.lower() for name in FORGED} & seen.keys()
    assert {name: seen[name] for name in kept} == REAL


@pytest.mark.parametrize(
    "value", ["Basic c3RhZ2luZzpwdw==", "basic x", "Basic\tx", "Digest a, b=c", "NTLM x"]
)
def test_the_password_of_a_protected_site_is_not_forwarded(
    served: Flask, backend: LocalServer, value: str
) -> None:
    headers = {"Authorization": value, "Proxy-Authorization": "Basic x"}
    served.test_client().get("/__clerk/v1/client", headers=headers)
    assert not {"authorization", "proxy-authorization"} & backend.received[-1].headers.keys()


@pytest.mark.parametrize("value", ["eyJ.eyJ.x", "bearer x", "Bearer x"])
def test_clerks_tokens_are_forwarded(served: Flask, backend: LocalServer, value: str) -> None:
    served.test_client().get("/__clerk/v1/client", headers={"Authorization": value})
    assert backend.received[-1].headers["authorization"] == value


def test_headers_of_browsers_and_clerks_sdks_are_forwarded(served: Flask, backend: LocalServer) -> None:
    sent = {
        "accept": "*/*",
        "accept-language": "de",
        "authorization": "Bearer x",
        "content-type": "application/json",
        "if-none-match": '"x"',
        "origin": "http://localhost",
        "referer": "http://localhost/login",
        "sec-ch-ua-platform": "Linux",
        "sec-fetch-site": "same-origin",
        "user-agent": "A browser",
        "x-expo-sdk-version": "2.1",
        "x-mobile": "1",
    }
    served.test_client().get("/__clerk/v1/client", headers=sent)
    assert sent.items() <= backend.received[-1].headers.items()


@pytest.mark.parametrize("address", ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"])
def test_browsers_on_this_computer_reach_the_local_clerk(proxied: Flask, address: str) -> None:
    client = proxied.test_client()
    response = client.get("/__clerk/v1/client", environ_base={"REMOTE_ADDR": address})
    assert response.status_code == 404  # the answer of the local server


@pytest.mark.parametrize("address", ["192.168.1.5", "10.0.0.1", "::ffff:10.0.0.1", "fe80::1", "", "unix:"])
@pytest.mark.parametrize("hops", ["0", "1"])
def test_other_computers_do_not_reach_the_local_clerk(
    environ: dict[str, str], backend: LocalServer, address: str, hops: str
) -> None:
    """Not even with a ``Host`` or a forwarded address of this computer."""
    app = local_app(environ, backend, hops)
    for headers in ({}, {"Host": "localhost:5000"}, {"X-Forwarded-For": "127.0.0.1"}):
        response = app.test_client().get(
            "/__clerk/v1/client", headers=headers, environ_base={"REMOTE_ADDR": address}
        )
        assert response.status_code == 403
        assert "The local Clerk can only be used on the computer that it runs on" in response.text
    assert backend.received == []


FROM_A_PROXY = [
    *(name for name in FORGED if not name.startswith("Clerk-")),
    *("CF-Ray", "Cdn-Loop", "Fastly-Client", "Fly-Region", "Remote-Addr", "X-Amzn-Trace-Id", "X-ARR-LOG-ID"),
    *("X-Azure-ClientIP", "X-Azure-SocketIP", "X-Appengine-Remote-Addr", "X-Original-For", "X-Original-URL"),
    *("X-Scheme", "X-Forwarded-Client-Cert", "X-Forwarded-Uri"),
]
TRUSTED = {f"X-Forwarded-{name}" for name in ("For", "Host", "Port", "Proto", "Server")}


@pytest.mark.parametrize("name", FROM_A_PROXY)
def test_an_unknown_proxy_or_tunnel_does_not_reach_the_local_clerk(
    environ: dict[str, str], backend: LocalServer, name: str
) -> None:
    """Even if it names this computer, and if another proxy is trusted."""
    for hops in ("0",) if name in TRUSTED else ("0", "1"):
        headers = {"X-Forwarded-For": "127.0.0.1"} if hops == "1" else {}
        client = local_app(environ, backend, hops).test_client()
        response = client.get("/__clerk/v1/client", headers=headers | {name: "127.0.0.1"})
        assert (response.status_code, hops) == (403, hops)
    assert backend.received == []


@pytest.mark.parametrize("hops", ["1", "2", "3"])
@pytest.mark.parametrize(
    ("client", "status"),
    [("127.0.0.1", 404), ("::1", 404), ("203.0.113.9", 403), ("127.0.0.1:80", 403), ("", 403)],
)
def test_trusted_proxies_name_the_client(
    environ: dict[str, str], backend: LocalServer, client: str, status: int, hops: str
) -> None:
    """Whatever the number of proxies, the request comes from elsewhere if any address does."""
    for forwarded in (f"127.0.0.1, {client}", f"{client},127.0.0.1", client):
        headers = {"X-Forwarded-For": forwarded, "X-Forwarded-Host": "localhost", "X-Forwarded-Port": "80"}
        response = local_app(environ, backend, hops).test_client().get("/__clerk/v1/client", headers=headers)
        assert response.status_code == status


@pytest.mark.parametrize("hops", ["1", "2"])
def test_a_proxy_that_does_not_name_the_client_does_not_reach_the_local_clerk(
    environ: dict[str, str], backend: LocalServer, hops: str
) -> None:
    client = local_app(environ, backend, hops).test_client()
    assert client.get("/__clerk/v1/client").status_code == 403
    assert backend.received == []


@pytest.mark.parametrize(
    ("host", "status"),
    [
        *(("localhost:5000", 404), ("127.0.0.1", 404), ("[::1]:80", 404), ("LOCALHOST", 404)),
        *(("evil.example", 403), ("evil.example:5000", 403), ("localhost.evil.example", 403)),
        *(("a.serveo.net", 403), ("0.0.0.0", 403), ("10.0.0.1:5000", 403), ("", 403)),
    ],
)
@pytest.mark.parametrize("app_url", ["", "http://acme.test:5000", "http://acme.test/crm"])
def test_a_foreign_host_does_not_reach_the_local_clerk(
    environ: dict[str, str], backend: LocalServer, app_url: str, host: str, status: int
) -> None:
    """Otherwise a site could change its DNS to this computer, and read what the local Clerk sends."""
    app = local_app(environ | {"APP_URL": app_url}, backend)
    through_proxy = local_app(environ | {"APP_URL": app_url}, backend, hops="1")
    path = "/__clerk/v1/client"  # the test client adds the path of APP_URL
    trusted = {"X-Forwarded-For": "127.0.0.1"}
    answers = [
        app.test_client().get(path, headers={"Host": host}),
        through_proxy.test_client().get(path, headers=trusted | {"Host": host}),
        through_proxy.test_client().get(path, headers=trusted | {"X-Forwarded-Host": host}),
    ]
    expected = 400 if not host and not app_url else status
    assert [answer.status_code for answer in answers] == [expected, expected, status]
    assert len(backend.received) == (3 if status == 404 else 0)


@pytest.mark.parametrize("hops", ["0", "1"])
def test_the_host_of_app_url_reaches_the_local_clerk(
    environ: dict[str, str], backend: LocalServer, hops: str
) -> None:
    app = local_app(environ | {"APP_URL": "http://acme.test:5000"}, backend, hops)
    headers = {"Host": "ACME.test:5000"} | ({"X-Forwarded-For": "127.0.0.1"} if hops == "1" else {})
    assert app.test_client().get("/__clerk/v1/client", headers=headers).status_code == 404


def test_headers_that_are_too_large_are_rejected(proxied: Flask, backend: LocalServer) -> None:
    for headers in ({"Accept": "x" * 40_000}, {"Cookie": "; ".join([f"__session={'x' * 4000}"] * 9)}):
        response = proxied.test_client(use_cookies=False).get("/__clerk/v1/client", headers=headers)
        assert response.status_code == 431
    assert backend.received == []


def test_an_upload_that_takes_too_long_is_aborted(proxied: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frontend_proxy, "MAX_SECONDS", -1)
    assert proxied.test_client().post("/__clerk/v1/me", data=b"x").status_code == 408


def test_a_download_that_takes_too_long_is_aborted(
    proxied: Flask, backend: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.answers["GET /v1/client"] = (200, b"x" * 200_000)
    monkeypatch.setattr(frontend_proxy, "MAX_SECONDS", -1)
    with pytest.raises(TimeoutError, match="took too long"):
        proxied.test_client().get("/__clerk/v1/client")


def test_a_large_upload_is_streamed(proxied: Flask, backend: LocalServer) -> None:
    backend.answers["POST /v1/me/profile_image"] = (200, {})
    picture = bytes(range(256)) * 4096 * 8
    proxied.test_client().post("/__clerk/v1/me/profile_image", data=picture)
    assert backend.received[-1].body == picture
    assert backend.received[-1].headers["content-length"] == str(len(picture))


def test_an_unreachable_clerk_is_named_in_the_error(proxied: Flask, environ: dict[str, str]) -> None:
    changes = {
        "CLERK_PUBLISHABLE_KEY": publishable_key(LOCAL),
        "CLERK_ALLOW_LOCAL_KEYS": "true",
        "CLERK_EMULATOR_URL": "http://127.0.0.1:9",
    }
    response = create_app(environ | changes).test_client().get("/__clerk/v1/client")
    assert response.status_code == 502
    assert "flask dev" in response.text


def test_a_body_that_is_too_large_is_rejected(proxied: Flask) -> None:
    body = b"x" * (13 * 1024 * 1024)
    assert proxied.test_client().post("/__clerk/v1/me", data=body).status_code == 413


def test_the_real_clerk_is_proxied_only_if_a_setting_says_so(
    app: Flask, live_environ: dict[str, str]
) -> None:
    assert "clerk_proxy" not in app.blueprints
    served = live_environ | {"CLERK_PROXY_URL": "/__clerk"}
    assert "clerk_proxy" not in create_app(served).blueprints
    assert "clerk_proxy" in create_app(served | {"CLERK_SERVE_PROXY": "true"}).blueprints


def test_a_served_proxy_must_have_a_path(live_environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="CLERK_SERVE_PROXY"):
        create_app(live_environ | {"CLERK_SERVE_PROXY": "true"})
