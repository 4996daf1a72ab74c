"""The local rows of users."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.accounts.models import User
from app.clerk_sync.just_in_time import create_local_user
from app.clerk_sync.records import apply_user
from app.transactions import transact
from tests.app_fixtures import ALICE, BROWSER, ON_BOTH_DATABASES, SignIn
from tests.data.deliveries import stored
from tests.local_server import LocalServer
from tests.signing import USER

pytestmark = ON_BOTH_DATABASES


def save_user(data: dict[str, Any]) -> None:
    """Write a user as the Backend API returns it."""
    transact(lambda session: apply_user(session, data))


def test_first_request_creates_the_row(
    app: Flask, client: FlaskClient, sign_in: SignIn, backend: LocalServer
) -> None:
    sign_in()
    page = client.get("/dashboard", headers=BROWSER)
    assert "Welcome, Alice Example" in page.text
    user = stored(app, User, USER)
    assert user
    assert (user.email, user.name) == ("alice@example.com", "Alice Example")
    client.get("/dashboard", headers=BROWSER)
    assert backend.count(f"/v1/users/{USER}") == 1


def test_public_pages_without_current_user_need_no_row(
    app: Flask, client: FlaskClient, sign_in: SignIn, backend: LocalServer
) -> None:
    sign_in()
    for path in ("/", "/login?add_account=1"):
        assert client.get(path, headers=BROWSER).status_code == 200
    assert stored(app, User, USER) is None
    assert not backend.received


@pytest.mark.parametrize(
    "answer",
    [
        (500, b""),
        (200, b"nonsense"),
        (200, {}),
        (200, {"email_addresses": 5, "first_name": [], "updated_at": "now"}),
        (200, {"email_addresses": [None], "first_name": "x" * 10_000, "updated_at": 10**30}),
    ],
)
def test_row_holds_only_the_id_if_clerks_response_is_unusable(
    app: Flask,
    client: FlaskClient,
    sign_in: SignIn,
    backend: LocalServer,
    answer: tuple[int, object],
) -> None:
    backend.answers[f"GET /v1/users/{USER}"] = answer
    sign_in()
    assert client.get("/dashboard", headers=BROWSER).status_code == 200
    assert stored(app, User, USER)


def test_deleted_account_gets_no_row(
    app: Flask, client: FlaskClient, sign_in: SignIn, backend: LocalServer
) -> None:
    # The last session token of a deleted account is valid for up to a minute.
    backend.answers[f"GET /v1/users/{USER}"] = (404, {"errors": [{"code": "resource_not_found"}]})
    sign_in()
    login = client.get("/dashboard", headers=BROWSER).location
    assert login == "/login?redirect_url=/dashboard"
    assert client.get(login, headers=BROWSER).status_code == 403
    assert stored(app, User, USER) is None


def test_older_version_is_ignored(app: Flask) -> None:
    with app.app_context():
        save_user({**ALICE, "first_name": "New", "updated_at": 200})
        save_user({**ALICE, "first_name": "Old", "updated_at": 100})
        save_user({**ALICE, "first_name": "Same", "updated_at": 200})
    user = stored(app, User, USER)
    assert user
    assert user.first_name == "New"


def test_partial_row_is_completed_by_a_later_version(app: Flask, backend: LocalServer) -> None:
    backend.answers[f"GET /v1/users/{USER}"] = (500, b"")
    with app.app_context():
        assert create_local_user(USER)
        save_user(ALICE)
    user = stored(app, User, USER)
    assert user
    assert user.email == "alice@example.com"
