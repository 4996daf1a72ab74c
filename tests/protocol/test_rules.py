"""Access rules for views: ``@session_required`` and ``@requires``."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from flask import Blueprint, Flask
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
from tests.signing import Signer

FETCH = {"Accept": "application/json", "Sec-Fetch-Dest": "empty"}

ADMIN: dict[str, Any] = {
    "o": {"id": "org_1", "slg": "acme", "rol": "admin", "per": "read,manage", "fpm": "1"},
    "fea": "o:invoices",
    "pla": "u:gold",
    "fva": [5, -1],
}
"""Claims of somebody who has all that the views below ask for."""

ran: list[str] = []
"""Names of the views that ran."""


def view(name: str) -> ResponseReturnValue:
    """What every view here does."""
    ran.append(name)
    return name


class Card(View):
    """A class-based view."""

    decorators: ClassVar[list[Any]] = [session_required]

    def dispatch_request(self) -> ResponseReturnValue:
        """Any method."""
        return view("card")


class Invoices(MethodView):
    """A class-based view with a method for each HTTP method."""

    decorators: ClassVar[list[Any]] = [requires(permission="invoices:read")]

    def get(self, number: int) -> ResponseReturnValue:
        """GET."""
        return view(f"invoice {number}")

    def post(self, number: int) -> ResponseReturnValue:
        """POST."""
        return view(f"invoice {number}")


@pytest.fixture(scope="module")
def app(live_signer: Signer) -> Flask:
    """An app of nothing but rules."""
    app = Flask("rules")
    Clerk().init_app(app, read_instance(keys_of(live_signer)), login_endpoint="login")
    app.add_url_rule("/login", "login", lambda: "login")
    app.add_url_rule("/card", view_func=Card.as_view("card"), methods=["GET", "POST"])
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
    ):
        guarded = rule(lambda name=name: view(name))
        app.add_url_rule(f"/{name}", name, guarded, methods=["GET", "POST"])

    for rule, name in ((session_required, "members"), (requires(role="admin"), "admins")):
        blueprint = Blueprint(name, __name__, url_prefix=f"/{name}")
        blueprint.before_request(rule)
        blueprint.add_url_rule("/list", "list", lambda name=name: view(name))
        app.register_blueprint(blueprint)

    @app.get("/who")
    @session_required
    def who() -> ResponseReturnValue:
        return {"user": current_session.user_id, "actor": current_session.actor_id}

    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser in which nobody is signed in."""
    ran.clear()
    return app.test_client()


@pytest.fixture
def be(client: FlaskClient, live_signer: Signer) -> Any:
    """Be somebody with these claims."""

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
"""Paths, and the views that run there."""


@pytest.mark.parametrize(("path", "name"), GUARDED.items())
def test_who_has_all_that_is_asked_sees_it(be: Any, path: str, name: str) -> None:
    response = be(**ADMIN).get(path, headers=BROWSER)
    assert response.status_code == 200
    assert ran == [name]
    assert response.headers["Cache-Control"] == "private, no-store"
    assert {"Cookie", "Authorization"} <= set(response.vary)


@pytest.mark.parametrize("path", GUARDED)
def test_signed_out_people_are_sent_to_the_login_page(client: FlaskClient, path: str) -> None:
    response = client.get(f"{path}?a=1%26&__clerk_db_jwt=x", headers=BROWSER)
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/login?redirect_url=")
    assert response.headers["Cache-Control"] == "private, no-store"
    asked = client.get(response.headers["Location"], headers=BROWSER).request.args["redirect_url"]
    assert asked == f"{path}?a=1%26"
    assert not ran


@pytest.mark.parametrize("path", GUARDED)
def test_signed_out_programs_get_a_401_in_json(client: FlaskClient, path: str) -> None:
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
def test_only_who_loads_a_page_gets_one(client: FlaskClient, headers: dict[str, str], status: int) -> None:
    assert client.get("/page/a", headers=headers).status_code == status


def test_after_a_form_the_way_back_is_not_the_form(client: FlaskClient) -> None:
    response = client.post("/page/a", headers=BROWSER)
    assert (response.status_code, response.headers["Location"]) == (302, "/login")
    assert not ran


def test_a_way_back_that_could_be_read_as_another_host_is_dropped(client: FlaskClient) -> None:
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
def test_who_lacks_something_is_forbidden(be: Any, path: str, lack: dict[str, str]) -> None:
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
def test_one_of_two_is_not_enough(be: Any, missing: str) -> None:
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
def test_clerk_js_is_told_which_factors_to_ask_for(
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


def test_a_page_that_needs_fresh_factors_says_so(be: Any) -> None:
    response = be(**(ADMIN | {"fva": [11, 11]})).get("/strict", headers=BROWSER)
    assert (response.status_code, response.mimetype) == (403, "text/html")
    assert "Verify your identity again" in response.text


def test_who_lacks_the_role_is_not_asked_for_factors(be: Any) -> None:
    response = be(fva=[11, 11]).get("/both", headers=FETCH)
    assert response.json["error"] == "forbidden"


PENDING = ADMIN | {"sts": "pending"}


@pytest.mark.parametrize("path", [path for path in GUARDED if path != "/tasks"])
def test_who_still_has_a_task_to_do_counts_as_signed_out(be: Any, path: str) -> None:
    client = be(**PENDING)
    answer = client.get(path, headers=FETCH)
    assert (answer.status_code, answer.json["reason"]) == (401, "session-pending")
    page = client.get(path, headers=BROWSER)
    assert page.headers["Location"].startswith("/login?")
    assert not ran


def test_a_view_may_accept_who_still_has_a_task_to_do(be: Any, client: FlaskClient) -> None:
    assert client.get("/tasks", headers=FETCH).status_code == 401
    assert be(**PENDING).get("/tasks", headers=FETCH).text == "tasks"


def test_other_statuses_are_as_none(be: Any) -> None:
    assert be(sts="active").get("/page/a", headers=FETCH).status_code == 200


def test_who_impersonates_somebody_can_be_seen(be: Any) -> None:
    assert be(act={"sub": "user_staff"}).get("/who").json == {
        "user": "user_alice",
        "actor": "user_staff",
    }
    assert be().get("/who").json == {"user": "user_alice", "actor": None}


@pytest.mark.parametrize("path", GUARDED)
def test_forged_claims_open_nothing(client: FlaskClient, forger: Signer, path: str) -> None:
    client.set_cookie("__client_uat", "1")
    client.set_cookie("__session", forger.token(iss="https://clerk.example.com", **ADMIN))
    response: TestResponse = client.get(path, headers=FETCH)
    assert response.status_code == 401
    assert response.json
    assert response.json["reason"] == "token-invalid-signature"
    assert not ran


def test_a_token_in_the_header_stands_under_the_same_rules(client: FlaskClient, live_signer: Signer) -> None:
    def status(**claims: Any) -> int:
        token = live_signer.token(**claims)
        return client.get("/admin", headers={"Authorization": f"Bearer {token}"}).status_code

    assert status(**ADMIN) == 200
    assert status() == 403
    assert status(**PENDING) == 401


def test_a_guarded_view_keeps_its_name(app: Flask) -> None:
    page = app.view_functions["page"]
    assert (page.__name__, page.__doc__) == ("page", "A docstring.")


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"role": None},
        {"role": ""},
        {"permission": ""},
        {"feature": ""},
        {"plan": ""},
        {"role": "admin", "plan": ""},
        {"reverification": ""},
        {"reverification": "STRICT"},
        {"reverification": ("third_factor", 10)},
        {"reverification": ("second_factor", 0)},
        {"reverification": ("second_factor",)},
        {"reverification": ()},
        {"reverification": 10},
    ],
    ids=repr,
)
def test_rules_that_make_no_sense_are_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        requires(**asked)


@pytest.mark.parametrize("accepts", ["session", (), [], ("cookie",), ("session", "ak")], ids=repr)
def test_unknown_classes_of_tokens_are_refused(accepts: Any) -> None:
    with pytest.raises(ValueError, match="expected a tuple with"):
        session_required(accepts=accepts)


def test_options_do_not_forget_each_other() -> None:
    rule = session_required(accept_pending=True)(accepts=("session", "api_key"))
    assert rule.accept_pending
    assert rule.accepts == ("session", "api_key")


def test_a_decorator_with_empty_parentheses_is_explained() -> None:
    with pytest.raises(TypeError, match="without parentheses"):
        session_required()


def test_a_right_cannot_be_asked_of_a_pending_session() -> None:
    with pytest.raises(ValueError, match="pending"):
        requires(role="admin")(accept_pending=True)
