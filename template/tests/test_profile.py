"""The profile page."""

from __future__ import annotations

from flask.testing import FlaskClient


def test_it_mounts_clerks_user_profile(signed_in: FlaskClient) -> None:
    page = signed_in.get("/profile").text
    assert 'data-clerk-mount="UserProfile"' in page
    assert "/__clerk/user" in page  # for browsers without JavaScript


def test_its_steps_belong_to_clerk(signed_in: FlaskClient) -> None:
    assert 'data-clerk-mount="UserProfile"' in signed_in.get("/profile/security").text


def test_deleting_the_account_redirects_to_the_login_page(signed_in: FlaskClient) -> None:
    page = signed_in.get("/profile").text
    assert "&#34;afterSignOutUrl&#34;: &#34;/login&#34;" in page


def test_it_needs_a_session(visitor: FlaskClient) -> None:
    page = visitor.get("/profile", follow_redirects=True)
    assert page.request.path == "/login"
    assert page.request.args["redirect_url"] == "/profile"


def test_the_navigation_links_to_it(signed_in: FlaskClient) -> None:
    assert 'href="/profile">Profile' in signed_in.get("/profile").text
