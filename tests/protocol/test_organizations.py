"""Opening a page that belongs to an organization activates that organization."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.clerk import Clerk, ConfigurationError, read_instance
from app.clerk.organization_sync import organization_in_path
from tests.app_fixtures import BROWSER
from tests.signing import LIVE_HOST, Signer, publishable_key

ENVIRON = {
    "CLERK_PUBLISHABLE_KEY": publishable_key(LIVE_HOST, "live"),
    "CLERK_SECRET_KEY": "sk_live_secret",
    "CLERK_AUTHORIZED_PARTIES": "http://localhost",
}
PATTERNS = ENVIRON | {
    "CLERK_ORGANIZATION_PATTERNS": "/orgs/<slug>, /orgs/<slug>/<path:rest>,/by-id/<id>/x",
    "CLERK_PERSONAL_ACCOUNT_PATTERNS": "/me,/me/<path:rest>",
}
INSTANCE = read_instance(PATTERNS)

ACME = {"id": "org_1", "slg": "acme", "rol": "admin"}
FETCH = {"Accept": "application/json", "Sec-Fetch-Dest": "empty"}
MISMATCH = "active-organization-mismatch"

Visit = Callable[..., tuple[str, str, list[str] | None]]


@pytest.fixture(scope="module")
def client(live_signer: Signer) -> FlaskClient:
    """A test client for an app whose pages belong to organizations. It keeps no cookies."""
    app = Flask("organizations")
    Clerk().init_app(app, read_instance(PATTERNS | {"CLERK_JWT_KEY": live_signer.pem}))
    app.add_url_rule("/", "page", lambda path="": "page", methods=["GET", "POST"])
    app.add_url_rule("/<path:path>", "page", methods=["GET", "POST"])
    return app.test_client(use_cookies=False)


@pytest.fixture
def visit(client: FlaskClient, live_signer: Signer) -> Visit:
    """Load a page with an active organization; return status, reason, and requested organization."""

    def visit(
        path: str,
        organization: dict[str, str] | None = None,
        *,
        redirects: int = 0,
        method: str = "GET",
        headers: dict[str, str] = BROWSER,
    ) -> tuple[str, str, list[str] | None]:
        session = live_signer.token(o=organization)
        cookies = f"__session={session}; __client_uat=1; __clerk_redirect_count={redirects}"
        response = client.open(path, method=method, headers=headers | {"Cookie": cookies})
        query = parse_qs(urlsplit(response.headers.get("Location", "")).query, True)
        status = response.headers["X-Clerk-Auth-Status"]
        reason = response.headers.get("X-Clerk-Auth-Reason", "")
        return status, reason, query.get("organization_id")

    return visit


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/orgs/acme", ("slug", "acme")),
        ("/orgs/acme/", ("slug", "acme")),
        ("/orgs/acme/settings/members", ("slug", "acme")),
        ("/orgs/caf\u00e9", ("slug", "caf\u00e9")),
        ("/by-id/org_1/x", ("id", "org_1")),
        ("/me", ("personal", "")),
        ("/me/settings", ("personal", "")),
        ("/", None),
        ("/orgs", None),
        ("/orgs/", None),
        ("/organizations/acme", None),
        ("/by-id/org_1", None),
        ("/x/orgs/acme", None),
        ("/ORGS/acme", None),
        ("", None),
        ("/orgs/a|b", ("slug", "a|b")),
        ("/\x00/\udcff", None),
    ],
)
def test_patterns_work_like_routes(path: str, named: tuple[str, str] | None) -> None:
    assert organization_in_path(path, INSTANCE) == named


def test_without_patterns_no_page_belongs_to_an_organization() -> None:
    assert organization_in_path("/orgs/acme", read_instance(ENVIRON)) is None


@pytest.mark.parametrize(
    ("path", "active", "asked"),
    [
        ("/orgs/other", ACME, "other"),
        ("/orgs/other/members", ACME, "other"),
        ("/orgs/acme", None, "acme"),
        ("/orgs/org_1", ACME, "org_1"),
        ("/orgs/caf%C3%A9", ACME, "caf\u00e9"),
        ("/by-id/org_2/x", ACME, "org_2"),
        ("/by-id/org_1/x", None, "org_1"),
        ("/by-id/acme/x", ACME, "acme"),
        ("/me", ACME, ""),
        ("/me/settings", ACME, ""),
    ],
)
def test_a_page_of_another_organization_activates_it_first(
    visit: Visit, path: str, active: dict[str, str] | None, asked: str
) -> None:
    assert visit(path, active) == ("handshake", MISMATCH, [asked])


@pytest.mark.parametrize(
    ("path", "active"),
    [
        ("/orgs/acme", ACME),
        ("/orgs/acme/members", ACME),
        ("/by-id/org_1/x", ACME),
        ("/me", None),
        ("/", ACME),
        ("/", None),
        ("/elsewhere", ACME),
    ],
)
def test_a_page_of_the_active_organization_is_shown(
    visit: Visit, path: str, active: dict[str, str] | None
) -> None:
    assert visit(path, active) == ("signed-in", "", None)


@pytest.mark.parametrize(("redirects", "status"), [(1, "handshake"), (2, "handshake")])
def test_activation_is_attempted_up_to_three_times(visit: Visit, redirects: int, status: str) -> None:
    assert visit("/orgs/other", ACME, redirects=redirects)[0] == status


@pytest.mark.parametrize("redirects", [3, 4])
def test_a_user_who_is_not_a_member_stays_signed_in(visit: Visit, redirects: int) -> None:
    # Clerk can't activate the organization. The view must refuse access, but the session stays valid.
    assert visit("/orgs/other", ACME, redirects=redirects) == ("signed-in", "", None)


@pytest.mark.parametrize(
    ("method", "headers"),
    [("POST", BROWSER), ("GET", FETCH), ("GET", {}), ("HEAD", BROWSER)],
    ids=["form", "fetch", "no headers", "head"],
)
def test_requests_that_cannot_be_redirected_stay_signed_in(
    visit: Visit, method: str, headers: dict[str, str]
) -> None:
    answer = visit("/orgs/other", ACME, method=method, headers=headers)
    assert answer == ("signed-in", "", None)


def test_a_request_with_a_header_token_is_not_redirected(client: FlaskClient, live_signer: Signer) -> None:
    headers = BROWSER | {"Authorization": f"Bearer {live_signer.token(o=ACME)}"}
    response = client.get("/orgs/other", headers=headers)
    assert response.headers["X-Clerk-Auth-Status"] == "signed-in"


@pytest.mark.parametrize(
    ("cookies", "path", "asked"),
    [
        ("__client_uat=1", "/orgs/acme", ["acme"]),
        ("__client_uat=1", "/me", [""]),
        ("__client_uat=1", "/", None),
    ],
)
def test_every_handshake_names_the_organization_of_the_page(
    client: FlaskClient, cookies: str, path: str, asked: list[str] | None
) -> None:
    response = client.get(path, headers=BROWSER | {"Cookie": cookies})
    query = parse_qs(urlsplit(response.headers["Location"]).query, keep_blank_values=True)
    assert query["__clerk_hs_reason"] == ["client-uat-but-no-session-token"]
    assert query.get("organization_id") == asked


@pytest.mark.parametrize(
    "pattern",
    [
        "orgs/<slug>",
        "/orgs/<slug",
        "/orgs/<nope:slug>",
        "/<slug>/<slug>",
        "/orgs/<name>",
        "/orgs",
        "/<path:before>/orgs/<slug>",
    ],
)
def test_an_invalid_pattern_is_rejected(pattern: str) -> None:
    with pytest.raises(ConfigurationError, match="CLERK_ORGANIZATION_PATTERNS contains"):
        read_instance(ENVIRON | {"CLERK_ORGANIZATION_PATTERNS": f"/teams/<id>,{pattern}"})


def test_an_invalid_personal_account_pattern_is_rejected() -> None:
    with pytest.raises(ConfigurationError, match="CLERK_PERSONAL_ACCOUNT_PATTERNS contains 'me'"):
        read_instance(ENVIRON | {"CLERK_PERSONAL_ACCOUNT_PATTERNS": "me"})
