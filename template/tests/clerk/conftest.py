"""One app for all tests here: they ask who is signed in, and change nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from tests.conftest import settings_for
from tests.local_server import LocalServer
from tests.signing import Signer


@pytest.fixture(scope="session")
def shared_database(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Path:
    """A database for the apps below."""
    return Path(shutil.copy(empty_database, tmp_path_factory.mktemp("shared") / "app.db"))


@pytest.fixture(scope="session")
def app(server: LocalServer, signer: Signer, shared_database: Path) -> Flask:
    """The app, as a development instance."""
    app = create_app(settings_for(signer, server, shared_database))
    app.testing = True
    return app


@pytest.fixture(scope="session")
def live_app(server: LocalServer, live_signer: Signer, shared_database: Path) -> Flask:
    """The app, as a production instance."""
    app = create_app(settings_for(live_signer, server, shared_database))
    app.testing = True
    return app


@pytest.fixture(autouse=True)
def _known_backend(backend: LocalServer) -> None:
    """Every test begins with a Backend API that knows Alice, and has been asked nothing."""
