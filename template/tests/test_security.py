"""Security headers, caching, and protection against forged forms."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.clerk import session_required
from tests.conftest import PROGRAM

if TYPE_CHECKING:
    from clerk_emulator.testing import RunningClerk, User

LIVE_KEY = "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k"
"""The key of a production instance, clerk.example.com."""

CHANGES = ["POST", "PUT", "PATCH", "DELETE"]
"""Methods that change something."""


def test_pages_load_scripts_from_this_app_and_clerk_only(client: FlaskClient) -> None:
    policy = client.get("/").headers["Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["script-src"] == (
        "'self' https://challenges.cloudflare.com https://quick-fox-7.clerk.accounts.dev"
    )
    assert rules["default-src"] == "'self'"
    assert rules["object-src"] == "'none'"
    assert rules["base-uri"] == "'self'"
    # The last two: a sign-out redirects to Clerk.
    assert rules["form-action"] == (
        "'self' https://quick-fox-7.clerk.accounts.dev https://quick-fox-7.accounts.dev"
    )


@pytest.mark.parametrize("path", ["/login", "/signup", "/nowhere"])
def test_pages_have_no_inline_scripts(client: FlaskClient, path: str) -> None:
    assert "<script>" not in client.get(path).text


def test_other_sites_cannot_put_pages_into_a_frame(client: FlaskClient) -> None:
    assert "frame-ancestors 'self'" in client.get("/").headers["Content-Security-Policy"]


def test_browsers_do_not_guess_types_or_reveal_paths(client: FlaskClient) -> None:
    headers = client.get("/static/app.css").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"


@pytest.mark.parametrize("path", ["/dashboard", "/login?add_account=1", "/api/me"])
def test_pages_that_depend_on_the_user_are_not_cached(signed_in: FlaskClient, path: str) -> None:
    answer = signed_in.get(path)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert {"Cookie", "Authorization"} <= set(answer.vary)


@pytest.fixture
def save(site: Flask) -> str:
    """The address of a form that only signed-in users may send."""
    site.add_url_rule("/save", view_func=session_required(lambda: "saved"), methods=CHANGES)
    return "/save"


@pytest.mark.parametrize("method", CHANGES)
def test_a_form_needs_a_token(signed_in: FlaskClient, save: str, method: str) -> None:
    assert signed_in.open(save, method=method).status_code == 400


def test_an_api_client_needs_no_form_token(
    visitor: FlaskClient, clerk: RunningClerk, ada: User, save: str
) -> None:
    headers = PROGRAM | {"Authorization": f"Bearer {clerk.session_token(ada)}"}
    assert visitor.post(save, headers=headers).text == "saved"


def test_a_form_that_another_user_opened_is_refused(
    signed_in: FlaskClient, clerk: RunningClerk, save: str
) -> None:
    found = re.search('name="csrf_token" value="([^"]+)"', signed_in.get("/dashboard").text)
    form = {"csrf_token": found and found[1], "text": "private"}
    assert signed_in.post(save, data=form).text == "saved"
    clerk.sign_in(signed_in, clerk.create_user("eve@example.com"))
    answer = signed_in.post(save, data=form)
    assert (answer.status_code, "by another user" in answer.text) == (400, True)
    assert "private" not in answer.text


def test_the_session_cookie_is_hidden_from_scripts_and_sent_over_https_only(
    environ: dict[str, str],
) -> None:
    keys = {"CLERK_PUBLISHABLE_KEY": LIVE_KEY, "CLERK_SECRET_KEY": "sk_live_1"}
    live = create_app(environ | keys | {"CLERK_AUTHORIZED_PARTIES": "https://example.com"})
    assert live.config["SESSION_COOKIE_SECURE"]
    assert live.config["SESSION_COOKIE_HTTPONLY"]
    assert live.config["SESSION_COOKIE_SAMESITE"] == "Lax"
