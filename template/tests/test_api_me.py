"""/api/me: the current user, for scripts and apps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask.testing import FlaskClient

from tests.conftest import PROGRAM

if TYPE_CHECKING:
    from clerk_emulator.testing import RunningClerk, User


def test_it_returns_the_current_user(signed_in: FlaskClient, ada: User) -> None:
    answer = signed_in.get("/api/me", headers=PROGRAM).get_json()
    assert answer["user_id"] == ada.id
    assert answer["session_id"].startswith("sess_")
    assert answer["organization_id"] is None
    assert answer["actor_id"] is None


def test_it_accepts_a_session_token(visitor: FlaskClient, clerk: RunningClerk, ada: User) -> None:
    headers = {"Authorization": f"Bearer {clerk.session_token(ada)}"}
    assert visitor.get("/api/me", headers=headers).get_json()["user_id"] == ada.id


def test_without_a_session_it_returns_a_401_in_json(client: FlaskClient) -> None:
    for headers in (PROGRAM, {}):
        answer = client.get("/api/me", headers=headers)
        assert answer.status_code == 401
        assert answer.get_json()["reason"] == "session-token-and-uat-missing"
        assert answer.headers["WWW-Authenticate"] == "Bearer"
