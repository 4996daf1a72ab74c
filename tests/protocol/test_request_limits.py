"""What a request may contain is limited before it is parsed."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, render_template_string, request
from flask.testing import FlaskClient

from app import create_app
from tests.app_fixtures import BROWSER
from tests.protocol.test_form_tokens import FORM, token_of

FORM_TYPE = "application/x-www-form-urlencoded"


@pytest.fixture
def app(environ: dict[str, str]) -> Flask:
    """The app with a form for everyone, and a view for API clients that reads a form."""
    app = create_app(environ)

    def count() -> Any:
        return str(len(request.form)) if request.method == "POST" else render_template_string(FORM)

    app.add_url_rule("/form", "form", count, methods=["GET", "POST"])
    return app


def fields(number: int) -> str:
    """A form with a number of fields whose names differ."""
    return "&".join(f"{index:x}" for index in range(number))


def test_a_form_may_have_a_thousand_fields(client: FlaskClient) -> None:
    headers = {"X-CSRFToken": token_of(client.get("/form", headers=BROWSER))}
    for number, status in ((999, 200), (1000, 200), (1001, 413), (124_000, 413)):
        answer = client.post("/form", data=fields(number), content_type=FORM_TYPE, headers=headers)
        assert (answer.status_code, number) == (status, number)
        assert status == 413 or answer.text == str(number)


def test_the_limit_holds_in_views_that_need_no_csrf_token(client: FlaskClient) -> None:
    headers = {"Authorization": "Bearer x"}
    for number, status in ((1000, 200), (1001, 413)):
        answer = client.post("/form", data=fields(number), content_type=FORM_TYPE, headers=headers)
        assert answer.status_code == status


def test_a_founder_can_change_the_limit(app: Flask, client: FlaskClient) -> None:
    headers = {"Authorization": "Bearer x"}
    for limit, status in ((2000, 200), (1, 413), (None, 200)):
        app.config["MAX_FORM_PARTS"] = limit
        answer = client.post("/form", data=fields(1001), content_type=FORM_TYPE, headers=headers)
        assert answer.status_code == status


@pytest.mark.parametrize("path", ["/form", "/logout"])
@pytest.mark.parametrize("kind", [FORM_TYPE, "multipart/form-data; boundary=x", "application/json"])
def test_the_body_of_a_browser_without_a_page_of_this_app_is_not_read(
    client: FlaskClient, path: str, kind: str
) -> None:
    class Unread:
        def read(self, *_: Any) -> bytes:
            pytest.fail("the body was read")

        readline = readinto = read

    body = {"wsgi.input": Unread(), "CONTENT_LENGTH": "9"}
    answer = client.post(path, environ_overrides=body, content_type=kind, headers=BROWSER)
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["/", "/login", "/healthz", "/static/app.css", "/__clerk/v1/client"])
def test_the_cookies_of_a_request_are_not_parsed_if_they_are_too_many(app: Flask, path: str) -> None:
    client = app.test_client(use_cookies=False)
    for cookies, is_refused in (
        ("a=1; " * 13_000, False),
        ("a=1; " * 13_200, True),
        ("a=1,b;" * 100_000, True),
    ):
        answer = client.get(path, headers=BROWSER | {"Cookie": cookies})
        assert (answer.status_code == 431) is is_refused
        assert "a=1" not in answer.text
