"""Signing out without JavaScript."""

from __future__ import annotations

from flask import Flask
from flask.testing import FlaskClient

from tests.app_fixtures import BROWSER, SignIn
from tests.local_server import LocalServer

REVOKE = "POST /v1/sessions/sess_1/revoke"


def test_it_ends_the_session_in_clerk(client: FlaskClient, sign_in: SignIn, backend: LocalServer) -> None:
    backend.answers[REVOKE] = (200, {"object": "session", "status": "revoked"})
    sign_in()
    response = client.post("/logout", headers=BROWSER)
    assert response.location == "/"
    assert backend.count("/v1/sessions/sess_1/revoke") == 1
    assert client.get_cookie("__session") is None


def test_it_reports_an_error_if_clerk_is_down(
    client: FlaskClient, sign_in: SignIn, backend: LocalServer
) -> None:
    backend.answers[REVOKE] = (500, {"errors": []})
    sign_in()
    response = client.post("/logout", headers=BROWSER)
    assert response.status_code == 503
    assert "still signed in" in response.text
    assert client.get_cookie("__session")


def test_it_works_if_the_session_has_already_ended(
    client: FlaskClient, sign_in: SignIn, backend: LocalServer
) -> None:
    backend.answers[REVOKE] = (404, {"errors": [{"code": "resource_not_found"}]})
    sign_in()
    assert client.post("/logout", headers=BROWSER).location == "/"


def test_another_site_cannot_sign_users_out(app: Flask, client: FlaskClient, sign_in: SignIn) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    sign_in()
    assert client.post("/logout", headers=BROWSER).status_code == 400
    assert client.get("/logout", headers=BROWSER).status_code == 405
