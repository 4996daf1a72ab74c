"""The landing page."""

from __future__ import annotations

from flask.testing import FlaskClient
from markupsafe import escape

from app import product


def test_it_shows_the_name_and_the_tagline(client: FlaskClient) -> None:
    page = client.get("/").text
    assert escape(product.NAME) in page
    assert escape(product.TAGLINE) in page


def test_it_links_to_signup_and_login(client: FlaskClient) -> None:
    page = client.get("/").text
    assert 'href="/signup">Get started' in page
    assert 'href="/login"' in page


def test_it_links_a_signed_in_user_to_the_dashboard(signed_in: FlaskClient) -> None:
    page = signed_in.get("/").text
    assert "Go to your dashboard" in page
    assert "Get started" not in page
