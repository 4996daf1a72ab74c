"""``flask clerk doctor``: check the connection to Clerk, and say how to fix what is wrong."""

from __future__ import annotations

import os
import time
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from email.utils import parsedate_to_datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import click
import requests
import sqlalchemy as sa
from werkzeug.exceptions import HTTPException

from app import create_app
from app.clerk import BackendApi, BackendApiError
from app.database import needs_upgrade
from app.database_errors import explained_database_errors
from app.settings import ENV_FILE, Settings, SettingsError, read_environment, read_settings

from .dev import read_port, rejected_origin
from .env_file import complete, empty_secrets, missing_variables

EXAMPLE = Path(".env.example")
PYPROJECT = Path("pyproject.toml")
TIMEOUT = 8
"""Seconds to wait for a response from Clerk."""

GOOD, ADVICE, BAD = ("ok", "green"), ("note", "yellow"), ("wrong", "red")


class Finding(NamedTuple):
    """One row of the table."""

    verdict: tuple[str, str]
    subject: str
    seen: str
    fix: str = ""


@click.command()
@click.option("--fix", is_flag=True, help="Complete .env, and keep it and the database private.")
def doctor(fix: bool) -> None:
    """Check keys, connection, clock, paths and database, and say how to fix what is wrong."""
    if fix:
        _fix()
    findings = []
    for finding in _examine():
        findings.append(finding)
        _show(finding)
    wrong = sum(finding.verdict is BAD for finding in findings)
    click.echo(f"\n{wrong} of {len(findings)} checks failed." if wrong else "\nEverything is fine.")
    raise SystemExit(1 if wrong else 0)


def _fix() -> None:
    is_new = not ENV_FILE.is_file()
    private = [ENV_FILE] if _is_public(ENV_FILE) else []
    try:
        added = complete(EXAMPLE, ENV_FILE)
    except UnicodeDecodeError:
        raise click.ClickException(f"{ENV_FILE} or {EXAMPLE} is not UTF-8 text.") from None
    except OSError as error:
        raise click.ClickException(
            f"Could not complete .env: {error}. Run this in the project's folder."
        ) from None
    for name in added:  # Flask has loaded the empty values of .env into the environment
        if os.environ.get(name) == "":
            del os.environ[name]
    done = "Created .env with new secrets." if is_new else f"Added to .env: {', '.join(added)}"
    click.echo(done if added else ".env is complete.")
    with suppress(SettingsError, OSError):
        for file in _public_files(read_settings(read_environment())):
            file.chmod(0o600)
            private.append(file)
    if private:
        click.echo(f"Only you can read {', '.join(map(str, private))} now.")
    click.echo()


def _show(finding: Finding) -> None:
    word, color = finding.verdict
    click.echo(f"{click.style(f'{word:<6}', fg=color)} {finding.subject:<17} {finding.seen}")
    if finding.fix:
        click.echo(f"{'':<24} → {finding.fix}")


def _examine() -> Iterator[Finding]:
    yield _env_file()
    try:
        environ = read_environment()
        settings, port = read_settings(environ), read_port(environ)
    except click.ClickException as error:
        yield Finding(BAD, "Settings", error.message)
        return
    kind = "development" if settings.clerk.is_development else "production"
    local = ", served by the local Clerk" if settings.emulator_url else ""
    yield Finding(GOOD, "Keys", f"{kind} instance {settings.clerk.host}{local}")
    yield from _public(settings, port)
    yield from _clerk(settings)
    yield _webhooks(settings)
    yield from _local_clerk()
    yield from _app(settings)


def _public(settings: Settings, port: int) -> Iterator[Finding]:
    """What could let strangers in, and what could keep users out."""
    instance = settings.clerk
    for file in _public_files(settings):
        fix = f"run: flask clerk doctor --fix, or: chmod 600 {file}"
        yield Finding(ADVICE, "Permissions", f"other users of this machine can read {file}", fix)
    served_at = f"http://localhost:{port}" if instance.is_development else ""
    if origin := rejected_origin(settings, settings.app_url or served_at):
        fix = f"add {origin} to CLERK_AUTHORIZED_PARTIES"
        yield Finding(BAD, "Origin", f"sessions of {origin} are rejected", fix)
    if instance.is_development:
        return
    if not settings.app_url:
        seen = "not set, so a request's Host header decides where redirects lead"
        fix = "set APP_URL to the URL of this app, such as https://app.example.com"
        yield Finding(ADVICE, "APP_URL", seen, fix)
    if ENV_FILE.is_file() and instance.publishable_key in ENV_FILE.read_text("utf-8"):
        fix = "here, use pk_test_… and sk_test_…; set production keys on the server"
        yield Finding(ADVICE, "Keys", "production keys in .env don't work on localhost", fix)


def _public_files(settings: Settings) -> list[Path]:
    """Files with secrets or personal data that other users of this machine can read."""
    database = _sqlite_file(settings)
    databases = [Path(f"{database}{end}") for end in ("", "-wal", "-shm")] if database else []
    return [file for file in (ENV_FILE, *databases) if _is_public(file)]


def _is_public(file: Path) -> bool:
    # Windows has no such permissions.
    return os.name == "posix" and file.is_file() and bool(file.stat().st_mode & 0o077)


def _sqlite_file(settings: Settings) -> Path | None:
    """The database's file; None if it isn't one."""
    url = sa.make_url(settings.database_url)
    name = url.database if url.get_backend_name() == "sqlite" else ""
    return Path("instance", name) if name and not name.startswith((":", "file:")) else None


def _env_file() -> Finding:
    if not EXAMPLE.is_file():  # an installed app: its settings come from the environment
        return Finding(GOOD, ".env", "not used: there is no .env.example here")
    if not ENV_FILE.is_file():
        return Finding(ADVICE, ".env", "missing", "flask clerk doctor --fix creates it")
    try:
        missing = [variable.name for variable in missing_variables(EXAMPLE, ENV_FILE)]
        missing += empty_secrets(ENV_FILE)
    except UnicodeDecodeError:
        return Finding(BAD, ".env", "not UTF-8 text", "save .env with the encoding UTF-8")
    if missing:
        fix = "flask clerk doctor --fix adds them"
        return Finding(ADVICE, ".env", f"is missing {', '.join(missing)}", fix)
    return Finding(GOOD, ".env", "complete")


def _clerk(settings: Settings) -> Iterator[Finding]:
    if settings.emulator_url and find_spec("clerk_emulator") is None:
        fix = "install it with: uv sync; or put the keys of a real Clerk instance into .env"
        yield Finding(BAD, "Local Clerk", "the package clerk-emulator is not installed", fix)
        return
    base = settings.emulator_url or settings.clerk.issuer
    try:
        answer = requests.get(f"{base}/.well-known/jwks.json", timeout=TIMEOUT)
        answer.raise_for_status()
        public_kids = _kids(answer.json())
    except requests.RequestException as error:
        seen = f"no valid response from {base} ({type(error).__name__})"
        if settings.emulator_url:  # it only runs with `flask dev`, so this is no error
            yield Finding(ADVICE, "Frontend API", seen, "start it with: flask dev")
        else:
            yield Finding(BAD, "Frontend API", seen, "check the network and the key")
        return
    yield Finding(GOOD, "Frontend API", f"{base} responds")
    yield _clock(answer.headers.get("Date", ""), settings.clerk.clock_skew)
    try:
        kids = _kids(BackendApi(settings.clerk).jwks())
    except BackendApiError as error:
        yield _rejected(settings, error)
        return
    yield Finding(GOOD, "Backend API", f"{settings.clerk.api_url} accepts CLERK_SECRET_KEY")
    if kids & public_kids:
        yield Finding(GOOD, "Keys match", "both keys belong to one instance")
    else:
        fix = "copy both keys of the same instance from the Clerk dashboard"
        yield Finding(BAD, "Keys match", "the keys belong to different instances", fix)


def _rejected(settings: Settings, error: BackendApiError) -> Finding:
    if error.status not in (401, 403):
        return Finding(BAD, "Backend API", str(error), "check CLERK_API_URL and the network")
    if not settings.emulator_url:
        return Finding(BAD, "Backend API", str(error), "copy CLERK_SECRET_KEY again")
    seen = f"the local Clerk at {settings.emulator_url} has another secret key"
    fix = (
        "it is probably another project's: stop that one, or set another port in "
        "CLERK_EMULATOR_URL. If it is this project's, restart flask dev"
    )
    return Finding(BAD, "Backend API", seen, fix)


def _kids(document: Any) -> set[str]:
    keys = document.get("keys") if isinstance(document, dict) else None
    return {str(key.get("kid")) for key in keys or () if isinstance(key, dict)}


def _clock(date: str, allowed: float) -> Finding:
    try:
        skew = time.time() - parsedate_to_datetime(date).timestamp()
    except ValueError:
        return Finding(ADVICE, "Clock", "Clerk's response has no valid Date header")
    # The header has whole seconds, so one second of difference is not an error.
    if abs(skew) > allowed + 1:
        seen = f"this machine is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} Clerk"
        return Finding(
            BAD, "Clock", seen, "synchronize the clock with NTP: session tokens live for 60 seconds"
        )
    return Finding(GOOD, "Clock", f"within {allowed:.0f} s of Clerk's")


def _webhooks(settings: Settings) -> Finding:
    if settings.webhook_secrets:
        return Finding(GOOD, "Webhooks", "a signing secret is set")
    fix = "add an endpoint for /webhooks/clerk in the Clerk dashboard, and its secret to .env"
    return Finding(ADVICE, "Webhooks", "CLERK_WEBHOOK_SIGNING_SECRET is not set", fix)


def _local_clerk() -> Iterator[Finding]:
    """Warn if the local Clerk is installed from a path that other machines don't have."""
    if not PYPROJECT.is_file():
        return  # an installed app
    try:
        groups = tomllib.loads(PYPROJECT.read_text("utf-8")).get("dependency-groups", {})
    except ValueError as error:  # also covers text that isn't UTF-8
        yield Finding(BAD, "pyproject.toml", str(error), "fix pyproject.toml")
        return
    for requirement in groups.get("clerk", ()):
        _, _, address = str(requirement).partition("@")
        if address.strip().startswith(("git+file:", "file:")):
            seen = "pyproject.toml installs clerk-emulator from a path on this machine"
            fix = "before others use this project, put the template's git URL there"
            yield Finding(ADVICE, "Local Clerk", seen, fix)


def _app(settings: Settings) -> Iterator[Finding]:
    file = _sqlite_file(settings)
    if file and file.parent != Path("instance") and not file.parent.is_dir():
        fix = "create it, or correct DATABASE_URL"
        yield Finding(BAD, "Database", f"the folder {file.parent} doesn't exist", fix)
        return
    is_new = file is not None and not file.exists()
    # The app would create the file, but this command only looks.
    environ = read_environment() | ({"DATABASE_URL": "sqlite://"} if is_new else {})
    try:
        with explained_database_errors():
            app = create_app(environ)
            with app.app_context():
                behind = needs_upgrade()
    except click.ClickException as error:
        yield Finding(BAD, "Database", error.message)
        return
    except Exception as error:  # any failure is a row of the table
        yield Finding(BAD, "Database", f"{type(error).__name__}: {error}", "check DATABASE_URL")
        return
    if is_new:
        yield Finding(ADVICE, "Database", f"{file} doesn't exist yet", "flask dev creates it")
    elif behind:
        yield Finding(BAD, "Database", "migrations have not been run", "run: flask db upgrade")
    else:
        yield Finding(GOOD, "Database", "reachable and up to date")
    routes = app.url_map.bind("localhost")
    for name in ("after_sign_in", "after_sign_up", "after_sign_out", "after_delete"):
        path, variable = getattr(settings, name), f"CLERK_{name.upper()}_PATH"
        try:
            routes.match(path.partition("?")[0])
        except HTTPException:
            yield Finding(BAD, "Paths", f"{path}: no such page", f"fix {variable} in .env")
        else:
            yield Finding(GOOD, "Paths", f"{name.replace('_', ' ')}: {path}")
