"""A user whose row is marked as banned or deleted is signed out for every rule alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from flask_login import current_user, login_required

from app.accounts import User, current_membership, current_organization
from app.clerk import current_session, requires, session_required
from app.database import db
from tests.app_fixtures import ALICE, BROWSER, SignIn
from tests.data.test_users import save_user
from tests.local_server import LocalServer
from tests.signing import USER, Signer

FETCH = {"Accept": "application/json", "Sec-Fetch-Dest": "empty"}
GUARDED = ["/session", "/login-required", "/requires", "/keys", "/profile", "/dashboard"]
REFUSED = [{"banned": True}, {"deleted_at": datetime.now(UTC)}]


@pytest.fixture
def app(app: Flask) -> Flask:
    """The app with a page for each way to ask for a user."""
    app.add_url_rule("/session", view_func=session_required(lambda: "ran"))
    app.add_url_rule("/login-required", view_func=login_required(lambda: "ran"), endpoint="flask-login")
    app.add_url_rule("/requires", view_func=requires(role="admin")(lambda: "ran"), endpoint="requires")
    keys = session_required(accepts=("session", "oauth"))
    app.add_url_rule("/keys", view_func=keys(lambda: "ran"), endpoint="keys")
    app.add_url_rule("/anyone", view_func=anyone)
    return app


def anyone() -> dict[str, Any]:
    """Return what a page for everyone knows about the user."""
    known = (current_user.is_authenticated, bool(current_organization), bool(current_membership))
    return {"seen": known}


@pytest.fixture(params=REFUSED, ids=["banned", "deleted"])
def refused(request: pytest.FixtureRequest, app: Flask, sign_in: SignIn) -> None:
    """Sign Alice in, whose row is marked."""
    with app.app_context():
        save_user(ALICE)
        db.session.execute(sa.update(User).values(**request.param))
        db.session.commit()
    sign_in()


@pytest.mark.parametrize("path", GUARDED)
def test_no_view_accepts_a_refused_user(client: FlaskClient, refused: None, path: str) -> None:
    answer = client.get(path, headers=FETCH)
    assert (answer.status_code, answer.json and answer.json["reason"]) == (401, "user-not-admitted")
    assert answer.headers["X-Clerk-Auth-Status"] == "signed-out"


def test_the_api_and_the_proxies_agree(client: FlaskClient, refused: None) -> None:
    assert client.get("/api/me", headers=FETCH).status_code == 401
    assert client.get("/anyone", headers=FETCH).json == {"seen": [False, False, False]}


@pytest.mark.parametrize("path", GUARDED)
def test_a_browser_reads_the_reason_on_the_login_page(client: FlaskClient, refused: None, path: str) -> None:
    page = client.get(path, headers=BROWSER, follow_redirects=True)
    assert (page.request.path, page.status_code) == ("/login", 403)
    assert "Your account has been banned or deleted." in page.text
    assert 'action="/logout"' in page.text
    assert client.get("/login?add_account=1", headers=BROWSER).status_code == 200


def test_the_navigation_of_a_refused_user_offers_to_sign_out_and_shows_no_data(
    client: FlaskClient, refused: None
) -> None:
    page = client.get("/", headers=BROWSER)
    assert page.status_code == 200
    assert 'action="/logout"' in page.text
    assert "Alice" not in page.text
    assert "alice@example.com" not in page.text


def test_current_session_is_what_clerk_says(app: Flask, client: FlaskClient, refused: None) -> None:
    """So a view that only asks for it isn't protected, as its docstring says."""
    app.add_url_rule("/unprotected", "unprotected", lambda: str(bool(current_session)))
    assert client.get("/unprotected", headers=FETCH).text == "True"


def test_a_refused_user_can_sign_out(client: FlaskClient, refused: None, backend: LocalServer) -> None:
    backend.answers["POST /v1/sessions/sess_1/revoke"] = (200, {})
    assert client.post("/logout", headers=BROWSER).location == "/"
    assert backend.count("/v1/sessions/sess_1/revoke") == 1


@pytest.mark.parametrize("subject", [USER, "mch_1"])
def test_tokens_of_a_refused_user_are_refused_too(
    client: FlaskClient, refused: None, backend: LocalServer, subject: str
) -> None:
    token = {"id": "oat_id", "subject": subject, "scopes": []}
    backend.answers["POST /v1/oauth_applications/access_tokens/verify"] = (200, token)
    answer = client.get("/keys", headers={"Authorization": "Bearer oat_1"})
    assert answer.status_code == (401 if subject == USER else 200)


def test_a_session_token_in_the_header_is_refused_too(
    client: FlaskClient, refused: None, signer: Signer
) -> None:
    headers = {"Authorization": f"Bearer {signer.token()}"}
    assert client.get("/session", headers=headers).status_code == 401


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    """Record SQL statements."""
    statements: list[str] = []

    def record(*arguments: Any) -> None:
        statements.append(arguments[2])

    with app.app_context():
        engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", record)
    yield statements
    sa.event.remove(engine, "before_cursor_execute", record)


@pytest.mark.parametrize(("path", "queries"), [("/", 0), ("/session", 1), ("/dashboard", 1), ("/api/me", 1)])
def test_the_check_costs_only_the_query_that_loads_the_user(
    app: Flask, client: FlaskClient, sign_in: SignIn, path: str, queries: int
) -> None:
    with app.app_context():
        save_user(ALICE)
    sign_in()
    with counted(app) as statements:
        assert client.get(path, headers=BROWSER).status_code == 200
    assert len(statements) == queries, statements


def test_flask_logins_decorator_leads_to_the_login_page_and_back(client: FlaskClient, app: Flask) -> None:
    page = client.get("/login-required?a=1", headers=BROWSER)
    assert page.location == "/login?redirect_url=/login-required?a%3D1"
    assert client.get("/login-required", headers=FETCH).status_code == 401
    assert client.post("/login-required", headers=BROWSER).status_code == 405
