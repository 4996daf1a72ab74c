"""The proxy for the Frontend API, on a path of this app."""

from __future__ import annotations

import gzip
import json
from urllib.parse import urlsplit

import pytest
from flask import Flask

from app import create_app
from app.settings import SettingsError
from tests.local_server import LocalServer
from tests.signing import publishable_key

LOCAL = "local-test-1.clerk.accounts.dev"


@pytest.fixture
def proxied(environ: dict[str, str], backend: LocalServer) -> Flask:
    """A client of an app whose Frontend API is the local server."""
    changes = {
        "CLERK_PUBLISHABLE_KEY": publishable_key(LOCAL),
        "CLERK_EMULATOR_URL": backend.url,
        "CLERK_API_URL": "",
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


def test_clerk_gets_its_own_cookies_but_not_the_apps_session(proxied: Flask, backend: LocalServer) -> None:
    backend.answers["GET /v1/client"] = (200, {})
    cookies = "my-saas-session=ours; __client=a%3Bb; sessions=x; __client_uat=1"
    proxied.test_client(use_cookies=False).get("/__clerk/v1/client", headers={"Cookie": cookies})
    assert backend.received[-1].headers["cookie"] == "__client=a%3Bb; sessions=x; __client_uat=1"


def test_requests_without_a_body_are_forwarded_without_one(proxied: Flask, backend: LocalServer) -> None:
    backend.answers["GET /v1/client"] = (200, {})
    proxied.test_client().get("/__clerk/v1/client")
    # A server that doesn't read a request's body resets the connection and loses its response.
    assert not {"transfer-encoding", "content-length"} & backend.received[-1].headers.keys()


def test_clients_cannot_set_the_proxys_headers(proxied: Flask, backend: LocalServer) -> None:
    backend.answers["GET /v1/client"] = (200, {})
    forged = {
        "Clerk-Secret-Key": "sk_test_stolen",
        "Clerk-Proxy-Url": "https://evil.example",
        "X-Forwarded-For": "10.0.0.1",
        "X-Forwarded-Host": "evil.example",
    }
    proxied.test_client().get("/__clerk/v1/client", headers=forged)
    seen = backend.received[-1].headers
    assert seen["clerk-secret-key"] == "sk_test_secret"
    assert seen["clerk-proxy-url"] == "http://localhost/__clerk"
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert seen["x-forwarded-host"] == "localhost"


def test_a_large_upload_is_streamed(proxied: Flask, backend: LocalServer) -> None:
    backend.answers["POST /v1/me/profile_image"] = (200, {})
    picture = bytes(range(256)) * 4096 * 8
    proxied.test_client().post("/__clerk/v1/me/profile_image", data=picture)
    assert backend.received[-1].body == picture
    assert backend.received[-1].headers["content-length"] == str(len(picture))


def test_an_unreachable_clerk_is_named_in_the_error(proxied: Flask, environ: dict[str, str]) -> None:
    changes = {
        "CLERK_PUBLISHABLE_KEY": publishable_key(LOCAL),
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
