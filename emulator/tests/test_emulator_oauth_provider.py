"""This instance as an OAuth provider: what applications get, and which requests are rejected."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from clerk_emulator.testing import Backend, Browser, ManualClock, error_of

from .hosted_forms import BASE, at, follow, open_page, send, sign_up

CALLBACK = "https://other.example/back?from=clerk"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode()[:43]
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}


@pytest.fixture
def application(backend: Backend) -> dict[str, Any]:
    return make(backend)


def make(backend: Backend, **more: Any) -> dict[str, Any]:
    body = {"name": "Other", "redirect_uris": [CALLBACK]}
    body["scopes"] = "profile email openid offline_access"
    answer = backend.send("POST", "/oauth_applications", **body | more)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.get_json()
    return made


@pytest.fixture
def grace(emulator: Flask) -> FlaskClient:
    """A browser without JavaScript, in which Grace is signed in."""
    visitor = emulator.test_client()
    sign_up(visitor)
    return visitor


def ask(visitor: FlaskClient, application: dict[str, Any], **more: str) -> TestResponse:
    query = {"client_id": application["client_id"], "redirect_uri": CALLBACK}
    query |= {"response_type": "code", "state": "s t", "scope": "profile email"}
    return open_page(visitor, f"/oauth/authorize?{urlencode(query | more)}")


def decide(visitor: FlaskClient, answer: TestResponse, consented: str = "true") -> dict[str, str]:
    """The parameters of the redirect to the application."""
    assert answer.location is not None
    assert answer.location.startswith(f"{BASE}/oauth-consent")
    page = open_page(visitor, answer.location)
    return told(send(visitor, page, "/oauth-consent", consented=consented))


def told(answer: TestResponse) -> dict[str, str]:
    assert answer.location is not None, answer.text
    assert answer.location.startswith(CALLBACK)
    query = parse_qs(urlsplit(answer.location).query)
    assert query.pop("from") == ["clerk"]
    return {name: value for name, (value,) in query.items()}


def token(emulator: Flask, application: dict[str, Any], **form: str) -> TestResponse:
    names = ("client_id", "client_secret")
    known = {name: application[name] for name in names if name in application}
    return emulator.test_client().post("/oauth/token", data=known | form)


def exchange(emulator: Flask, application: dict[str, Any], code: str, **more: str) -> TestResponse:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    return token(emulator, application, **form | more)


def test_an_application_gets_its_user(
    emulator: Flask, backend: Backend, grace: FlaskClient, application: dict[str, Any]
) -> None:
    answer = decide(grace, ask(grace, application, scope="profile email openid", nonce="n"))
    assert answer["state"] == "s t"
    got = exchange(emulator, application, answer["code"]).get_json()
    assert (got["token_type"], got["scope"]) == ("bearer", "profile email openid")
    assert "refresh_token" not in got
    headers = {"Authorization": f"Bearer {got['access_token']}"}
    user = emulator.test_client().get("/oauth/userinfo", headers=headers).get_json()
    assert (user["email"], user["sub"]) == ("grace@example.com", user["user_id"])
    assert "private_metadata" not in user
    told_by_clerk = emulator.test_client().get("/.well-known/openid-configuration").get_json()
    keys = jwt.PyJWKSet.from_dict(emulator.test_client().get("/.well-known/jwks.json").get_json())
    claims = jwt.decode(
        got["id_token"],
        keys.keys[0],
        algorithms=["RS256"],
        audience=application["client_id"],
        issuer=told_by_clerk["issuer"],
    )
    assert (claims["sub"], claims["nonce"], claims["email"]) == (user["sub"], "n", user["email"])
    verify = "/oauth_applications/access_tokens/verify"
    seen = backend.send("POST", verify, access_token=got["access_token"]).get_json()
    assert (seen["subject"], seen["scopes"]) == (user["sub"], got["scope"].split())


def test_an_id_token_is_not_a_session_token(
    emulator: Flask, grace: FlaskClient, application: dict[str, Any]
) -> None:
    code = decide(grace, ask(grace, application, scope="openid"))["code"]
    id_token = exchange(emulator, application, code).get_json()["id_token"]
    assert jwt.get_unverified_header(id_token)["cat"] != "cl_B7d4PD111AAA"


def test_a_signed_out_user_signs_in_first(emulator: Flask, application: dict[str, Any]) -> None:
    visitor = emulator.test_client()
    page = follow(visitor, _as_303(ask(visitor, application)))
    assert at(page) == "/sign-in"
    grace = emulator.test_client()
    sign_up(grace)
    form = {"identifier": "grace@example.com", "password": "correct horse 9"}
    answer = send(visitor, page, "/sign-in", **form)
    assert answer.location is not None
    assert answer.location.startswith(f"{BASE}/oauth/authorize?")
    assert decide(visitor, open_page(visitor, answer.location))["code"]


def _as_303(answer: TestResponse) -> TestResponse:
    answer.status_code = 303
    return answer


def test_a_user_denies_access(grace: FlaskClient, application: dict[str, Any]) -> None:
    answer = decide(grace, ask(grace, application), consented="false")
    assert answer == {"error": "access_denied", "state": "s t"}


def test_the_consent_screen_can_be_disabled(backend: Backend, grace: FlaskClient) -> None:
    assert "code" in told(ask(grace, make(backend, consent_screen_enabled=False)))


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "private_metadata"}, "invalid_scope"),
        ({"code_challenge": CHALLENGE}, "invalid_request"),
        ({"code_challenge": "short", "code_challenge_method": "S256"}, "invalid_request"),
        ({"prompt": "none"}, "consent_required"),
    ],
)
def test_invalid_requests_are_reported_to_the_application(
    grace: FlaskClient, application: dict[str, Any], changed: dict[str, str], code: str
) -> None:
    answer = told(ask(grace, application, **changed))
    assert (answer["error"], answer["state"]) == (code, "s t")


def test_prompt_none_requires_a_signed_in_user(
    emulator: Flask, application: dict[str, Any]
) -> None:
    answer = ask(emulator.test_client(), application, prompt="none")
    assert told(answer)["error"] == "login_required"


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "nobody"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": "https://other.example/back?from=clerk&more=1"},
        {"redirect_uri": "https://other.example/"},
    ],
)
def test_unknown_redirect_uris_are_rejected(
    grace: FlaskClient, application: dict[str, Any], changed: dict[str, str]
) -> None:
    answer = ask(grace, application, **changed)
    assert answer.status_code == 400
    assert answer.location is None


def test_other_sites_cannot_consent(grace: FlaskClient, application: dict[str, Any]) -> None:
    query = {"client_id": application["client_id"], "redirect_uri": CALLBACK}
    path = f"/oauth-consent?{urlencode(query | {'response_type': 'code'})}"
    answer = grace.post(path, data={"consented": "true", "csrf_token": "guess"})
    assert answer.status_code == 403


def test_a_single_redirect_uri_may_be_omitted(
    emulator: Flask, grace: FlaskClient, application: dict[str, Any]
) -> None:
    code = decide(grace, ask(grace, application, redirect_uri=""))["code"]
    assert exchange(emulator, application, code, redirect_uri="").status_code == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"code": "guess"},
        {"redirect_uri": "https://other.example/"},
        {"redirect_uri": ""},
        {"code_verifier": "w" * 43},
        {"code_verifier": ""},
    ],
)
def test_a_code_requires_the_client_secret(
    emulator: Flask, grace: FlaskClient, application: dict[str, Any], changed: dict[str, str]
) -> None:
    code = decide(grace, ask(grace, application, **PKCE))["code"]
    right = {"code": code, "code_verifier": VERIFIER}
    answer = exchange(emulator, application, **right | changed)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_grant")


def test_a_public_application_needs_pkce(
    emulator: Flask, backend: Backend, grace: FlaskClient
) -> None:
    public = make(backend, public=True)
    assert "client_secret" not in public
    assert told(ask(grace, public))["error"] == "invalid_request"
    code = decide(grace, ask(grace, public, **PKCE))["code"]
    assert exchange(emulator, public, code, code_verifier=VERIFIER).status_code == 200


def test_an_authorization_code_expires(
    emulator: Flask, grace: FlaskClient, application: dict[str, Any], clock: ManualClock
) -> None:
    code = decide(grace, ask(grace, application))["code"]
    clock.forward(seconds=600)
    assert exchange(emulator, application, code).get_json()["error"] == "invalid_grant"


def test_reusing_a_code_revokes_its_tokens(
    emulator: Flask, grace: FlaskClient, application: dict[str, Any]
) -> None:
    code = decide(grace, ask(grace, application))["code"]
    got = exchange(emulator, application, code).get_json()
    assert exchange(emulator, application, code).get_json()["error"] == "invalid_grant"
    assert active(emulator, application, got["access_token"]) is False


def active(emulator: Flask, application: dict[str, Any], access_token: str) -> bool:
    form = {name: application[name] for name in ("client_id", "client_secret")}
    answer = emulator.test_client().post("/oauth/token_info", data=form | {"token": access_token})
    return bool(answer.get_json()["active"])


def test_another_applications_code_is_rejected(
    emulator: Flask, backend: Backend, grace: FlaskClient, application: dict[str, Any]
) -> None:
    other = make(backend)
    code = decide(grace, ask(grace, application, scope="email offline_access"))["code"]
    assert exchange(emulator, other, code).get_json()["error"] == "invalid_grant"
    got = exchange(emulator, application, code).get_json()
    renewal = {"grant_type": "refresh_token", "refresh_token": got["refresh_token"]}
    assert token(emulator, other, **renewal).get_json()["error"] == "invalid_grant"
    assert active(emulator, application, got["access_token"]) is True
    assert active(emulator, other, got["access_token"]) is False
    wrong = application | {"client_secret": other["client_secret"]}
    answer = exchange(emulator, wrong, code)
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")


def test_access_is_refreshed_and_reusing_a_refresh_token_ends_it(
    emulator: Flask, grace: FlaskClient, application: dict[str, Any], clock: ManualClock
) -> None:
    code = decide(grace, ask(grace, application, scope="email offline_access"))["code"]
    first = exchange(emulator, application, code).get_json()
    clock.forward(seconds=first["expires_in"])
    assert active(emulator, application, first["access_token"]) is False
    renewal = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = token(emulator, application, **renewal).get_json()
    assert active(emulator, application, second["access_token"]) is True
    assert token(emulator, application, **renewal).get_json()["error"] == "invalid_grant"
    assert active(emulator, application, second["access_token"]) is False


def test_an_application_revokes_its_access(
    emulator: Flask, grace: FlaskClient, application: dict[str, Any]
) -> None:
    code = decide(grace, ask(grace, application, scope="email offline_access"))["code"]
    got = exchange(emulator, application, code).get_json()
    form = {"client_id": application["client_id"], "client_secret": application["client_secret"]}
    answer = emulator.test_client().post(
        "/oauth/token/revoke", data=form | {"token": got["refresh_token"]}
    )
    assert answer.status_code == 200
    assert active(emulator, application, got["access_token"]) is False


@pytest.mark.parametrize("header", ["", "Bearer guess", "Basic abc"])
def test_user_info_requires_a_token(emulator: Flask, header: str) -> None:
    answer = emulator.test_client().get("/oauth/userinfo", headers={"Authorization": header})
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_token")


def test_the_component_shows_the_same_consent_screen(
    ada: Browser, emulator: Flask, application: dict[str, Any]
) -> None:
    path = f"/me/oauth/consent/{application['client_id']}"
    asked = {"redirect_uri": CALLBACK, "scope": "email", "response_type": "code"}
    shown = ada.get(path, **asked).get_json()["response"]
    assert shown["oauth_application_name"] == "Other"
    assert shown["redirect_domain"] == "other.example"
    assert [one["scope"] for one in shown["scopes"]] == ["email"]
    answer = told(ada.post(path, consented="true", **asked))
    assert exchange(emulator, application, answer["code"]).status_code == 200
    assert told(ada.post(path, consented="false", **asked)) == {"error": "access_denied"}


def test_the_component_needs_a_signed_in_user(
    browser: Browser, application: dict[str, Any]
) -> None:
    path = f"/me/oauth/consent/{application['client_id']}"
    assert error_of(browser.get(path, redirect_uri=CALLBACK))[0] == 401
    assert error_of(browser.post(path, redirect_uri=CALLBACK, consented="true"))[0] == 401
