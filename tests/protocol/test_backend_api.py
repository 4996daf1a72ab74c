"""Calls to Clerk's Backend API, against a real HTTP server."""

from __future__ import annotations

import json

import pytest

from app.clerk import BackendApi, BackendApiError, read_instance
from tests.app_fixtures import ALICE
from tests.local_server import LocalServer
from tests.signing import HOST, USER, publishable_key


@pytest.fixture
def api(backend: LocalServer) -> BackendApi:
    """A Backend API client of the local server."""
    environ = {
        "CLERK_PUBLISHABLE_KEY": publishable_key(HOST),
        "CLERK_SECRET_KEY": "sk_test_verysecret",
        "CLERK_API_URL": backend.url,
    }
    return BackendApi(read_instance(environ))


def test_a_user_is_fetched_with_the_secret_key(api: BackendApi, backend: LocalServer) -> None:
    assert api.user(USER) == ALICE
    headers = backend.received[0].headers
    assert headers["authorization"] == "Bearer sk_test_verysecret"
    assert headers["clerk-api-version"] == "2026-05-12"


def test_ids_are_escaped_in_the_path(api: BackendApi, backend: LocalServer) -> None:
    with pytest.raises(BackendApiError):
        api.user("../organizations/org_1?x=")
    assert backend.received[0].path == "/v1/users/..%2Forganizations%2Forg_1%3Fx%3D"


def test_errors_keep_clerks_code_and_trace_id(api: BackendApi, backend: LocalServer) -> None:
    error = {"code": "resource_not_found", "message": "not found", "long_message": "No user."}
    body = {"errors": [error], "clerk_trace_id": "trace_1"}
    backend.answers[f"GET /v1/users/{USER}"] = (404, body)
    with pytest.raises(BackendApiError) as raised:
        api.user(USER)
    seen = raised.value
    assert (seen.status, seen.code, seen.trace_id) == (404, "resource_not_found", "trace_1")
    assert seen.message == "No user."


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>"),
        (200, b""),
        (200, [1, 2]),
        (200, "text"),
        (500, b"\xff\xfe"),
        (502, {"errors": {}}),
        (400, {"errors": [5]}),
        (400, {"errors": [{"code": "a\r\nX-Evil: 1"}]}),
        (302, {"id": "elsewhere"}),
    ],
)
def test_an_unusable_response_is_an_error(
    api: BackendApi, backend: LocalServer, status: int, body: object
) -> None:
    backend.answers[f"GET /v1/users/{USER}"] = (status, body)
    with pytest.raises(BackendApiError) as raised:
        api.user(USER)
    assert raised.value.code == "unexpected-bapi-error"


def test_a_missing_response_is_an_error_of_the_same_type(api: BackendApi) -> None:
    instance = read_instance(
        {
            "CLERK_PUBLISHABLE_KEY": publishable_key(HOST),
            "CLERK_SECRET_KEY": "sk_test_verysecret",
            "CLERK_API_URL": "http://127.0.0.1:9",
        }
    )
    with pytest.raises(BackendApiError) as raised:
        BackendApi(instance).user(USER)
    assert raised.value.code == "fetch-error"
    assert "verysecret" not in str(raised.value)


def test_read_only_calls_are_retried_after_temporary_errors(api: BackendApi, backend: LocalServer) -> None:
    backend.queue(f"GET /v1/users/{USER}", (503, b""), (429, {"errors": []}), (200, ALICE))
    assert api.user(USER) == ALICE
    assert len(backend.received) == 3


def test_calls_that_change_something_are_not_retried(api: BackendApi, backend: LocalServer) -> None:
    backend.answers["POST /v1/sessions/sess_1/revoke"] = (503, b"")
    with pytest.raises(BackendApiError):
        api.revoke_session("sess_1")
    assert len(backend.received) == 1


def test_a_rate_limit_error_says_how_long_to_wait(api: BackendApi, backend: LocalServer) -> None:
    backend.answers["POST /v1/invitations"] = (429, {"errors": [{"code": "too_many_requests"}]})
    backend.headers = [("Retry-After", "7")]
    with pytest.raises(BackendApiError) as raised:
        api.invite("bob@example.com")
    assert (raised.value.code, raised.value.retry_after) == ("too_many_requests", 7)


@pytest.mark.parametrize("wrapped", [False, True])
def test_lists_are_fetched_page_by_page(api: BackendApi, backend: LocalServer, wrapped: bool) -> None:
    pages: list[list[dict[str, str]]] = [[{"id": "1"}, {"id": "2"}], [{"id": "3"}]]
    bodies = [{"data": page, "total_count": 3} if wrapped else page for page in pages]
    backend.queue("GET /v1/organizations", *((200, body) for body in bodies))
    found = api.pages("/organizations", page_size=2, query="a b")
    assert [item["id"] for item in found] == ["1", "2", "3"]
    assert backend.received[1].path == "/v1/organizations?query=a+b&limit=2&offset=2"


def test_an_unusable_list_is_an_error(api: BackendApi, backend: LocalServer) -> None:
    for body in ({"data": 5}, [1], "text"):
        backend.answers["GET /v1/users"] = (200, body)
        with pytest.raises(BackendApiError):
            list(api.users())


def test_changes_are_sent_as_json(api: BackendApi, backend: LocalServer) -> None:
    path = f"/v1/users/{USER}"
    backend.answers |= {
        f"PATCH {path}": (200, ALICE),
        f"PATCH {path}/metadata": (200, ALICE),
        f"DELETE {path}": (200, {"id": USER, "deleted": True}),
        "GET /v1/users/count": (200, {"total_count": 5}),
    }
    api.update_user(USER, first_name="Al")
    api.merge_metadata(USER, public_metadata={"plan": "gold", "old": None})
    assert api.delete_user(USER)["deleted"]
    assert api.count_users(query="a") == 5
    assert [json.loads(request.body) for request in backend.received[:2]] == [
        {"first_name": "Al"},
        {"public_metadata": {"plan": "gold", "old": None}},
    ]
