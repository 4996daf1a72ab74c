"""The dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask.testing import FlaskClient

if TYPE_CHECKING:
    from clerk_emulator.testing import User


def test_it_shows_the_account_of_the_user(signed_in: FlaskClient, ada: User) -> None:
    page = signed_in.get("/dashboard").text
    assert "Welcome, Ada" in page
    assert "ada@example.com" in page
    assert ada.id in page
