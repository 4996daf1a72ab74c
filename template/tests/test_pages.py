"""Landing page, dashboard, errors, headers."""

from __future__ import annotations

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient

from app import product
from app.clerk import session_required
from app.pages.errors import TEXTS
from tests.conftest import BROWSER, SignIn
from tests.signing import Signer

PROGRAM = {"Accept": "application/json"}


def test_the_landing_page_names_the_product(client: FlaskClient) -> None:
    page = client.get("/", headers=BROWSER)
    assert page.status_code == 200
    assert client.application.jinja_env.from_string("{{ x }}").render(x=product.NAME) in page.text


def test_the_dashboard_sends_browsers_to_the_login_and_back(client: FlaskClient) -> None:
    response = client.get("/dashboard?tab=a%26b", headers=BROWSER)
    assert response.status_code == 302
    assert response.location == "/login?redirect_url=/dashboard?tab%3Da%2526b"


def test_programs_get_a_401_in_json(client: FlaskClient) -> None:
    response = client.get("/dashboard", headers=PROGRAM)
    assert response.status_code == 401
    assert response.json
    assert response.json["reason"] == "session-token-and-uat-missing"
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("headers", [BROWSER, PROGRAM, {}])
def test_api_me_is_json_for_everybody(client: FlaskClient, headers: dict[str, str]) -> None:
    response = client.get("/api/me", headers=headers)
    assert response.status_code == 401
    assert response.is_json


def test_api_me_says_who_is_asking(client: FlaskClient, sign_in: SignIn) -> None:
    sign_in()
    response = client.get("/api/me")
    assert response.json == {
        "user_id": "user_alice",
        "session_id": "sess_1",
        "organization_id": None,
    }


def test_a_signed_in_page_has_profile_and_sign_out(client: FlaskClient, sign_in: SignIn) -> None:
    sign_in()
    page = client.get("/profile", headers=BROWSER).text
    assert 'data-clerk-mount="UserProfile"' in page
    assert 'action="/logout"' in page
    assert "&#34;afterSignOutUrl&#34;: &#34;/login&#34;" in page


def test_what_depends_on_the_person_is_not_cached(client: FlaskClient, sign_in: SignIn) -> None:
    sign_in()
    for path in ("/", "/dashboard", "/api/me"):
        response = client.get(path, headers=BROWSER)
        assert response.headers["Cache-Control"] == "private, no-store"
        assert {"Cookie", "Authorization"} <= set(response.vary)


@pytest.mark.parametrize("code", [401, 403, 404, 500, 418])
def test_errors_have_a_page_and_a_json_form(app: Flask, client: FlaskClient, code: int) -> None:
    app.add_url_rule("/fail", view_func=lambda: abort(code))
    page = client.get("/fail", headers=BROWSER)
    assert page.status_code == code
    assert page.mimetype == "text/html"
    assert TEXTS.get(code, ("teapot",))[0] in page.text or code == 418
    answer = client.get("/fail", headers=PROGRAM)
    assert answer.status_code == code
    assert answer.is_json


def test_a_crash_is_a_500_that_says_nothing(app: Flask, client: FlaskClient) -> None:
    def crash() -> str:
        raise RuntimeError("secret detail")

    app.add_url_rule("/crash", view_func=crash)
    app.testing = False
    page = client.get("/crash", headers=BROWSER)
    assert page.status_code == 500
    assert "secret detail" not in page.text
    assert "Something broke" in page.text


def test_forms_are_guarded_and_tokens_need_no_guard(
    app: Flask, client: FlaskClient, sign_in: SignIn, signer: Signer
) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    app.add_url_rule("/save", view_func=session_required(lambda: "saved"), methods=["POST"])
    bearer = {"Authorization": f"Bearer {signer.token()}"}
    assert client.post("/save", headers=bearer).text == "saved"
    sign_in()
    assert client.post("/save").status_code == 400
    for scheme in ("Basic", "Negotiate", "Digest"):  # browsers send these by themselves
        assert client.post("/save", headers={"Authorization": f"{scheme} eA=="}).status_code == 400


def test_an_unknown_page_is_a_404_without_a_session(client: FlaskClient) -> None:
    assert client.get("/nowhere", headers=BROWSER).status_code == 404
    assert client.get("/static/nothing.css", headers=BROWSER).status_code == 404


def test_the_health_check_answers(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "ok"}


def test_pages_allow_only_clerks_scripts_and_our_own(client: FlaskClient) -> None:
    response = client.get("/", headers=BROWSER)
    policy = response.headers["Content-Security-Policy"]
    assert "https://quick-fox-7.clerk.accounts.dev" in policy
    assert "unsafe-eval" not in policy
    assert "script-src 'self' https://challenges.cloudflare.com" in policy
    assert "<script>" not in response.text
    assert response.headers["X-Content-Type-Options"] == "nosniff"
