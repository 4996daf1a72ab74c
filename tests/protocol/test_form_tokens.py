"""The CSRF token belongs to the user for whom a page was made."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask, g, render_template_string, request
from flask.testing import FlaskClient
from flask_wtf import FlaskForm
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse
from wtforms import StringField

from app import create_app
from app.clerk import clerk_of, session_required
from tests.app_fixtures import BROWSER
from tests.local_server import LocalServer
from tests.signing import Signer

FETCH = {"Accept": "application/json", "Sec-Fetch-Dest": "empty"}
SECRET = "what the first user typed"
FORM = '<form method="post"><input name="csrf_token" value="{{ csrf_token() }}"></form>'
TOKEN = re.compile(r'name="csrf_token"[^>]* value="([^"]+)"')


class NoteForm(FlaskForm):  # type: ignore[misc]
    """A form written with Flask-WTF."""

    text = StringField()


@pytest.fixture
def app(environ: dict[str, str]) -> Flask:
    """The app with forms for everyone and for signed-in users."""
    app = create_app(environ)
    app.testing = True
    clerk_of(app).admits = None  # the users have no rows

    def note() -> Any:
        return f"saved {request.form['text']}" if request.method == "POST" else render_template_string(FORM)

    def wtf() -> Any:
        form = NoteForm()
        if form.validate_on_submit():
            return f"saved {form.text.data}"
        return render_template_string("{{ form.hidden_tag() }}", form=form), 400 if form.errors else 200

    app.add_url_rule("/note", "note", session_required(note), methods=["GET", "POST", "PUT", "DELETE"])
    app.add_url_rule("/feedback", "feedback", note, methods=["GET", "POST"])
    app.add_url_rule("/wtf", "wtf", session_required(wtf), methods=["GET", "POST"])
    app.add_url_rule("/json", "json", session_required(lambda: "saved"), methods=["POST", "PUT"])
    return app


@pytest.fixture
def be(client: FlaskClient, signer: Signer) -> Any:
    """Sign a user in, in the one browser that all users of these tests share."""

    def be(user_id: str | None, **claims: Any) -> None:
        client.set_cookie("__client_uat", "1" if user_id else "0")
        client.set_cookie("__session", signer.token(sub=user_id, **claims) if user_id else "")

    return be


def token_of(page: TestResponse) -> str:
    """The CSRF token in a page."""
    found = TOKEN.search(page.text)
    assert found, page.text
    return found[1]


def submit(client: FlaskClient, path: str, token: str, **options: Any) -> TestResponse:
    """Send a form with a text."""
    options = {"headers": BROWSER, "data": {"csrf_token": token, "text": SECRET}} | options
    return client.post(path, **options)


@pytest.mark.parametrize("path", ["/note", "/feedback", "/wtf"])
def test_a_user_submits_their_own_form(client: FlaskClient, be: Any, path: str) -> None:
    be("user_ada")
    for _ in range(2):
        token = token_of(client.get(path, headers=BROWSER))
        assert submit(client, path, token).text == f"saved {SECRET}"


def test_a_new_session_of_the_same_user_may_submit_it(client: FlaskClient, be: Any) -> None:
    be("user_ada", sid="sess_1")
    token = token_of(client.get("/note", headers=BROWSER))
    be("user_ada", sid="sess_2", o={"id": "org_1", "slg": "acme", "rol": "admin"})
    assert submit(client, "/note", token).text == f"saved {SECRET}"


@pytest.mark.parametrize("seen", [True, False], ids=["after a page of the second", "at once"])
@pytest.mark.parametrize("headers", [BROWSER, FETCH], ids=["page", "json"])
@pytest.mark.parametrize("path", ["/note", "/feedback", "/wtf"])
def test_another_user_cannot_submit_it_or_read_it(
    client: FlaskClient, be: Any, path: str, headers: Any, seen: bool
) -> None:
    be("user_ada")
    token = token_of(client.get(path, headers=BROWSER))
    be("user_eve")
    if seen:
        assert token_of(client.get(path, headers=BROWSER)) != token
    answer = submit(client, path, token, headers=headers)
    assert answer.status_code == 400
    assert "opened by another user" in html.unescape(answer.text)
    assert SECRET not in answer.text


def test_a_form_opened_before_signing_in_is_refused(client: FlaskClient, be: Any) -> None:
    be(None)
    token = token_of(client.get("/feedback", headers=BROWSER))
    assert submit(client, "/feedback", token).text == f"saved {SECRET}"
    be("user_ada")
    answer = submit(client, "/feedback", token)
    assert answer.status_code == 400
    assert SECRET not in answer.text


def test_a_form_opened_before_signing_out_is_not_lost(
    client: FlaskClient, be: Any, backend: LocalServer
) -> None:
    backend.answers["GET /v1/users/user_ada"] = (500, b"")  # so the row holds only the ID
    be("user_ada")
    token = token_of(client.get("/feedback", headers=BROWSER))
    be(None)
    assert submit(client, "/feedback", token).text == f"saved {SECRET}"
    answer = submit(client, "/note", token, follow_redirects=True)
    assert (answer.request.path, answer.status_code) == ("/login", 401)
    assert "Sign in in a new tab" in answer.text
    be("user_ada")
    answer = client.get(answer.request.full_path, headers=BROWSER)
    assert answer.status_code == 400
    assert "It is renewed now" in answer.text


@pytest.mark.parametrize("path", ["/note", "/wtf"])
def test_a_stale_form_is_explained_and_can_be_sent_again(client: FlaskClient, be: Any, path: str) -> None:
    be("user_ada")
    token = token_of(client.get(path, headers=BROWSER))
    client.delete_cookie(client.application.config["SESSION_COOKIE_NAME"])  # such as by a restart
    answer = submit(client, path, token, data={"csrf_token": token, "text": '"><b>x'})
    assert answer.status_code == 400
    assert "page was out of date" in answer.text
    assert 'name="text" value="&#34;&gt;&lt;b&gt;x"' in answer.text
    assert submit(client, path, token_of(answer)).text == f"saved {SECRET}"


def test_what_nobody_can_prove_is_not_shown(client: FlaskClient, be: Any, app: Flask) -> None:
    be("user_ada")
    client.get("/note", headers=BROWSER)
    foreign = URLSafeTimedSerializer("another secret key", salt="wtf-csrf-token").dumps("1:user_ada")
    other_salt = URLSafeTimedSerializer(app.secret_key or "", salt="other").dumps("1:user_ada")
    for token in ("", "x", "é", foreign, other_salt, "a.b.c"):
        answer = submit(client, "/note", token)
        assert answer.status_code == 400
        assert "Open it again and resend the form." in answer.text
        assert SECRET not in answer.text
    assert submit(client, "/note", "", headers=FETCH).get_json()["error"] == "This form couldn't be accepted"


EVIL = "https://evil.example"


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("token_is_stale", [True, False])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": EVIL, "Referer": f"{EVIL}/"},
        {"Origin": EVIL, "Referer": "SCHEME://localhost/note"},
        {"Origin": "null"},
        {"Origin": "SCHEME://localhost:81"},
        {"Origin": "SCHEME://localhost.evil.example"},
        {"Origin": "SCHEME://localhost@evil.example"},
        {"Referer": f"{EVIL}/SCHEME://localhost/"},
        {"Referer": "SCHEME://["},
        {"Sec-Fetch-Site": "cross-site", "Origin": "SCHEME://localhost"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none", "Origin": EVIL},
    ],
)
def test_another_sites_form_is_refused_without_its_fields(
    client: FlaskClient, be: Any, headers: dict[str, str], token_is_stale: bool, scheme: str
) -> None:
    base = f"{scheme}://localhost"
    be("user_ada")
    token = token_of(client.get("/note", headers=BROWSER, base_url=base))
    if token_is_stale:
        client.delete_cookie(client.application.config["SESSION_COOKIE_NAME"])
    # With the Referer of this site, only the rule of this app can refuse it.
    sent = {"Referer": f"{base}/note"} if "Sec-Fetch-Site" in headers else {}
    sent |= {name: value.replace("SCHEME", scheme) for name, value in headers.items()}
    answer = submit(client, "/note", token, headers=BROWSER | sent, base_url=base)
    assert answer.status_code == 400
    assert "a page of another site sent this form" in answer.text
    assert SECRET not in answer.text
    assert 'name="text"' not in answer.text


@pytest.mark.parametrize(
    ("base", "headers"),
    [
        ("http://localhost", {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}),
        ("http://localhost:5000", {"Origin": "http://localhost:5000"}),
        # Behind a tunnel, the app may not know its public origin, but the browser does.
        ("http://localhost", {"Origin": "https://tunnel.example", "Sec-Fetch-Site": "same-origin"}),
        ("https://localhost", {"Referer": "https://localhost/note"}),
        ("https://localhost", {"Sec-Fetch-Site": "same-origin"}),
        ("https://localhost/crm", {"Origin": "https://localhost", "Referer": "https://localhost/crm/note"}),
    ],
)
def test_this_sites_stale_form_can_be_sent_again(
    client: FlaskClient, be: Any, base: str, headers: dict[str, str]
) -> None:
    be("user_ada")
    token = token_of(client.get("/note", headers=BROWSER, base_url=base))
    client.delete_cookie(client.application.config["SESSION_COOKIE_NAME"], path=urlsplit(base).path or "/")
    options: dict[str, Any] = {"headers": BROWSER | headers, "base_url": base}
    answer = submit(client, "/note", token, **options)
    assert answer.status_code == 400
    assert "Send again" in answer.text
    assert submit(client, "/note", token_of(answer), **options).text == f"saved {SECRET}"


def test_over_https_the_page_that_sent_a_form_must_be_known(client: FlaskClient, be: Any) -> None:
    be("user_ada")
    base = "https://localhost"
    token = token_of(client.get("/note", headers=BROWSER, base_url=base))
    answer = submit(client, "/note", token, base_url=base)
    assert answer.status_code == 400
    assert SECRET not in answer.text


def test_a_token_for_no_one_is_not_enough(client: FlaskClient, be: Any, app: Flask) -> None:
    be("user_ada")
    with client.session_transaction() as session:
        session["csrf_token"] = "a" * 40  # as plain Flask-WTF makes it
    token = URLSafeTimedSerializer(app.secret_key or "", salt="wtf-csrf-token").dumps("a" * 40)
    assert submit(client, "/note", token).status_code == 400


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("body", [{"json": {}}, {"data": "{}", "content_type": "text/plain"}, {}])
def test_scripts_with_cookies_need_the_token_in_a_header(
    client: FlaskClient, be: Any, method: str, body: dict[str, Any]
) -> None:
    be("user_ada")
    token = token_of(client.get("/note", headers=BROWSER))
    assert client.open("/json", method=method, headers=FETCH, **body).status_code == 400
    headers = FETCH | {"X-CSRFToken": token}
    assert client.open("/json", method=method, headers=headers, **body).text == "saved"
    be("user_eve")
    assert client.open("/json", method=method, headers=headers, **body).status_code == 400


@pytest.mark.parametrize("scheme", ["Basic", "basic", "Negotiate", "Digest", "NTLM"])
def test_a_site_behind_http_basic_keeps_its_pages_and_its_protection(
    client: FlaskClient, be: Any, scheme: str
) -> None:
    proxied = BROWSER | {"Authorization": f"{scheme} dXNlcjpwYXNz"}
    page = client.get("/note", headers=proxied)
    assert (page.status_code, page.location) == (302, "/login?redirect_url=/note")
    be("user_ada")
    token = token_of(client.get("/note", headers=proxied))
    assert submit(client, "/note", token, headers=proxied).text == f"saved {SECRET}"
    assert submit(client, "/note", "", headers=proxied).status_code == 400


def test_a_meta_tag_has_a_token_of_the_user(app: Flask, client: FlaskClient, be: Any) -> None:
    app.add_url_rule("/meta", "meta", lambda: render_template_string("{{ csrf_meta_tag() }}"))
    be("user_ada")
    found = re.search('content="([^"]+)"', client.get("/meta", headers=BROWSER).text)
    headers = FETCH | {"X-CSRFToken": found[1] if found else ""}
    assert client.post("/json", headers=headers).text == "saved"
    be("user_eve")
    assert client.post("/json", headers=headers).status_code == 400


def test_a_bearer_token_needs_no_form_token_and_reads_no_cookie(
    client: FlaskClient, be: Any, signer: Signer
) -> None:
    be("user_ada")
    for header in (f"Bearer {signer.token()}", signer.token()):
        assert client.post("/json", headers=FETCH | {"Authorization": header}).text == "saved"
    assert client.post("/json", headers=FETCH | {"Authorization": "Bearer x"}).status_code == 401


def test_a_csrf_token_is_the_same_in_all_of_a_page(app: Flask, client: FlaskClient, be: Any) -> None:
    @app.get("/both")
    def both() -> str:
        form = NoteForm()
        assert g.csrf_token
        return render_template_string("{{ form.hidden_tag() }}" + FORM, form=form)

    be("user_ada")
    page = client.get("/both", headers=BROWSER).text
    assert len(TOKEN.findall(page)) == 2
    assert len(set(TOKEN.findall(page))) == 1
