"""Apps shared by the tests in this folder, none of which changes them."""

from __future__ import annotations

import gc
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from app.clerk import call_budget, clerk_of
from app.clerk.call_budget import CallBudget
from tests.app_fixtures import (
    ALICE,
    backend,
    client,
    database_url,
    empty_database,
    environ,
    forger,
    live_environ,
    live_signer,
    postgresql,
    postgresql_database,
    server,
    settings_for,
    sign_in,
    signer,
    site,
)
from tests.local_server import LocalServer, local_server
from tests.protocol.forgeries import NOW, Parties
from tests.protocol.worlds import World, Worlds
from tests.signing import (
    HOST,
    KID,
    LIVE_HOST,
    SECRET_KEY,
    USER,
    WEBHOOK_SIGNING_SECRET,
    Signer,
    publishable_key,
)

__all__ = [
    "backend",
    "client",
    "database_url",
    "empty_database",
    "environ",
    "forger",
    "live_environ",
    "live_signer",
    "postgresql",
    "postgresql_database",
    "server",
    "sign_in",
    "signer",
    "site",
]

pytest.register_assert_rewrite("tests.protocol.machine_clients")  # for its assertions


@pytest.fixture(scope="session")
def shared_database(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Path:
    """A database for the shared apps."""
    return Path(shutil.copy(empty_database, tmp_path_factory.mktemp("shared") / "app.db"))


@pytest.fixture(scope="session")
def app(server: LocalServer, signer: Signer, shared_database: Path) -> Flask:
    """The app with the keys of a development instance."""
    app = create_app(settings_for(signer, server, f"sqlite:///{shared_database}"))
    app.testing = True
    return app


@pytest.fixture(scope="session")
def live_app(server: LocalServer, live_signer: Signer, shared_database: Path) -> Flask:
    """The app with the keys of a production instance."""
    app = create_app(settings_for(live_signer, server, f"sqlite:///{shared_database}"))
    app.testing = True
    return app


@pytest.fixture(autouse=True)
def _no_garbage_collection() -> Iterator[None]:
    """Disable garbage collection: finalizers fail when nested JSON has used up the stack."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(autouse=True)
def _unlimited_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow any number of Backend API calls, and forget refusals: many tests share an app."""
    monkeypatch.setattr(CallBudget, "acquire", lambda budget: True)
    monkeypatch.setattr(call_budget, "SESSION_CALLS", 1_000_000)
    monkeypatch.setattr(call_budget, "REFUSAL_LIFETIME", 0.0)


@pytest.fixture(autouse=True)
def _known_backend(backend: LocalServer) -> None:
    """Reset the Backend API before every test, so that it has only the user Alice."""


@pytest.fixture(scope="module")
def worlds(
    empty_database: Path,
    tmp_path_factory: pytest.TempPathFactory,
    signer: Signer,
    live_signer: Signer,
    forger: Signer,
) -> Iterator[Worlds]:
    """A development app with a configured key, and a production app that fetches its keys."""
    database = tmp_path_factory.mktemp("properties") / "app.db"
    shutil.copy(empty_database, database)
    logging.disable(logging.CRITICAL)
    with local_server() as backend:
        backend.answers["GET /v1/jwks"] = (200, live_signer.jwks)
        backend.answers[f"GET /v1/users/{USER}"] = (200, ALICE)
        common = {
            "SECRET_KEY": SECRET_KEY,
            "CLERK_API_URL": backend.url,
            "CLERK_WEBHOOK_SIGNING_SECRET": WEBHOOK_SIGNING_SECRET,
            "DATABASE_URL": f"sqlite:///{database}",
        }
        development = create_app(
            common
            | {
                "CLERK_PUBLISHABLE_KEY": publishable_key(HOST),
                "CLERK_SECRET_KEY": "sk_test_secret",
                "CLERK_JWT_KEY": signer.pem,
            }
        )
        production = create_app(
            common
            | {
                "CLERK_PUBLISHABLE_KEY": publishable_key(LIVE_HOST, "live"),
                "CLERK_SECRET_KEY": "sk_live_secret",
                "CLERK_AUTHORIZED_PARTIES": "http://localhost",
                "CLERK_PROXY_URL": "/__clerk",
            }
        )
        for app in (development, production):
            app.testing = True  # exceptions in views reach the test
            clerk_of(app).now = lambda: float(NOW)
            clerk_of(app).admits = None  # the users of most tokens have no row
        yield Worlds(
            development=World(development, Parties(signer, forger), None, backend),
            production=World(production, Parties(live_signer, forger), KID, backend),
        )
    logging.disable(logging.NOTSET)
