"""The environment, read once into one frozen object. ``.env.example`` explains each variable."""

from __future__ import annotations

import base64
import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import click
import sqlalchemy as sa
from dotenv import dotenv_values

from app.clerk import Instance, read_instance, safe_path
from app.clerk.instance_settings import is_local_key
from app.clerk.keys import read_pem_key
from app.clerk.origins import parse_origin
from app.clerk.setting_values import require_https, show_value
from app.clerk.webhooks import parse_webhook_secrets

ENV_FILE = Path(".env")
"""Relative to the working directory, because an installed package contains no ``.env``."""

_PLACEHOLDER = re.compile(
    r"change.{0,3}(me|this)|replace.?(me|this|with)|your[-_ ]|signing.?key|secret|password"
    r"|placeholder|example|insecure|precious",
    re.IGNORECASE,
)
# Words, and digits after them: short hexadecimal numbers can look like this by chance.
_WORDS = re.compile(r"(?![0-9a-fA-F]+\Z)(([a-z\W_]|(?<![A-Za-z])[A-Z])+|[A-Z\W_]+)[0-9]*\Z")
_SOURCES = {
    "SECRET_KEY": "Generate one with: python -c 'import secrets; print(secrets.token_hex(32))'",
    "CLERK_WEBHOOK_SIGNING_SECRET": (
        "Copy it from the Clerk dashboard, under Configure → Webhooks → your endpoint, or leave it "
        "empty to reject all webhooks."
    ),
    "CLERK_JWT_KEY": "Copy 'JWKS public key' from the Clerk dashboard, or leave it empty.",
}
_PUBLISHED = {  # by Flask, in lower case here, and by Svix, which delivers Clerk's webhooks
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    '_5#y2l"f4q8z\\n\\xec]/',
    *("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "plJ3nmyCDGBKInavdOK15jsl"),
    "C2FVsBQIhrscChlQIYozzeNLzhdOyH36",
}
_PUBLISHED_MODULUS = 0xBB5494D4B7D52CF1
"""The first 64 bits of the example key of jwt.io, whose private key is published."""


class SettingsError(click.ClickException):
    """A setting is missing or invalid. The message names the variable and says how to fix it."""


@dataclass(frozen=True)
class Settings:
    """All settings, from the environment."""

    secret_key: str = field(repr=False)
    clerk: Instance
    database_url: str = field(default="sqlite:///app.db", repr=False)
    webhook_secrets: tuple[bytes, ...] = field(default=(), repr=False)
    soft_deletion: bool = False
    """Whether rows of deleted users, organizations and memberships are kept, marked as deleted."""
    after_sign_in: str = "/dashboard"
    after_sign_up: str = "/dashboard"
    after_sign_out: str = "/"
    after_delete: str = "/login"
    app_url: str = ""
    """The URL by which browsers reach the app, without a trailing slash; empty if not set."""
    trusted_proxy_hops: int = 0
    """The number of proxies in front of the app whose ``X-Forwarded-*`` headers are trusted."""
    emulator_url: str = ""
    """URL of the local Clerk; empty if the keys belong to a real Clerk instance."""


def read_environment() -> dict[str, str]:
    """The process environment, plus the variables of ``.env`` that it doesn't set.

    :raises SettingsError: ``.env`` can't be read, or is not UTF-8 text.
    """
    try:
        from_file = dotenv_values(ENV_FILE, interpolate=False) if ENV_FILE.is_file() else {}
    except UnicodeDecodeError:
        raise SettingsError(f"{ENV_FILE.resolve()} is not UTF-8 text; save it as UTF-8.") from None
    except OSError as error:
        raise SettingsError(f"{ENV_FILE.resolve()} can't be read: {error.strerror}.") from None
    return {name: value or "" for name, value in from_file.items()} | dict(os.environ)


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read and check all settings.

    :param environ: the variables, usually from :func:`read_environment`.
    :raises SettingsError: a setting is missing or invalid.
    """
    secret_key = environ.get("SECRET_KEY", "").strip()
    if len(secret_key) < 16:
        raise SettingsError(_missing_secret_key(secret_key))
    emulator_url = _emulator_url(environ)
    try:
        instance = read_instance(environ, emulator_url=emulator_url)
        jwt_key = read_pem_key(instance.jwt_key) if instance.jwt_key else None
        app_url = _app_url(environ, instance.is_development)
        secrets = parse_webhook_secrets(environ.get("CLERK_WEBHOOK_SIGNING_SECRET", ""))
        if not instance.has_local_keys:
            _check_not_guessable("SECRET_KEY", _is_guessable(secret_key))
            guessable = any(map(_is_guessable_signing_secret, secrets))
            _check_not_guessable("CLERK_WEBHOOK_SIGNING_SECRET", guessable)
            published = jwt_key and jwt_key.public_numbers().n >> 1984 == _PUBLISHED_MODULUS
            _check_not_guessable("CLERK_JWT_KEY", bool(published))
    except ValueError as error:
        raise SettingsError(str(error)) from None
    return Settings(
        secret_key=secret_key,
        clerk=instance,
        database_url=_database_url(environ),
        webhook_secrets=secrets,
        soft_deletion=_soft_deletion(environ),
        after_sign_in=_path(environ, "CLERK_AFTER_SIGN_IN_PATH", Settings.after_sign_in),
        after_sign_up=_path(environ, "CLERK_AFTER_SIGN_UP_PATH", Settings.after_sign_up),
        after_sign_out=_path(environ, "CLERK_AFTER_SIGN_OUT_PATH", Settings.after_sign_out),
        after_delete=_path(environ, "CLERK_AFTER_DELETE_PATH", Settings.after_delete),
        app_url=app_url,
        trusted_proxy_hops=_count(environ, "TRUSTED_PROXY_HOPS"),
        emulator_url=emulator_url,
    )


def _missing_secret_key(seen: str) -> str:
    if not seen and not ENV_FILE.exists():
        return (
            f"There is no .env file in {Path.cwd()}, and SECRET_KEY is not set. "
            "In the project's folder, run 'flask clerk doctor --fix' to create one."
        )
    return (
        f"SECRET_KEY is {'too short' if seen else 'not set'}; expected at least 16 random "
        f"characters, in .env or the environment. {_SOURCES['SECRET_KEY']}"
    )


def _check_not_guessable(name: str, is_guessable: bool) -> None:
    if is_guessable:
        raise SettingsError(
            f"{name} is an example, a placeholder or made of words, so anyone may know it. It is "
            f"only accepted with the keys of the local Clerk. {_SOURCES[name]}"
        )


def _is_guessable(key: str) -> bool:
    is_written = _PLACEHOLDER.search(key) or _WORDS.match(key)
    return bool(is_written) or key.lower() in _PUBLISHED or _is_pattern(key.encode())


def _is_guessable_signing_secret(secret: bytes) -> bool:
    text = base64.b64encode(secret).decode()
    if _PLACEHOLDER.search(text) or text in _PUBLISHED:
        return True
    # Random bytes are never text as a whole, except for the hexadecimal digits in a new .env.
    is_typed = re.fullmatch(rb"[ -~\s]+", secret) and not re.fullmatch(rb"[0-9a-f]{40}", secret)
    return bool(is_typed) or _is_pattern(secret) or _is_pattern(text.encode())


def _is_pattern(text: bytes) -> bool:
    """Whether this repeats itself, or mostly continues a sequence such as 0123 or abcd."""
    steps = Counter(after - before for before, after in pairwise(text))
    repeats = any(text[n:] == text[:-n] for n in range(1, len(text) // 2 + 1))
    is_run = any(2 * steps[step] >= len(text) for step in (-1, 0, 1))
    return repeats or is_run or len(set(text)) < 4


def _emulator_url(environ: Mapping[str, str]) -> str:
    url = environ.get("CLERK_EMULATOR_URL", "").strip().rstrip("/")
    if not url or not is_local_key(environ.get("CLERK_PUBLISHABLE_KEY", "").strip()):
        return ""
    found = re.fullmatch(r"http://(?:127\.0\.0\.1|localhost):([0-9]{1,5})", url)
    if not found or not parse_origin(url):
        raise SettingsError(
            f"CLERK_EMULATOR_URL is {show_value(url)}; expected http://127.0.0.1:PORT, "
            "because the local Clerk only listens on this machine."
        )
    # For localhost, IPv6 comes first, where another program may listen.
    return f"http://127.0.0.1:{int(found[1])}"


def _database_url(environ: Mapping[str, str]) -> str:
    """The SQLAlchemy URL of the database. Errors don't show it, because it contains a password."""
    given = environ.get("DATABASE_URL", "").strip() or Settings.database_url
    scheme, _, rest = given.partition("://")
    if scheme in ("postgres", "postgresql"):  # as hosting platforms write it
        scheme = "postgresql+psycopg"
    if scheme.startswith(("mysql", "mariadb")):
        raise SettingsError(
            "DATABASE_URL can't be used: MySQL isn't supported; use SQLite (sqlite:///FILE) or "
            "PostgreSQL (postgresql://USER:PASSWORD@HOST:PORT/DATABASE)."
        )
    try:
        url = sa.make_url(f"{scheme}://{rest}")
        usable = scheme == "postgresql+psycopg" or (scheme == "sqlite" and not url.host)
    except (sa.exc.ArgumentError, ValueError):
        usable = False
    if not usable:
        raise SettingsError(
            "DATABASE_URL can't be used (it isn't shown because it may contain a password); "
            "expected sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with "
            "special characters in the password percent-encoded."
        )
    if scheme != "sqlite" and find_spec("psycopg") is None:
        raise SettingsError(
            "DATABASE_URL is a PostgreSQL database, but the package psycopg is not installed. "
            "Install it with: uv add 'psycopg[binary]'"
        )
    return f"{scheme}://{rest}"


def _app_url(environ: Mapping[str, str], is_development: bool) -> str:
    url = environ.get("APP_URL", "").strip().rstrip("/")
    found = re.fullmatch(r"(https?://[^/?#]*)((?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*)", url)
    origin = parse_origin(found[1]) if found else None
    if url and (not found or origin is None):
        raise SettingsError(
            f"APP_URL is {show_value(url)}; expected the URL at which browsers reach this app, "
            "such as https://app.example.com or https://example.com/app."
        )
    require_https("APP_URL", url, is_development)
    return f"{origin}{found[2]}" if found else ""


def _path(environ: Mapping[str, str], name: str, default: str) -> str:
    value = environ.get(name, "").strip() or default
    if safe_path(value, "") is None:
        raise SettingsError(
            f"{name} is {show_value(value)}; expected a path of this app, such as {default}."
        )
    return value


def _soft_deletion(environ: Mapping[str, str]) -> bool:
    value = environ.get("CLERK_DELETIONS", "").strip() or "hard"
    if value not in ("hard", "soft"):
        raise SettingsError(
            f"CLERK_DELETIONS is {show_value(value)}; expected hard (delete the row) or soft "
            "(keep the row and set its column deleted_at)."
        )
    return value == "soft"


def _count(environ: Mapping[str, str], name: str) -> int:
    value = environ.get(name, "").strip() or "0"
    if not re.fullmatch(r"[0-9]{1,2}", value):
        raise SettingsError(f"{name} is {show_value(value)}; expected a number from 0 to 99.")
    return int(value)
