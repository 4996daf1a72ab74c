"""The health check."""

from __future__ import annotations

from flask.testing import FlaskClient


def test_it_responds(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"status": "ok"}


def test_it_needs_no_session(client: FlaskClient) -> None:
    client.delete_cookie("__clerk_db_jwt")
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert "X-Clerk-Auth-Status" not in answer.headers
