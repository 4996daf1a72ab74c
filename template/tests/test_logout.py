"""Signing out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.clerk import BackendApi, BackendApiError
from tests.conftest import PROGRAM

if TYPE_CHECKING:
    from clerk_emulator.testing import RunningClerk


@pytest.fixture(autouse=True)
def _without_form_tokens(site: Flask) -> None:
    site.config["WTF_CSRF_ENABLED"] = False


def test_it_ends_the_session_and_redirects_to_the_landing_page(signed_in: FlaskClient) -> None:
    assert signed_in.post("/logout").location == "/"
    assert signed_in.get("/api/me", headers=PROGRAM).status_code == 401


def test_it_ends_the_session_in_clerk(
    site: Flask, signed_in: FlaskClient, clerk: RunningClerk
) -> None:
    signed_in.post("/logout")
    assert [event["type"] for event in clerk.webhooks][-1] == "session.revoked"


def test_it_ends_the_session_of_a_page_that_was_open_for_long(
    signed_in: FlaskClient, clerk: RunningClerk
) -> None:
    clerk.advance(120)
    signed_in.post("/logout")
    assert [event["type"] for event in clerk.webhooks][-1] == "session.revoked"


def test_it_works_twice(signed_in: FlaskClient) -> None:
    signed_in.post("/logout")
    assert signed_in.post("/logout").location == "/"


def test_it_says_so_when_clerk_is_down(
    signed_in: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(api: BackendApi, session_id: str) -> None:
        raise BackendApiError(503, "unavailable", "Clerk is down")

    monkeypatch.setattr(BackendApi, "revoke_session", fail)
    page = signed_in.post("/logout")
    assert page.status_code == 503
    assert "you are still signed in" in page.text
    assert signed_in.get("/api/me").status_code == 200


def test_another_site_cannot_sign_users_out(site: Flask, signed_in: FlaskClient) -> None:
    site.config["WTF_CSRF_ENABLED"] = True
    assert signed_in.post("/logout").status_code == 400
    assert signed_in.get("/logout").status_code == 405
