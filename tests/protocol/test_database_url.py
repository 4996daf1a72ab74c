"""``DATABASE_URL`` as people and hosting platforms write it."""

from __future__ import annotations

import pytest

from app import settings
from app.settings import SettingsError, read_settings


@pytest.fixture
def _psycopg_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "find_spec", lambda name: object())


@pytest.mark.usefixtures("_psycopg_is_installed")
@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
@pytest.mark.parametrize("rest", ["ada:pw@db.example.com:5432/app?sslmode=require", "/app?host=/tmp", "a/b"])
def test_postgresql_is_used_with_psycopg(environ: dict[str, str], scheme: str, rest: str) -> None:
    read = read_settings(environ | {"DATABASE_URL": f" {scheme}://{rest} "})
    assert read.database_url == f"postgresql+psycopg://{rest}"


@pytest.mark.parametrize("url", ["sqlite:///app.db", "sqlite:////srv/app.db", "sqlite://"])
def test_sqlite_is_used_as_given(environ: dict[str, str], url: str) -> None:
    assert read_settings(environ | {"DATABASE_URL": url}).database_url == url


def test_the_default_is_sqlite(environ: dict[str, str]) -> None:
    assert read_settings(environ | {"DATABASE_URL": " "}).database_url == "sqlite:///app.db"


@pytest.mark.usefixtures("_psycopg_is_installed")
@pytest.mark.parametrize(
    "url",
    [
        *("mysql://ada:hunter2@db/app", "mysql+pymysql://ada:hunter2@db/app", "mongodb://ada:hunter2@db/app"),
        *("postgresql+psycopg2://ada:hunter2@db/app", "postgresql+asyncpg://ada:hunter2@db/app"),
        *(
            "hunter2",
            "hunter2://",
            "/srv/hunter2.db",
            "sqlite:hunter2.db",
            "sqlite://hunter2.db",
            "sqlite:/hunter2",
        ),
        *(
            "postgresql://ada:x@db:hunter2/app",
            "postgres:ada:hunter2@db/app",
            "://hunter2",
            "sqlite:/hunter2",
        ),
    ],
)
def test_other_urls_are_refused_without_showing_them(environ: dict[str, str], url: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL can't be used") as refusal:
        read_settings(environ | {"DATABASE_URL": url})
    assert "hunter2" not in str(refusal.value)
    assert "postgresql://USER:PASSWORD@HOST:PORT/DATABASE" in str(refusal.value)


def test_without_psycopg_the_error_says_how_to_install_it(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"uv add 'psycopg\[binary\]'"):
        read_settings(environ | {"DATABASE_URL": "postgres://ada:hunter2@db/app"})
