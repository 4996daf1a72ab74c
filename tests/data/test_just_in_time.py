"""Rows created on the first request, before a webhook has arrived."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from flask_login import current_user

from app import create_app
from app.accounts import current_membership, current_organization
from app.accounts.models import Membership, Organization, User
from app.clerk import clerk_of
from app.clerk.call_budget import CallBudget
from app.database import db
from tests.app_fixtures import ALICE, BROWSER, ON_BOTH_DATABASES, SignIn
from tests.local_server import LocalServer
from tests.signing import USER, Signer

from .deliveries import ACME, deleted, deliver, event, membership, stored

pytestmark = ON_BOTH_DATABASES

MEMBERSHIPS = "/v1/organizations/org_acme/memberships"
ACTIVE = {"v": 2, "o": {"id": "org_acme", "slg": "acme", "rol": "admin"}}


def whoami() -> dict[str, Any]:
    """The current user, organization and membership."""
    return {
        "user": current_user.name if current_user.is_authenticated else None,
        "organization": current_organization.name if current_organization else None,
        "membership": current_membership.id if current_membership else None,
    }


@pytest.fixture
def app(environ: dict[str, str], request: pytest.FixtureRequest) -> Flask:
    """The app, with a page that returns them; parametrized with further settings."""
    app = create_app(environ | getattr(request, "param", {}))
    app.testing = True
    app.add_url_rule("/whoami", view_func=whoami)
    return app


def ask(app: Flask, signer: Signer, **claims: Any) -> dict[str, Any]:
    """Request that page as Alice, with Acme active."""
    token = signer.token(**{**ACTIVE, **claims})
    headers = {"Authorization": f"Bearer {token}"}
    answer: dict[str, Any] = app.test_client().get("/whoami", headers=headers).get_json()
    return answer


@contextmanager
def counted_queries(app: Flask) -> Iterator[list[str]]:
    """The statements that are executed within the context."""
    statements: list[str] = []

    def note(*args: Any) -> None:
        statements.append(args[2])

    with app.app_context():
        engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    yield statements
    sa.event.remove(engine, "before_cursor_execute", note)


def test_dashboard_needs_one_query(app: Flask, client: FlaskClient, sign_in: SignIn) -> None:
    sign_in()
    client.get("/dashboard", headers=BROWSER)
    with counted_queries(app) as statements:
        assert "Welcome, Alice" in client.get("/dashboard", headers=BROWSER).text
    assert len(statements) == 1


def test_relationship_needs_one_query(app: Flask, client: FlaskClient) -> None:
    for number in range(5):
        user = {**ALICE, "id": f"user_{number}"}
        joined = membership(f"orgmem_{number}", user=user)
        deliver(client, event("organizationMembership.created", joined))
    with app.app_context():
        acme = db.session.get_one(Organization, "org_acme")
        with counted_queries(app) as statements:
            names = {(row.user.name, row.organization.name) for row in acme.memberships}
        assert names == {("Alice Example", "Acme")}
        assert len(statements) == 1


def test_organization_and_membership_are_created(app: Flask, backend: LocalServer, signer: Signer) -> None:
    backend.answers[f"GET {MEMBERSHIPS}"] = (200, {"data": [membership()]})
    expected = {"user": "Alice Example", "organization": "Acme", "membership": "orgmem_1"}
    assert ask(app, signer) == expected
    assert ask(app, signer) == expected
    assert backend.count(MEMBERSHIPS) == 1
    assert f"user_id={USER}" in backend.received[-1].path
    acme = stored(app, Organization, "org_acme")
    assert acme
    assert acme.clerk_updated_at == ACME["updated_at"]


def test_rows_are_partial_while_clerk_is_unreachable(
    app: Flask, backend: LocalServer, signer: Signer
) -> None:
    for path in (f"/v1/users/{USER}", MEMBERSHIPS):
        backend.answers[f"GET {path}"] = (500, b"")
    assert ask(app, signer) == {"user": "you", "organization": "acme", "membership": None}
    deliver(app.test_client(), event("organizationMembership.created", membership()))
    deliver(app.test_client(), event("organization.created", ACME))
    deliver(app.test_client(), event("user.created", ALICE))
    expected = {"user": "Alice Example", "organization": "Acme", "membership": "orgmem_1"}
    assert ask(app, signer) == expected


@pytest.mark.parametrize("answer", [(200, {"data": [{"id": 5}, {}]}), (200, []), (404, {})])
def test_invalid_or_missing_membership_creates_no_rows(
    app: Flask, backend: LocalServer, signer: Signer, answer: tuple[int, Any]
) -> None:
    backend.answers[f"GET {MEMBERSHIPS}"] = answer
    found = ask(app, signer)
    assert (found["organization"], found["membership"]) == (None, None)


def test_personal_account_needs_no_call_to_clerk(app: Flask, backend: LocalServer, signer: Signer) -> None:
    assert ask(app, signer, o=None)["organization"] is None
    assert backend.count(MEMBERSHIPS) == 0


def test_deleted_records_are_not_created_again(app: Flask, backend: LocalServer, signer: Signer) -> None:
    backend.answers[f"GET {MEMBERSHIPS}"] = (200, {"data": [membership()]})
    for kind, id in (("user", USER), ("organization", "org_acme")):
        deliver(app.test_client(), deleted(kind, id))
    assert ask(app, signer) == {"user": None, "organization": None, "membership": None}
    assert not backend.received  # no call to Clerk was needed


@pytest.mark.parametrize("app", [{"CLERK_DELETIONS": "soft"}], indirect=True)
def test_soft_deleted_user_is_signed_out(app: Flask, signer: Signer) -> None:
    assert ask(app, signer)["user"] == "Alice Example"
    deliver(app.test_client(), deleted("user", USER))
    assert ask(app, signer)["user"] is None
    assert stored(app, User, USER)


def test_many_first_requests_create_one_row(app: Flask, backend: LocalServer, signer: Signer) -> None:
    backend.answers[f"GET {MEMBERSHIPS}"] = (200, {"data": [membership()]})
    clerk_of(app).api.limits.by_kind["new row"] = CallBudget(in_flight=16, per_second=100)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: ask(app, signer), range(32)))
    expected = {"user": "Alice Example", "organization": "Acme", "membership": "orgmem_1"}
    assert answers == [expected] * 32
    with app.app_context():
        for model in (User, Organization, Membership):
            assert db.session.scalar(sa.select(sa.func.count()).select_from(model)) == 1


def test_clerk_is_not_asked_again_at_once_about_a_user_it_does_not_know(
    app: Flask, signer: Signer, backend: LocalServer
) -> None:
    for _ in range(20):
        assert ask(app, signer, sub="user_gone")["user"] is None
    assert backend.count("/v1/users/user_gone") == 1


def test_clerk_is_not_asked_again_at_once_about_a_missing_membership(
    app: Flask, signer: Signer, backend: LocalServer
) -> None:
    backend.answers[f"GET {MEMBERSHIPS}"] = (200, {"data": [], "total_count": 0})
    for _ in range(20):
        assert ask(app, signer)["membership"] is None
    assert backend.count(MEMBERSHIPS) == 1


def test_first_requests_beyond_the_limit_leave_complete_rows(
    app: Flask, backend: LocalServer, signer: Signer
) -> None:
    backend.answers[f"GET {MEMBERSHIPS}"] = (200, {"data": [membership()]})
    clerk_of(app).api.limits.by_kind["new row"] = CallBudget(in_flight=1, per_second=100)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: ask(app, signer), range(32)))
    expected = {"user": "Alice Example", "organization": "Acme", "membership": "orgmem_1"}
    assert ask(app, signer) == expected


def test_clerk_is_not_asked_again_at_once_while_it_fails(
    app: Flask, signer: Signer, backend: LocalServer
) -> None:
    backend.answers[f"GET {MEMBERSHIPS}"] = (500, {"errors": []})
    for _ in range(20):
        assert ask(app, signer)["organization"] == "acme"
    assert backend.count(MEMBERSHIPS) == 1


def test_beyond_the_limit_a_new_user_has_a_partial_row(
    app: Flask, signer: Signer, backend: LocalServer
) -> None:
    clerk_of(app).api.limits.by_kind["new row"] = CallBudget(in_flight=0)
    client = app.test_client()
    token = signer.token()
    answer = client.get("/api/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert not backend.received
