"""Error pages, and errors in JSON for API clients."""

from __future__ import annotations

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient

from app.pages.errors import TEXTS
from tests.conftest import PROGRAM


@pytest.mark.parametrize("code", [401, 403, 404, 500])
def test_an_error_has_a_page(app: Flask, client: FlaskClient, code: int) -> None:
    app.add_url_rule("/fail", view_func=lambda: abort(code))
    page = client.get("/fail")
    assert (page.status_code, page.mimetype) == (code, "text/html")
    assert TEXTS[code][0] in page.text


def test_an_error_without_its_own_text_has_a_page(app: Flask, client: FlaskClient) -> None:
    app.add_url_rule("/fail", view_func=lambda: abort(418))
    assert "teapot" in client.get("/fail").text


@pytest.mark.parametrize("code", [401, 403, 404, 500, 418])
def test_an_api_client_gets_an_error_in_json(app: Flask, client: FlaskClient, code: int) -> None:
    app.add_url_rule("/fail", view_func=lambda: abort(code))
    answer = client.get("/fail", headers=PROGRAM)
    assert (answer.status_code, answer.is_json) == (code, True)


def test_a_crash_reveals_nothing(app: Flask, client: FlaskClient) -> None:
    def crash() -> str:
        raise RuntimeError("secret detail")

    app.add_url_rule("/crash", view_func=crash)
    app.testing = False
    page = client.get("/crash")
    assert page.status_code == 500
    assert "secret detail" not in page.text


def test_a_405_names_the_allowed_methods(client: FlaskClient) -> None:
    answer = client.get("/logout")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("path", ["/nowhere", "/static/nothing.css"])
def test_an_unknown_address_is_a_404(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_an_error_page_escapes_its_text(app: Flask, client: FlaskClient) -> None:
    app.add_url_rule("/fail", view_func=lambda: abort(400, "<script>alert(1)</script>"))
    assert "<script>alert(1)" not in client.get("/fail").text
