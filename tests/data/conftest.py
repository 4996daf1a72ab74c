"""Fixtures of the tests in this folder."""

from __future__ import annotations

from tests.app_fixtures import (
    app,
    backend,
    client,
    database_url,
    empty_database,
    environ,
    forger,
    live_app,
    live_environ,
    live_signer,
    postgresql,
    postgresql_database,
    server,
    sign_in,
    signer,
    site,
)

__all__ = [
    "app",
    "backend",
    "client",
    "database_url",
    "empty_database",
    "environ",
    "forger",
    "live_app",
    "live_environ",
    "live_signer",
    "postgresql",
    "postgresql_database",
    "server",
    "sign_in",
    "signer",
    "site",
]
