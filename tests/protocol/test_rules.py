"""Access rules for views: ``@session_required`` and ``@requires``."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from flask import Blueprint, Flask, request
from flask.testing import FlaskClient
from flask.typing import ResponseReturnValue
from flask.views import MethodView, View
from werkzeug.test import TestResponse

from app.clerk import (
    Clerk,
    Reverification,
    current_session,
    read_instance,
    requires,
    session_required,
)
from tests.app_fixtures import BROWSER, keys_of
from tests.local_server import LocalServer
from tests.signing import Signer

FETCH = {"Accept": "application/json", "Sec-Fetch-Dest": "empty"}

ADMIN: dict[str, Any] = {
    "o": {"id": "org_1", "slg": "acme", "rol": "admin", "per": "read,manage", "fpm": "1"},
    "fea": "o:invoices",
    "pla": "u:gold",
    "fva": [5, -1],
}
"""Claims that meet the conditions of all the views below."""

ran: list[str] = []
"""Names of the views that ran."""


def view(name: str) -> ResponseReturnValue:
    """The view that the rules protect."""
    ran.append(name)
    return name


def cross_origin() -> ResponseReturnValue:
    """A view as Flask-CORS's decorator makes it."""
    if request.method == "OPTIONS":
        return "", {"Access-Control-Allow-Origin": "*"}
    return view("cors")


cross_origin.required_methods = ["OPTIONS"]  # type: ignore[attr-defined]
cross_origin.provide_automatic_options = False  # type: ignore[attr-defined]


class Card(View):
    """A class-based view."""

    decorators: ClassVar[list[Any]] = [session_required]
    options: ClassVar[dict[str, str]] = {}  # not a method for OPTIONS

    def dispatch_request(self) -> ResponseReturnValue:
        """Handle any method."""
        return view("card")


class Invoices(MethodView):
    """A class-based view with a method for each HTTP method."""

    decorators: ClassVar[list[Any]] = [requires(permission="invoices:read")]

    def get(self, number: int) -> ResponseReturnValue:
        """Handle GET."""
        return view(f"invoice {number}")

    def post(self, number: int) -> ResponseReturnValue:
        """Handle POST."""
        return view(f"invoice {number}")


@pytest.fixture(scope="module")
def app(live_signer: Signer) -> Flask:
    """An app whose views are all protected by rules."""
    app = Flask("rules")
    Clerk().init_app(app, read_instance(keys_of(live_signer)), login_endpoint="login")
    app.add_url_rule("/login", "login", lambda: "login")
    app.add_url_rule("/card", view_func=Card.as_view("card"), methods=["GET", "POST", "OPTIONS"])
    app.add_url_rule("/invoices/<int:number>", view_func=Invoices.as_view("invoices"))

    @app.route("/page/<name>", methods=["GET", "POST"])
    @session_required
    def page(name: str) -> ResponseReturnValue:
        """A docstring."""
        return view(f"page {name}")

    for rule, name in (
        (session_required(accept_pending=True), "tasks"),
        (requires(role="admin"), "admin"),
        (requires(feature="invoices", plan="user:gold"), "paid"),
        (requires(reverification="strict"), "strict"),
        (requires(reverification=("first_factor", 3)), "explicit"),
        (requires(reverification=Reverification("multi_factor", 3)), "object"),
        (requires(role="org:admin", reverification="strict_mfa"), "both"),
        (session_required(allow_impersonation=False), "own"),
        (requires(role="admin")(allow_impersonation=False), "own-admin"),
    ):
        guarded = rule(lambda name=name: view(name))
        app.add_url_rule(f"/{name}", name, guarded, methods=["GET", "POST"])

    for rule, name in ((session_required, "members"), (requires(role="admin"), "admins")):
        blueprint = Blueprint(name, __name__, url_prefix=f"/{name}")
        blueprint.before_request(rule)
        blueprint.add_url_rule("/list", "list", lambda name=name: view(name))
        methods = ["GET", "OPTIONS"]
        blueprint.add_url_rule("/options", "options", lambda: view("options"), methods=methods)
        blueprint.add_url_rule("/cors", "cors", cross_origin)
        app.register_blueprint(blueprint)
    own = session_required(lambda: view("options"))
    app.add_url_rule("/own-options", "own-options", own, methods=["GET", "OPTIONS"])

    @app.get("/who")
    @session_required
    def who() -> ResponseReturnValue:
        return {"user": current_session.user_id, "actor": current_session.actor_id}

    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser in which no user is signed in."""
    ran.clear()
    return app.test_client()


@pytest.fixture
def be(client: FlaskClient, live_signer: Signer) -> Any:
    """Sign in with these claims."""

    def be(**claims: Any) -> FlaskClient:
        client.set_cookie("__client_uat", "1")
        client.set_cookie("__session", live_signer.token(**claims))
        return client

    return be


GUARDED = {
    "/page/a": "page a",
    "/card": "card",
    "/invoices/7": "invoice 7",
    "/admin": "admin",
    "/paid": "paid",
    "/strict": "strict",
    "/both": "both",
    "/tasks": "tasks",
    "/members/list": "members",
    "/admins/list": "admins",
}
"""Paths, and the names of their views."""


@pytest.mark.parametrize(("path", "name"), GUARDED.items())
def test_a_user_who_meets_all_conditions_gets_the_view(be: Any, path: str, name: str) -> None:
    response = be(**ADMIN).get(path, headers=BROWSER)
    assert response.status_code == 200
    assert ran == [name]
    assert response.headers["Cache-Control"] == "private, no-store"
    assert {"Cookie", "Authorization"} <= set(response.vary)


@pytest.mark.parametrize("path", GUARDED)
def test_signed_out_browsers_are_redirected_to_the_login_page(client: FlaskClient, path: str) -> None:
    response = client.get(f"{path}?a=1%26&__clerk_db_jwt=x", headers=BROWSER)
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/login?redirect_url=")
    assert response.headers["Cache-Control"] == "private, no-store"
    asked = client.get(response.headers["Location"], headers=BROWSER).request.args["redirect_url"]
    assert asked == f"{path}?a=1%26"
    assert not ran


@pytest.mark.parametrize("path", GUARDED)
def test_signed_out_api_clients_get_a_401_in_json(client: FlaskClient, path: str) -> None:
    response = client.get(path, headers=FETCH)
    assert response.status_code == 401
    assert response.json
    assert response.json["error"] == "unauthenticated"
    assert response.json["reason"] == "session-token-and-uat-missing"
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.headers["Cache-Control"] == "private, no-store"
    assert not ran


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (BROWSER, 302),
        ({"Accept": "text/html"}, 302),
        ({"Sec-Fetch-Dest": "iframe"}, 302),
        (FETCH, 401),
        ({}, 401),
        ({"Accept": "*/*"}, 401),
        ({"Accept": "application/json"}, 401),
        ({"Accept": "text/html", "Sec-Fetch-Dest": "empty"}, 401),
        ({"Accept": "text/html", "Authorization": "Bearer x"}, 401),
    ],
)
def test_only_page_loads_get_an_html_error(client: FlaskClient, headers: dict[str, str], status: int) -> None:
    assert client.get("/page/a", headers=headers).status_code == status


def test_a_form_of_a_signed_out_browser_is_never_repeated(client: FlaskClient) -> None:
    response = client.post("/page/a", headers=BROWSER)
    assert (response.status_code, response.location) == (303, "/login?interrupted=1")
    assert not ran


def test_a_return_path_that_could_name_another_host_is_dropped(client: FlaskClient) -> None:
    response = client.get("/page/%5C%5Cevil.example", headers=BROWSER)
    assert (response.status_code, response.headers["Location"]) == (302, "/login")


@pytest.mark.parametrize(
    ("path", "lack"),
    [
        ("/admin", {"role": "admin"}),
        ("/admins/list", {"role": "admin"}),
        ("/invoices/7", {"permission": "invoices:read"}),
        ("/paid", {"feature": "invoices", "plan": "user:gold"}),
        ("/both", {"role": "org:admin"}),
    ],
)
def test_a_user_who_does_not_meet_a_condition_gets_a_403(be: Any, path: str, lack: dict[str, str]) -> None:
    client = be(fva=[0, 0])
    answer = client.get(path, headers=FETCH)
    assert answer.status_code == 403
    assert (answer.json["error"], answer.json["requires"]) == ("forbidden", lack)
    page = client.get(path, headers=BROWSER)
    assert (page.status_code, page.mimetype) == (403, "text/html")
    for response in (answer, page):
        assert response.headers["Cache-Control"] == "private, no-store"
    assert not ran


@pytest.mark.parametrize("missing", ["o", "fea", "pla"])
def test_meeting_one_of_two_conditions_is_not_enough(be: Any, missing: str) -> None:
    client = be(**(ADMIN | {missing: None}))
    assert client.get("/admin", headers=FETCH).status_code == (403 if missing == "o" else 200)
    assert client.get("/paid", headers=FETCH).status_code == (200 if missing == "o" else 403)


@pytest.mark.parametrize(
    ("path", "level", "minutes"),
    [
        ("/strict", "second_factor", 10),
        ("/explicit", "first_factor", 3),
        ("/object", "multi_factor", 3),
        ("/both", "multi_factor", 10),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_403_tells_clerk_js_which_factors_to_verify(
    be: Any, path: str, level: str, minutes: int, method: str
) -> None:
    response = be(**(ADMIN | {"fva": [11, 11]})).open(path, method=method, headers=FETCH)
    assert response.status_code == 403
    assert response.json == {
        "clerk_error": {
            "type": "forbidden",
            "reason": "reverification-error",
            "metadata": {"reverification": {"level": level, "afterMinutes": minutes}},
        }
    }
    assert response.headers["Cache-Control"] == "private, no-store"
    assert not ran


def test_a_page_that_needs_reverification_says_so(be: Any) -> None:
    response = be(**(ADMIN | {"fva": [11, 11]})).get("/strict", headers=BROWSER)
    assert (response.status_code, response.mimetype) == (403, "text/html")
    assert "Verify your identity again" in response.text


def test_a_missing_role_is_reported_before_a_missing_reverification(be: Any) -> None:
    response = be(fva=[11, 11]).get("/both", headers=FETCH)
    assert response.json["error"] == "forbidden"


PENDING = ADMIN | {"sts": "pending"}


@pytest.mark.parametrize("path", [path for path in GUARDED if path != "/tasks"])
def test_a_pending_session_counts_as_signed_out(be: Any, path: str) -> None:
    client = be(**PENDING)
    answer = client.get(path, headers=FETCH)
    assert (answer.status_code, answer.json["reason"]) == (401, "session-pending")
    page = client.get(path, headers=BROWSER)
    assert page.headers["Location"].startswith("/login?")
    assert not ran


def test_a_view_may_accept_pending_sessions(be: Any, client: FlaskClient) -> None:
    assert client.get("/tasks", headers=FETCH).status_code == 401
    assert be(**PENDING).get("/tasks", headers=FETCH).text == "tasks"


def test_other_session_statuses_are_ignored(be: Any) -> None:
    assert be(sts="active").get("/page/a", headers=FETCH).status_code == 200


def test_the_impersonator_is_known(be: Any) -> None:
    assert be(act={"sub": "user_staff"}).get("/who").json == {
        "user": "user_alice",
        "actor": "user_staff",
    }
    assert be().get("/who").json == {"user": "user_alice", "actor": None}


@pytest.mark.parametrize("path", GUARDED)
def test_forged_claims_grant_no_access(client: FlaskClient, forger: Signer, path: str) -> None:
    client.set_cookie("__client_uat", "1")
    client.set_cookie("__session", forger.token(iss="https://clerk.example.com", **ADMIN))
    response: TestResponse = client.get(path, headers=FETCH)
    assert response.status_code == 401
    assert response.json
    assert response.json["reason"] == "token-invalid-signature"
    assert not ran


def test_the_same_rules_apply_to_a_token_in_the_header(client: FlaskClient, live_signer: Signer) -> None:
    def status(**claims: Any) -> int:
        token = live_signer.token(**claims)
        return client.get("/admin", headers={"Authorization": f"Bearer {token}"}).status_code

    assert status(**ADMIN) == 200
    assert status() == 403
    assert status(**PENDING) == 401


def test_a_protected_view_keeps_its_name(app: Flask) -> None:
    page = app.view_functions["page"]
    assert (page.__name__, page.__doc__) == ("page", "A docstring.")


@pytest.mark.parametrize("token", ["ak_1", "mt_1", "oat_1"])
@pytest.mark.parametrize(
    ("scopes", "status"),
    [
        (["notes:read", "notes:write"], 200),
        (["notes:read", "notes:write", "x"], 200),
        (["notes:read"], 403),
        (["notes:read notes:write"], 403),
        (["notes"], 403),
        ([None, 5], 403),
        ("notes:read notes:write", 200),
        ([], 403),
        (None, 403),
    ],
    ids=repr,
)
def test_a_machine_token_needs_every_scope(
    server: LocalServer, live_signer: Signer, token: str, scopes: Any, status: int
) -> None:
    app = Flask("scopes")
    Clerk().init_app(app, read_instance(keys_of(live_signer) | {"CLERK_API_URL": server.url}))
    accepts = ("session", "api_key", "m2m", "oauth")
    rule = session_required(accepts=accepts, scope="notes:write notes:read")
    app.add_url_rule("/notes", view_func=rule(lambda: "notes"))
    for path in ("api_keys", "m2m_tokens", "oauth_applications/access_tokens"):
        answer = {"id": "id_1", "subject": "user_1", "scopes": scopes}
        server.answers[f"POST /v1/{path}/verify"] = (200, answer)
    client = app.test_client()
    response = client.get("/notes", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == status
    if status == 403:
        assert response.get_json()["requires"] == {"scope": "notes:read notes:write"}
        header = 'Bearer error="insufficient_scope", scope="notes:read notes:write"'
        assert response.headers["WWW-Authenticate"] == header
    session = {"Authorization": f"Bearer {live_signer.token()}"}
    assert client.get("/notes", headers=session).status_code == 200


@pytest.mark.parametrize(
    "act", [{"sub": "user_staff"}, {"sub": None}, {}, "user_staff", 0, [], False], ids=repr
)
def test_a_rule_can_forbid_impersonation(be: Any, act: Any) -> None:
    client = be(act=act, **ADMIN)
    for path in ("/own", "/own-admin"):
        answer = client.get(path, headers=FETCH)
        assert (answer.status_code, answer.json["requires"]) == (403, {"impersonation": False})
        page = client.get(path, headers=BROWSER)
        assert (page.status_code, "act as another user" in page.text) == (403, True)
    assert not ran
    assert client.get("/admin", headers=FETCH).status_code == 200


def test_a_user_who_is_not_impersonated_passes(be: Any) -> None:
    client = be(act=None, **ADMIN)
    assert client.get("/own", headers=FETCH).text == "own"
    assert client.get("/own-admin", headers=FETCH).text == "own-admin"


PREFLIGHT = {"Origin": "https://other.example", "Access-Control-Request-Method": "GET"}


@pytest.mark.parametrize("path", [*GUARDED, "/own"])
def test_a_preflight_passes_every_rule_but_runs_no_view(client: FlaskClient, path: str) -> None:
    response = client.options(path, headers=PREFLIGHT)
    assert response.status_code == 200
    assert "GET" in response.headers["Allow"]
    assert not ran


@pytest.mark.parametrize("path", ["/members/options", "/own-options"])
def test_a_preflight_does_not_run_a_view_that_lists_options(client: FlaskClient, path: str) -> None:
    assert client.options(path, headers=PREFLIGHT).status_code == 200
    assert client.options(path, headers=FETCH).status_code == 401
    assert not ran


def test_a_decorator_that_answers_preflights_still_does(app: Flask, client: FlaskClient) -> None:
    response = client.options("/members/cors", headers=PREFLIGHT)
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert client.get("/members/cors", headers=FETCH).status_code == 401
