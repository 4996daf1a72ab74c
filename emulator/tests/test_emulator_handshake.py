"""The handshake: how the app's server gets the session, without any JavaScript."""

from __future__ import annotations

import json
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from jwt.algorithms import RSAAlgorithm
from werkzeug.test import TestResponse

from clerk_emulator import EmulatorConfig
from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import Organization, OrganizationMembership
from clerk_emulator.testing import Backend, Browser, ManualClock, error_of

PAGE = "http://localhost:5000/dashboard?tab=a%20b&x"


def ask(browser: Browser, page: str = PAGE, **query: str) -> TestResponse:
    return browser.get("/client/handshake", redirect_url=page, **query)


def parameter(answer: TestResponse, name: str) -> str:
    (value,) = parse_qs(urlsplit(answer.location or "").query)[name]
    return value


def directives(browser: Browser, answer: TestResponse) -> list[str]:
    """The verified payload of a redirect."""
    (key,) = browser.http.get("/.well-known/jwks.json").get_json()["keys"]
    public_key: Any = RSAAlgorithm.from_jwk(json.dumps(key))
    payload = jwt.decode(parameter(answer, "__clerk_handshake"), public_key, ["RS256"])
    found: list[str] = payload["handshake"]
    return found


def cookies(lines: list[str]) -> dict[str, str]:
    return {name: m.value for line in lines for name, m in SimpleCookie(line).items()}


def test_it_redirects_back_to_the_page_and_keeps_its_query(browser: Browser) -> None:
    answer = ask(browser)
    assert answer.status_code == 307
    assert (answer.location or "").startswith(f"{PAGE}&__clerk_handshake=")
    assert answer.headers["Cache-Control"] == "no-store"


def test_it_returns_the_session_of_a_signed_in_browser(
    ada: Browser, config: EmulatorConfig
) -> None:
    found = cookies(directives(ada, ask(ada)))
    claims = jwt.decode(found["__session"], options={"verify_signature": False})
    assert claims["sid"] == ada.session()["id"]
    assert found["__client_uat"] == str(ada.client()["updated_at"] // 1000)
    assert int(found["__client_uat"]) <= claims["iat"]
    assert found["__clerk_db_jwt"] == ada.dev_browser
    for name in ("__session", "__client_uat", "__clerk_db_jwt"):
        assert found[f"{name}_{config.cookie_suffix}"] == found[name]


def test_it_clears_the_session_of_a_signed_out_browser(browser: Browser) -> None:
    lines = directives(browser, ask(browser))
    assert "__session=; Path=/; SameSite=Lax; Max-Age=0" in lines
    assert cookies(lines)["__client_uat"] == "0"


def test_cookies_can_be_read_by_clerk_js_on_plain_http(ada: Browser) -> None:
    for line in directives(ada, ask(ada)):
        assert "Path=/; SameSite=Lax" in line
        assert "Secure" not in line
        assert "HttpOnly" not in line


def test_a_production_instance_returns_the_payload_in_a_cookie(
    ada: Browser, backend: Backend, clerk: LocalClerk
) -> None:
    clerk.source.replace({"sessions": {"handshake_in_cookies": True}})
    answer = ask(ada)
    assert answer.location == PAGE
    cookie = SimpleCookie(answer.headers["Set-Cookie"])["__clerk_handshake"]
    assert cookie["httponly"]
    assert jwt.decode(cookie.value, options={"verify_signature": False})["handshake"]
    nonce = SimpleCookie(ask(ada, format="nonce").headers["Set-Cookie"])["__clerk_handshake_nonce"]
    assert backend.get("/clients/handshake_payload", nonce=nonce.value).status_code == 200


@pytest.mark.parametrize(
    ("wanted", "active"),
    [("org_mine", "org_mine"), ("mine", "org_mine"), ("", None), ("theirs", "org_mine")],
)
def test_the_page_can_request_its_organization(
    ada: Browser, clerk: LocalClerk, wanted: str, active: str | None
) -> None:
    clerk.source.replace({"organizations": {"enabled": True}})
    session = ada.session()
    user_id = session["user"]["id"]
    for slug in ("mine", "theirs"):
        clerk.store.put(Organization(f"org_{slug}", 1, 1, slug, slug))
    clerk.store.put(OrganizationMembership("mem_1", 1, 1, "org_mine", user_id, "org:member"))
    ada.post(f"/client/sessions/{session['id']}/touch", active_organization_id="org_mine")
    token = cookies(directives(ada, ask(ada, organization_id=wanted)))["__session"]
    found = jwt.decode(token, options={"verify_signature": False}).get("o", {}).get("id")
    assert found == active
    assert ada.session()["last_active_organization_id"] == active


def test_an_unknown_browser_gets_a_dev_browser_token(browser: Browser) -> None:
    browser.dev_browser = ""
    found = cookies(directives(browser, ask(browser)))
    assert found["__clerk_db_jwt"].startswith("dvb_")


def test_a_browser_is_also_identified_by_its_cookie(ada: Browser) -> None:
    ada.http.set_cookie("__clerk_db_jwt", ada.dev_browser)
    answer = ada.http.get("/v1/client/handshake", query_string={"redirect_url": PAGE})
    assert cookies(directives(ada, answer))["__session"]


def test_a_nonce_is_exchanged_for_the_payload_once(ada: Browser, backend: Backend) -> None:
    nonce = parameter(ask(ada, format="nonce"), "__clerk_handshake_nonce")
    payload = backend.get("/clients/handshake_payload", nonce=nonce).get_json()
    assert cookies(payload["directives"])["__session"]
    again = backend.get("/clients/handshake_payload", nonce=nonce)
    assert error_of(again)[:2] == (404, "resource_not_found")


def test_a_nonce_is_short_lived(ada: Browser, backend: Backend, clock: ManualClock) -> None:
    nonce = parameter(ask(ada, format="nonce"), "__clerk_handshake_nonce")
    clock.forward(seconds=61)
    assert backend.get("/clients/handshake_payload", nonce=nonce).status_code == 404


@pytest.mark.parametrize(
    "page",
    [
        "",
        "/dashboard",
        "//evil.example/",
        "/\\evil.example",
        "http://evil.example/",
        "http://localhost:5000@evil.example/",
        "http://localhost:5000.evil.example/",
        "http://localhost:5001/",
        "https://localhost:5000/",
        "http://localhost:5000\\@evil.example/",
        "http://local\thost:5000/",
        "javascript:alert(1)",
        "http://[broken",
    ],
)
def test_it_redirects_only_to_the_app(browser: Browser, page: str) -> None:
    assert error_of(ask(browser, page)) == (400, "redirect_url_mismatch", "redirect_url")


def test_another_loopback_name_on_the_same_port_is_the_app_too(ada: Browser) -> None:
    answer = ask(ada, "http://127.0.0.1:5000/")
    token = cookies(directives(ada, answer))["__session"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["azp"] == "http://127.0.0.1:5000"
