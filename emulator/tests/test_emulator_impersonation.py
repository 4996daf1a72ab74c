"""Impersonation: a staff member sees the app as a user does, and the session names both."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from flask import Flask

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.testing import Backend, Browser, ManualClock, error_of


@pytest.fixture
def user_id(ada: Browser) -> str:
    found: str = ada.session()["user"]["id"]
    return found


@pytest.fixture
def support(emulator: Flask, user_id: str) -> Browser:
    """The browser of a staff member."""
    support = Browser(emulator)
    support.http.set_cookie("__clerk_db_jwt", support.dev_browser)
    return support


def actor_token(backend: Backend, user_id: str, **more: Any) -> dict[str, Any]:
    actor = {"sub": "user_support"}
    made = backend.send("POST", "/actor_tokens", user_id=user_id, actor=actor, **more)
    found: dict[str, Any] = made.get_json()
    return found


def enter(browser: Browser, token: dict[str, Any]) -> Any:
    return browser.post("/client/sign_ins", strategy="ticket", ticket=token["token"])


def test_the_token_names_the_user_and_the_impersonator(
    support: Browser, backend: Backend, user_id: str
) -> None:
    enter(support, actor_token(backend, user_id))
    token = support.session()["last_active_token"]["jwt"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["sub"], claims["act"]["sub"]) == (user_id, "user_support")


def test_an_impersonator_has_verified_no_factor(
    support: Browser, backend: Backend, user_id: str
) -> None:
    enter(support, actor_token(backend, user_id))
    assert support.session()["factor_verification_age"] == [-1, -1]
    answer = support.post("/me", "DELETE")
    assert error_of(answer)[:2] == (403, "session_reverification_required")


def test_it_lasts_half_an_hour_by_default(
    support: Browser, backend: Backend, clerk: LocalClerk, user_id: str
) -> None:
    enter(support, actor_token(backend, user_id))
    assert support.session()["expire_at"] == clerk.now + 30 * 60_000
    support.post("/client/sessions", "DELETE")
    enter(support, actor_token(backend, user_id, session_max_duration_in_seconds=60))
    assert support.session()["expire_at"] == clerk.now + 60_000


def test_it_ends_after_ten_minutes_of_inactivity(
    support: Browser, backend: Backend, clock: ManualClock, user_id: str
) -> None:
    enter(support, actor_token(backend, user_id))
    path = f"/client/sessions/{support.session()['id']}/touch"
    clock.forward(seconds=599)
    support.post(path)
    clock.forward(seconds=599)
    assert len(support.client()["sessions"]) == 1
    clock.forward(seconds=1)
    assert support.client()["sessions"] == []


def test_the_user_stays_signed_in(
    support: Browser, ada: Browser, backend: Backend, user_id: str
) -> None:
    enter(support, actor_token(backend, user_id))
    assert ada.session()["actor"] is None


def test_its_link_signs_out_the_current_user(
    support: Browser, backend: Backend, user_id: str
) -> None:
    support.sign_up("support@example.com")
    token = actor_token(backend, user_id)
    answer = support.http.get("/v1/tickets/accept", query_string={"ticket": token["token"]})
    assert answer.status_code == 303
    assert support.client()["sessions"] == []
    assert enter(support, token).get_json()["response"]["status"] == "complete"


@pytest.mark.parametrize("kind", ["revoked", "used", "expired", "sign_in_token"])
def test_other_links_do_not_sign_anyone_out(
    emulator: Flask,
    support: Browser,
    backend: Backend,
    clock: ManualClock,
    user_id: str,
    kind: str,
) -> None:
    token = actor_token(backend, user_id, expires_in_seconds=60)
    if kind == "revoked":
        backend.send("POST", f"/actor_tokens/{token['id']}/revoke")
    elif kind == "used":
        enter(Browser(emulator), token)
    elif kind == "expired":
        clock.forward(seconds=61)
    else:
        token = backend.send("POST", "/sign_in_tokens", user_id=user_id).get_json()
    support.sign_up("support@example.com")
    support.http.get("/v1/tickets/accept", query_string={"ticket": token["token"]})
    assert len(support.client()["sessions"]) == 1


def test_among_other_accounts_it_replaces_the_users_own_session(
    ada: Browser, backend: Backend, clerk: LocalClerk, user_id: str
) -> None:
    clerk.source.replace({"sessions": {"multi_session": True}})
    assert enter(ada, actor_token(backend, user_id)).status_code == 200
    assert ada.session()["actor"] == {"sub": "user_support"}
