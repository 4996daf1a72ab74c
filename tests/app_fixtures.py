"""Fixtures for tests that import a generated project's `app`: apps, signing keys, a Backend API."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from hypothesis.configuration import set_hypothesis_home_dir

import app as app_package
from app import create_app
from app.clerk import clerk_of
from app.database import Base, alembic, db, init_database
from clerk_emulator.testing import RunningClerk
from tests.local_server import LocalServer, local_server
from tests.postgresql import PostgreSQL, postgresql_server, reason_to_skip
from tests.signing import LIVE_HOST, SECRET_KEY, USER, WEBHOOK_SIGNING_SECRET, Signer, publishable_key
from tests.tools import ROOT

set_hypothesis_home_dir(ROOT / ".nox" / "hypothesis")
COMMON: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "suppress_health_check": [HealthCheck.too_slow],
}
# The number is a twentieth of all generated inputs: `pytest --hypothesis-profile=nightly`.
settings.register_profile("normal", max_examples=100, derandomize=True, **COMMON)
settings.register_profile("nightly", max_examples=10_000, print_blob=True, **COMMON)
settings.load_profile("normal")

PROJECT = Path(app_package.__file__).parent.parent
"""The generated project under test."""

BROWSER = {"Accept": "text/html,application/xhtml+xml", "Sec-Fetch-Dest": "document"}
"""Headers of a browser that loads a page."""

ALICE: dict[str, Any] = {
    "id": USER,
    "first_name": "Alice",
    "last_name": "Example",
    "image_url": "https://img.clerk.com/alice",
    "primary_email_address_id": "idn_1",
    "email_addresses": [{"id": "idn_1", "email_address": "alice@example.com"}],
    "updated_at": 1_700_000_000_000,
}
"""A user as the Backend API returns it."""


ON_BOTH_DATABASES = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
"""For tests, or as ``pytestmark`` for modules, that use the database of ``app`` or ``site``."""


def keys_of(signer: Signer) -> dict[str, str]:
    """The keys of an instance, as environment variables."""
    kind = "live" if signer.host == LIVE_HOST else "test"
    return {
        "CLERK_PUBLISHABLE_KEY": publishable_key(signer.host, kind),
        "CLERK_SECRET_KEY": f"sk_{kind}_secret",
        "CLERK_JWT_KEY": signer.pem,
        "CLERK_AUTHORIZED_PARTIES": "http://localhost" if kind == "live" else "",
    }


def settings_for(signer: Signer, backend: LocalServer, database_url: str) -> dict[str, str]:
    """Settings of an app that uses an instance."""
    return keys_of(signer) | {
        "SECRET_KEY": SECRET_KEY,
        "CLERK_API_URL": backend.url,
        "CLERK_WEBHOOK_SIGNING_SECRET": WEBHOOK_SIGNING_SECRET,
        "DATABASE_URL": database_url,
    }


@pytest.fixture(scope="session")
def signer() -> Signer:
    """The development instance that the app uses."""
    return Signer()


@pytest.fixture(scope="session")
def forger() -> Signer:
    """An attacker, who signs with a key of their own, under the app's names."""
    return Signer()


@pytest.fixture(scope="session")
def live_signer() -> Signer:
    """A production instance."""
    return Signer(host=LIVE_HOST)


@pytest.fixture(scope="session")
def server() -> Iterator[LocalServer]:
    """One server for all tests; a test uses ``backend``."""
    with local_server() as server:
        yield server


@pytest.fixture
def backend(server: LocalServer, signer: Signer) -> LocalServer:
    """A Backend API that has the user Alice."""
    server.forget()
    server.answers["GET /v1/jwks"] = (200, signer.jwks)
    server.answers[f"GET /v1/users/{USER}"] = (200, ALICE)
    return server


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with all tables and no rows, created by the migrations."""
    path = tmp_path_factory.mktemp("database") / "empty.db"
    app = Flask("empty")
    init_database(app, f"sqlite:///{path}")
    with app.app_context():
        db.engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL server for the tests; without its programs, they are skipped."""
    if reason := reason_to_skip():
        pytest.skip(reason)
    with postgresql_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_database(postgresql: PostgreSQL) -> Iterator[str]:
    """The name of a PostgreSQL database with all tables, created by the migrations."""
    with postgresql.database() as name:
        app = Flask("empty")
        init_database(app, postgresql.url(name))
        with app.app_context():
            alembic.upgrade()
            db.engine.dispose()
        yield name


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path, empty_database: Path) -> Iterator[str]:
    """An empty database for the test: SQLite, or the one that ``ON_BOTH_DATABASES`` selects."""
    if getattr(request, "param", "sqlite") == "sqlite":
        shutil.copy(empty_database, tmp_path / "app.db")
        yield f"sqlite:///{tmp_path / 'app.db'}"
        return
    name = request.getfixturevalue("postgresql_database")
    server: PostgreSQL = request.getfixturevalue("postgresql")
    server.empty(name, list(Base.metadata.tables))
    yield server.url(name)


@pytest.fixture
def environ(database_url: str, backend: LocalServer, signer: Signer) -> dict[str, str]:
    """Settings of a development instance."""
    return settings_for(signer, backend, database_url)


@pytest.fixture
def site(database_url: str, clerk: RunningClerk) -> Flask:
    """The app with a local Clerk, where users really sign up and in; see ``clerk``."""
    own = {"SECRET_KEY": SECRET_KEY, "DATABASE_URL": database_url}
    site = create_app(clerk.environ | own)
    site.testing = True
    clerk_of(site).now = clerk.now  # clerk.advance() moves both
    return site


@pytest.fixture
def live_environ(environ: dict[str, str], live_signer: Signer) -> dict[str, str]:
    """Settings of a production instance."""
    return environ | keys_of(live_signer)


@pytest.fixture
def app(environ: dict[str, str]) -> Flask:
    """The app, as a development instance."""
    app = create_app(environ)
    app.testing = True
    app.config["WTF_CSRF_ENABLED"] = False
    return app


@pytest.fixture
def live_app(live_environ: dict[str, str]) -> Flask:
    """The app, as a production instance."""
    app = create_app(live_environ)
    app.testing = True
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A signed-out browser that has visited Clerk before."""
    client = app.test_client()
    client.set_cookie("__clerk_db_jwt", "dvb_1")
    return client


SignIn = Callable[..., None]


@pytest.fixture
def sign_in(client: FlaskClient, signer: Signer) -> SignIn:
    """A function that signs a user in: by default Alice, a moment ago."""

    def sign_in(user_id: str = USER) -> None:
        client.set_cookie("__client_uat", str(signer.claims()["iat"]))
        client.set_cookie("__session", signer.token(sub=user_id))

    return sign_in
