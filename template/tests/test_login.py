"""The login and signup pages."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from app import create_app
from tests.conftest import open_browser

LEADING_AWAY = [
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "/%09/evil.example",
    "javascript:alert(1)",
    "\thttps://evil.example",
    "http://localhost.evil.example/",
    "http://localhost@evil.example/",
]


@pytest.mark.parametrize(("path", "component"), [("/login", "SignIn"), ("/signup", "SignUp")])
def test_it_mounts_clerks_component(client: FlaskClient, path: str, component: str) -> None:
    assert f'data-clerk-mount="{component}"' in client.get(path).text


@pytest.mark.parametrize(("path", "hosted"), [("/login", "sign-in"), ("/signup", "sign-up")])
def test_it_works_without_javascript(client: FlaskClient, path: str, hosted: str) -> None:
    assert f"https://quick-fox-7.accounts.dev/{hosted}?redirect_url=" in client.get(path).text


@pytest.mark.parametrize("path", ["/login/factor-one", "/login/sso-callback", "/signup/verify"])
def test_the_steps_below_it_belong_to_clerk(client: FlaskClient, path: str) -> None:
    assert "data-clerk-mount" in client.get(path).text


@pytest.mark.parametrize("path", ["/login", "/signup"])
def test_a_signed_in_user_is_redirected(signed_in: FlaskClient, path: str) -> None:
    assert signed_in.get(path).location == "/dashboard"
    assert signed_in.get(f"{path}?redirect_url=/reports%3Fa%3D1").location == "/reports?a=1"


def test_a_signed_in_user_may_add_an_account(signed_in: FlaskClient) -> None:
    assert 'data-clerk-mount="SignIn"' in signed_in.get("/login?add_account=1").text


def test_the_target_reaches_the_component(client: FlaskClient) -> None:
    page = client.get("/login?next=/reports").text
    assert "&#34;fallbackRedirectUrl&#34;: &#34;/reports&#34;" in page


@pytest.mark.parametrize("target", LEADING_AWAY)
@pytest.mark.parametrize("name", ["redirect_url", "next"])
def test_no_target_leads_to_another_site(client: FlaskClient, name: str, target: str) -> None:
    # Clerk.js reads the address bar as well, so the target must disappear from there.
    assert client.get("/login", query_string={name: target}).location == "/login"


@pytest.mark.parametrize("target", LEADING_AWAY)
def test_no_target_leads_signed_in_users_off_site(signed_in: FlaskClient, target: str) -> None:
    assert signed_in.get("/login", query_string={"next": target}).location == "/login"


def test_the_page_after_login_is_a_setting(environ: dict[str, str]) -> None:
    client = open_browser(create_app(environ | {"CLERK_AFTER_SIGN_IN_PATH": "/start"}))
    client.set_cookie("__clerk_db_jwt", "dvb_1")
    assert "&#34;fallbackRedirectUrl&#34;: &#34;/start&#34;" in client.get("/login").text
