"""Fixtures for all tests.

``client`` is a browser on an app without Clerk: enough for pages that need no session.
``visitor`` is a browser on ``site``, an app with a local Clerk: people sign up and sign in for
real. The fixtures ``clerk``, ``live_site`` and ``browser_page`` come from the package
clerk-emulator; its README explains them.
"""

from __future__ import annotations

import secrets
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.clerk import clerk_of

if TYPE_CHECKING:
    from clerk_emulator.testing import RunningClerk, User

pytest_plugins = ["tests.database"]

PROGRAM = {"Accept": "application/json", "Sec-Fetch-Dest": "empty"}
"""Headers of a script that calls the app."""


@pytest.fixture
def environ(database_url: str) -> dict[str, str]:
    """Valid settings, with the keys of a Clerk instance that doesn't exist."""
    return {
        "SECRET_KEY": secrets.token_hex(),
        "CLERK_PUBLISHABLE_KEY": "pk_test_cXVpY2stZm94LTcuY2xlcmsuYWNjb3VudHMuZGV2JA==",
        "CLERK_SECRET_KEY": "sk_test_secret",
        "CLERK_WEBHOOK_SIGNING_SECRET": f"whsec_{secrets.token_hex(16)}",
        "DATABASE_URL": database_url,
    }


@pytest.fixture
def app(environ: dict[str, str]) -> Flask:
    """The app without Clerk: no request may need a response from it."""
    app = create_app(environ)
    app.testing = True
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser that is signed out."""
    client = open_browser(app)
    client.set_cookie("__clerk_db_jwt", "dvb_1")  # Clerk has seen this browser before
    return client


@pytest.fixture
def site(database_url: str, clerk: RunningClerk) -> Flask:
    """The app with a local Clerk of its own."""
    settings = {"SECRET_KEY": secrets.token_hex(), "DATABASE_URL": database_url}
    site = create_app(clerk.environ | settings)
    site.testing = True
    clerk_of(site).now = clerk.now  # clerk.advance() moves both clocks
    return site


@pytest.fixture
def visitor(site: Flask) -> FlaskClient:
    """A browser on the site, signed out."""
    return open_browser(site)


@pytest.fixture
def ada(clerk: RunningClerk) -> User:
    """A user with an account in Clerk."""
    return clerk.create_user("ada@example.com", first_name="Ada")


@pytest.fixture
def signed_in(visitor: FlaskClient, clerk: RunningClerk, ada: User) -> FlaskClient:
    """A browser on the site in which Ada is signed in."""
    clerk.sign_in(visitor, ada)
    return visitor


def open_browser(app: Flask) -> FlaskClient:
    """Return a test client that sends the headers of a browser."""
    client = app.test_client()
    client.environ_base["HTTP_ACCEPT"] = "text/html,application/xhtml+xml"
    client.environ_base["HTTP_SEC_FETCH_DEST"] = "document"
    return client


if find_spec("clerk_emulator") is None:

    @pytest.fixture
    def clerk() -> None:
        """Skip tests that need the local Clerk."""
        pytest.skip("clerk-emulator is not installed: see the group 'clerk' in pyproject.toml")

    live_site = browser_page = clerk
