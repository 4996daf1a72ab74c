"""A view below an organization's address runs only while that organization is active."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Blueprint, Flask
from flask.typing import ResponseReturnValue
from flask.views import MethodView
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from app import create_app
from app.clerk import clerk_of, current_machine, exempt, requires, session_required
from tests.app_fixtures import BROWSER, keys_of, settings_for
from tests.local_server import LocalServer
from tests.signing import SECRET_KEY, USER, Signer

PATTERNS = {
    "CLERK_ORGANIZATION_PATTERNS": "/orgs/<slug>,/orgs/<slug>/<path:rest>,/by-id/<id>/<path:rest>",
    "CLERK_PERSONAL_ACCOUNT_PATTERNS": "/me,/me/<path:rest>",
}
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
FETCH = {"Accept": "application/json", "Sec-Fetch-Dest": "empty"}
MINE = {"id": "org_mine", "slg": "mine", "rol": "admin"}
PREFLIGHT = {"Origin": "https://other.example", "Access-Control-Request-Method": "POST"}

ran: list[str] = []
"""Paths of the views that ran."""

Send = Callable[..., TestResponse]


class Options(MethodView):
    """A view that responds to OPTIONS itself."""

    def options(self, slug: str) -> ResponseReturnValue:
        """Answer for other origins."""
        return "", 204, {"Access-Control-Allow-Origin": "*"}

    def get(self, slug: str) -> ResponseReturnValue:
        """Return the name."""
        ran.append(slug)
        return slug


@pytest.fixture(scope="module")
def site(live_signer: Signer, server: LocalServer, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """An app with pages of organizations, for each way to protect a view and for none."""
    path = tmp_path_factory.mktemp("gate") / "app.db"
    keys = keys_of(live_signer) | PATTERNS | {"CLERK_API_URL": server.url}
    common = {"SECRET_KEY": SECRET_KEY, "DATABASE_URL": f"sqlite:///{path}"}
    app = create_app(keys | common)
    app.config["WTF_CSRF_ENABLED"] = False
    clerk_of(app).admits = None  # the users have no rows here

    def view(**values: str) -> ResponseReturnValue:
        ran.append(values.get("slug") or values.get("id") or "me")
        return "ran"

    def add(rule: str, name: str, function: Any) -> None:
        app.add_url_rule(rule, name, function, methods=METHODS)

    for prefix in ("/orgs/<slug>", "/by-id/<id>", "/me"):
        add(f"{prefix}/open", f"open {prefix}", view)
        add(f"{prefix}/members", f"members {prefix}", session_required(view))
        add(f"{prefix}/settings", f"settings {prefix}", requires(role="admin")(view))
        keys_too = session_required(accepts=("session", "api_key", "m2m", "oauth"))
        add(f"{prefix}/api", f"api {prefix}", keys_too(view))
    add("/orgs/<slug>", "home", view)
    add("/orgs/<slug>/files/<path:name>", "files", view)
    add("/orgs/<slug>/slash/", "slash", view)
    for prefix in ("/orgs/<slug>", "/by-id/<id>", "/me"):
        add(f"{prefix}/search/<text>", f"search {prefix}", view)
    app.add_url_rule("/orgs/<slug>/public", "public", exempt(lambda slug: "public"))
    app.add_url_rule("/orgs/<slug>/options", view_func=Options.as_view("options"))
    app.add_url_rule("/orgs/<slug>/get", "get", view)
    blueprint = Blueprint("guarded", __name__, url_prefix="/orgs/<slug>/guarded")
    blueprint.before_request(session_required)
    blueprint.add_url_rule("/list", "list", view, methods=["GET", "POST"])
    app.register_blueprint(blueprint)
    return app


@pytest.fixture
def send(site: Flask, live_signer: Signer) -> Send:
    """Send a request of a user in an organization; signed out with ``organization=None``."""
    ran.clear()
    client = site.test_client(use_cookies=False)

    def send(path: str, organization: Any = MINE, cookies: str = "", **options: Any) -> TestResponse:
        headers = {**options.pop("headers", FETCH)}
        if organization is not None:
            session = live_signer.token(o=organization or None)
            cookies += f"; __session={session}; __client_uat=1"
        if cookies:
            headers["Cookie"] = cookies.strip("; ")
        return client.open(path, headers=headers, **options)

    return send


VICTIMS = [
    "/orgs/victim",
    "/orgs/victim/",
    "/orgs/victim/open",
    "/orgs/victim/members",
    "/orgs/victim/settings",
    "/orgs/victim/guarded/list",
    "/orgs/victim/files/a//b",
    "/orgs/victim/slash",
    "/orgs/victim/slash/",
    "//orgs/victim/settings",
    "/orgs//victim/settings",
    "/orgs/victim//settings",
    "/orgs/./victim/settings",
    "/orgs/mine/../victim/settings",
    "/orgs/victim/../mine/settings",
    "/orgs/vict%69m/settings",
    "/orgs/%76ictim/settings",
    "/orgs/victim%2Fsettings",
    "/orgs%2Fvictim%2Fsettings",
    "/orgs/mine%2F..%2Fvictim/settings",
    "/orgs/MINE/settings",
    "/orgs/mine%20/settings",
    "/orgs/mine%00/settings",
    "/orgs/m%C4%B1ne/settings",
    "/orgs/%EF%BD%8Dine/settings",
    "/orgs/mine;x=1/settings",
    "/orgs/mine%3Fx/settings",
    "/orgs/org_mine/settings",
    "/by-id/mine/settings",
    "/by-id/org_victim/settings",
    "/by-id/ORG_MINE/settings",
    "/me/open",
    "/me/settings",
    "/orgs/victim/search/a%0Ab",
    "/orgs/victim/search/%0A",
    "/orgs/victim/search/a%0D%0A%00%E2%80%A8%C2%85",
    "/orgs//victim/search/a%0A",
    "/orgs/mine%0A/search/a",
    "/by-id/org_victim/search/%0Aa",
    "/me/search/a%0Ab",
]
"""Addresses of another organization than the active one, whatever their spelling."""


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", VICTIMS)
def test_a_view_of_another_organization_does_not_run(send: Send, path: str, method: str) -> None:
    response = send(path, method=method)
    assert response.status_code == 404
    assert not ran


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "path",
    [
        "/orgs/mine",
        "/orgs/mine/open",
        "/orgs/mine/members",
        "/orgs/mine/settings",
        "/orgs/mine/files/a//b",
        "/orgs/m%69ne/settings",
        "/by-id/org_mine/settings",
        "/orgs/mine/search/a%0Ab",
    ],
)
def test_a_view_of_the_active_organization_runs(send: Send, path: str, method: str) -> None:
    assert send(path, method=method).status_code == 200
    assert ran


def test_without_an_organization_only_the_personal_account_is_open(send: Send) -> None:
    assert send("/me/members", {}).text == "ran"
    assert send("/orgs/mine/open", {}).status_code == 404
    assert send("/me/members").status_code == 404


def test_a_missing_role_is_a_403(send: Send) -> None:
    assert send("/orgs/mine/settings", MINE | {"rol": "member"}).status_code == 403
    assert send("/orgs/victim/settings", MINE | {"rol": "member"}).status_code == 404


@pytest.mark.parametrize("count", ["3", "4", "99", "-1", "x"])
def test_a_forged_redirect_count_opens_nothing(send: Send, count: str) -> None:
    response = send("/orgs/victim/settings", cookies=f"__clerk_redirect_count={count}", headers=BROWSER)
    assert response.status_code in (307, 404)
    assert not ran


@pytest.mark.parametrize("path", ["/orgs/victim/settings", "/orgs/victim/search/a%0Ab"])
def test_a_navigation_is_synced_first(send: Send, path: str) -> None:
    response = send(path, headers=BROWSER)
    assert response.status_code == 307
    assert "organization_id=victim" in urlsplit(response.headers["Location"]).query
    assert not ran


@pytest.mark.parametrize(("headers", "mimetype"), [(BROWSER, "text/html"), (FETCH, "application/json")])
def test_the_404_is_the_one_of_an_unknown_page(send: Send, headers: Any, mimetype: str) -> None:
    stop = "__clerk_redirect_count=3"
    answers = [
        send(path, cookies=stop, headers=headers)
        for path in ("/orgs/victim/settings", "/orgs/nonexistent/settings", "/orgs/mine/nothing")
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert {answer.mimetype for answer in answers} == {mimetype}
    texts = {re.sub('name="csrf_token" value="[^"]+"', "", answer.text) for answer in answers}
    assert len(texts) == 1
    assert len({tuple(answer.headers.keys()) for answer in answers}) == 1


SIGNED_OUT = ["/orgs/acme/open", "/orgs/acme/members", "/by-id/org_1/open", "/me/open", "/orgs/a/search/%0Ab"]


@pytest.mark.parametrize("path", SIGNED_OUT)
def test_signed_out_visitors_reach_no_view(send: Send, path: str) -> None:
    page = send(f"{path}?a=1", None, headers=BROWSER)
    back = "" if "%0A" in path else f"?redirect_url={path}?a%3D1"
    assert (page.status_code, page.location) == (302, f"/login{back}")
    assert send(path, None).status_code == 401
    form = send(path, None, method="POST", headers=BROWSER)
    assert (form.status_code, form.location) == (303, "/login?interrupted=1")
    assert not ran


def test_a_pending_session_counts_as_signed_out(send: Send, live_signer: Signer) -> None:
    cookies = f"__client_uat=1; __session={live_signer.token(o=MINE, sts='pending')}"
    for path in ("/orgs/mine/open", "/orgs/mine/search/a%0Ab"):
        assert send(path, None, cookies).status_code == 401
    assert not ran


@pytest.mark.parametrize("path", ["/orgs/mine/open", "/orgs/mine/search/a%0Ab"])
def test_a_banned_user_counts_as_signed_out(
    site: Flask, send: Send, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clerk_of(site), "admits", lambda user_id: False)
    assert send(path).status_code == 401
    assert send(path, headers=BROWSER).status_code == 302
    assert not ran


@pytest.mark.parametrize("header", ["HTTP_X_ORIGINAL_URL", "HTTP_X_REWRITE_URL", "HTTP_X_FORWARDED_PREFIX"])
def test_headers_do_not_choose_the_address(send: Send, header: str) -> None:
    response = send("/orgs/victim/open", environ_base={header: "/orgs/mine/open"})
    assert response.status_code == 404


@pytest.mark.parametrize("prefix", ["/crm", "/orgs/mine", "/orgs"])
def test_a_path_prefix_changes_nothing(send: Send, prefix: str) -> None:
    base = f"http://localhost{prefix}"
    for path in ("/orgs/victim/settings", "/orgs/victim/search/a%0Ab"):
        assert send(path, base_url=base).status_code == 404
    assert not ran
    assert send("/orgs/mine/settings", base_url=base).status_code == 200
    page = send("/orgs/victim/open", base_url=base, headers=BROWSER)
    assert "organization_id=victim" in urlsplit(page.headers["Location"]).query


def test_a_bearer_token_is_checked_like_a_cookie(send: Send, live_signer: Signer) -> None:
    headers = {"Authorization": f"Bearer {live_signer.token(o=MINE)}"}
    assert send("/orgs/victim/open", None, headers=headers).status_code == 404
    assert send("/orgs/victim/open", None, headers=BROWSER | headers).status_code == 404
    assert send("/orgs/mine/open", None, headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/orgs/acme/open", "/orgs/acme/members", "/orgs/acme/guarded/list"])
def test_a_preflight_passes_without_running_the_view(send: Send, path: str) -> None:
    response = send(path, None, method="OPTIONS", headers=PREFLIGHT)
    assert response.status_code == 200
    assert "POST" in response.headers["Allow"]
    assert not ran


def test_a_view_written_for_preflights_responds_to_them(send: Send) -> None:
    response = send("/orgs/acme/options", None, method="OPTIONS", headers=PREFLIGHT)
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert send("/orgs/victim/options").status_code == 404


def test_an_exempt_view_decides_for_itself(send: Send) -> None:
    assert send("/orgs/acme/public", None).text == "public"


@pytest.fixture
def machine_answer(server: LocalServer) -> Callable[..., None]:
    """Set what Clerk says about machine tokens."""

    def answer(**changes: Any) -> None:
        token = {"id": "ak_1", "subject": "org_mine", "scopes": [], **changes}
        for path in ("api_keys", "m2m_tokens", "oauth_applications/access_tokens"):
            server.answers[f"POST /v1/{path}/verify"] = (200, token)

    server.forget()
    answer()
    return answer


def test_an_organizations_own_api_key_reaches_its_address(
    site: Flask, send: Send, machine_answer: Callable[..., None]
) -> None:
    headers = {"Authorization": "Bearer ak_mine"}
    assert send("/by-id/org_mine/api", None, headers=headers).text == "ran"
    assert send("/by-id/org_mine/members", None, headers=headers).status_code == 401
    assert send("/by-id/org_mine/settings", None, headers=headers).status_code == 401
    with site.test_request_context("/by-id/org_mine/api", headers=headers):
        assert site.preprocess_request() is None
        assert not current_machine  # a rule accepts it, not the address


@pytest.mark.parametrize("prefix", ["ak_", "mt_", "oat_"])
@pytest.mark.parametrize(
    ("path", "subject"),
    [
        ("/by-id/org_victim/api", "org_mine"),
        ("/by-id/org_victim/open", "org_mine"),
        ("/by-id/org_victim/search/%0A", "org_mine"),
        ("/orgs/mine/search/a%0Ab", "org_mine"),
        ("/by-id/user_1/api", "org_mine"),
        ("/orgs/mine/api", "org_mine"),
        ("/orgs/org_mine/api", "org_mine"),
        ("/me/api", USER),
        ("/by-id/org_mine/api", USER),
    ],
)
def test_no_other_machine_token_reaches_an_organization(
    send: Send, machine_answer: Callable[..., None], prefix: str, path: str, subject: str
) -> None:
    machine_answer(subject=subject)
    headers = {"Authorization": f"Bearer {prefix}{subject}"}
    assert send(path, None, headers=headers).status_code == 404
    assert send(path, headers=headers).status_code == 404  # the cookie doesn't count beside it
    assert not ran


def test_an_invalid_api_key_is_a_401_and_an_outage_a_503(send: Send, server: LocalServer) -> None:
    server.forget()
    for token, status, expected in (("ak_gone", 404, 401), ("ak_down", 500, 503)):
        server.answers["POST /v1/api_keys/verify"] = (status, {"errors": [{"code": "x"}]})
        headers = {"Authorization": f"Bearer {token}"}
        assert send("/by-id/org_mine/api", None, headers=headers).status_code == expected
    assert not ran


@pytest.mark.parametrize(("path", "status"), [("/orgs/victim/open", 404), ("/orgs/mine/open", 200)])
def test_the_request_that_returns_from_a_handshake_is_checked_too(
    send: Send, live_signer: Signer, path: str, status: int
) -> None:
    token = live_signer.token(o=MINE)
    payload = live_signer.handshake([f"__session={token}; Path=/", "__client_uat=1; Path=/"])
    response = send(path, None, f"__clerk_handshake={payload}", headers=BROWSER)
    assert response.status_code == status
    assert bool(ran) is (status == 200)


def test_development_asks_once_for_an_organization(
    signer: Signer, server: LocalServer, database_url: str
) -> None:
    app = create_app(settings_for(signer, server, database_url) | PATTERNS)
    app.add_url_rule("/orgs/<slug>/open", "open", lambda slug: slug)
    client = app.test_client()
    client.set_cookie("__clerk_db_jwt", "dvb_1")
    client.set_cookie("__client_uat", "1")
    client.set_cookie("__session", signer.token(o=MINE))
    server.answers[f"GET /v1/users/{USER}"] = (500, b"")  # so the row holds only the ID
    assert client.get("/orgs/victim/open", headers=BROWSER).status_code == 307
    payload = signer.handshake([f"__session={signer.token(o=MINE)}; Path=/"])
    back = client.get(f"/orgs/victim/open?__clerk_handshake={payload}", headers=BROWSER)
    assert (back.status_code, back.location) == (307, "/orgs/victim/open")
    assert client.get(back.location, headers=BROWSER).status_code == 404
    assert client.get("/orgs/mine/open", headers=BROWSER).text == "mine"


WORDS = [
    "orgs",
    "mine",
    "victim",
    "by-id",
    "org_mine",
    "org_victim",
    "me",
    "open",
    "files",
    "search",
    "slash",
    "ORGS",
]
ODDITIES = [
    "",
    "..",
    ".",
    "|",
    "%2F",
    "%2e%2e",
    "%5C",
    "%00",
    "%0A",
    "a%0Ab",
    ";",
    "%C3%BC",
    "%FF",
    "mine%2Fopen",
]
PIECES = st.sampled_from([*WORDS, *ODDITIES, "orgs%2Fmine"])


@settings(max_examples=300)
@given(
    pieces=st.lists(PIECES, min_size=1, max_size=7),
    method=st.sampled_from(METHODS),
    strict=st.booleans(),
    merge=st.booleans(),
    prefix=st.sampled_from(["", "/crm", "/orgs/mine"]),
)
def test_no_spelling_of_an_address_reaches_another_organization(
    site: Flask, live_signer: Signer, pieces: list[str], method: str, strict: bool, merge: bool, prefix: str
) -> None:
    ran.clear()
    site.url_map.strict_slashes, site.url_map.merge_slashes = strict, merge
    headers = FETCH | {"Cookie": f"__session={live_signer.token(o=MINE)}; __client_uat=1"}
    client, base = site.test_client(use_cookies=False), f"http://localhost{prefix}"
    try:
        client.open("/" + "/".join(pieces), method=method, headers=headers, base_url=base)
    finally:
        site.url_map.strict_slashes = site.url_map.merge_slashes = True
    assert set(ran) <= {"mine", "org_mine"}
