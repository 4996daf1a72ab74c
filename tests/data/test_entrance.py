"""Login and signup pages."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.app_fixtures import BROWSER, SignIn
from tests.protocol.test_redirects import EVIL

PAGES = [("/login", "SignIn", "sign-in"), ("/signup", "SignUp", "sign-up")]


@pytest.mark.parametrize(("path", "component", "hosted"), PAGES)
def test_it_mounts_clerks_component(client: FlaskClient, path: str, component: str, hosted: str) -> None:
    page = client.get(path, headers=BROWSER)
    assert page.status_code == 200
    assert f'data-clerk-mount="{component}"' in page.text
    assert f"https://quick-fox-7.accounts.dev/{hosted}?redirect_url=" in page.text


@pytest.mark.parametrize("path", ["/login/factor-one", "/login/sso-callback", "/signup/verify/x"])
def test_the_paths_below_belong_to_clerk(client: FlaskClient, path: str) -> None:
    assert "data-clerk-mount" in client.get(path, headers=BROWSER).text


@pytest.mark.parametrize("path", ["/login", "/signup"])
def test_it_redirects_signed_in_users(client: FlaskClient, sign_in: SignIn, path: str) -> None:
    sign_in()
    assert client.get(path, headers=BROWSER).location == "/dashboard"
    inside = client.get(f"{path}?redirect_url=/reports%3Fa%3D1", headers=BROWSER)
    assert inside.location == "/reports?a=1"


def test_signed_in_users_may_add_an_account(client: FlaskClient, sign_in: SignIn) -> None:
    sign_in()
    dashboard = client.get("/dashboard", headers=BROWSER).text
    assert "&#34;signInUrl&#34;: &#34;/login?add_account=1&#34;" in dashboard
    page = client.get("/login?add_account=1", headers=BROWSER)
    assert 'data-clerk-mount="SignIn"' in page.text
    evil = client.get("/login?add_account=1&next=//evil.example", headers=BROWSER)
    assert evil.location == "/login"


@pytest.mark.parametrize("name", ["redirect_url", "next"])
@pytest.mark.parametrize("signed_in", [False, True])
def test_no_target_leads_to_another_site(
    client: FlaskClient, sign_in: SignIn, name: str, signed_in: bool
) -> None:
    if signed_in:
        sign_in()
    # Clerk.js reads the address bar, so that the target is taken out of it.
    seen = {
        target: client.get("/login", query_string={name: target}, headers=BROWSER).location
        for target in EVIL
        if target
    }
    assert seen == dict.fromkeys(seen, "/login")


def test_the_target_reaches_the_component(client: FlaskClient) -> None:
    page = client.get("/login?next=/reports", headers=BROWSER)
    assert "&#34;fallbackRedirectUrl&#34;: &#34;/reports&#34;" in page.text


def test_paths_are_settings(environ: dict[str, str]) -> None:
    from app import create_app

    app = create_app(environ | {"CLERK_AFTER_SIGN_IN_PATH": "/start"})
    client = app.test_client()
    client.set_cookie("__clerk_db_jwt", "dvb_1")
    assert "&#34;/start&#34;" in client.get("/login", headers=BROWSER).text
