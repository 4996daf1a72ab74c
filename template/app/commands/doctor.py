"""``flask clerk doctor``: what is right with the connection to Clerk, and how to mend the rest."""

from __future__ import annotations

import logging
import time
import tomllib
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, NamedTuple

import click
import requests
from werkzeug.exceptions import HTTPException

from app.clerk import BackendApi, BackendApiError
from app.clerk.tokens import CLOCK_SKEW
from app.settings import ENV_FILE, Settings, SettingsError, read_environment, read_settings

from .env_file import add_missing, missing_variables

EXAMPLE = Path(".env.example")
PYPROJECT = Path("pyproject.toml")
TIMEOUT = 8
"""Seconds to wait for an answer of Clerk's."""

GOOD, ADVICE, BAD = ("ok", "green"), ("note", "yellow"), ("wrong", "red")


class Finding(NamedTuple):
    """One row of the table."""

    verdict: tuple[str, str]
    subject: str
    seen: str
    cure: str = ""


@click.command()
@click.option("--fix", is_flag=True, help="Add missing variables to .env, and change nothing else.")
def doctor(fix: bool) -> None:
    """Check keys, reachability, clock, paths and database; say what to do about the rest."""
    if fix:
        _fix()
    findings = []
    for finding in _examine():
        findings.append(finding)
        _show(finding)
    wrong = sum(finding.verdict is BAD for finding in findings)
    click.echo(f"\n{wrong} of {len(findings)} checks failed." if wrong else "\nAll is well.")
    raise SystemExit(1 if wrong else 0)


def _fix() -> None:
    try:
        added = add_missing(EXAMPLE, ENV_FILE)
    except OSError as error:
        raise click.ClickException(
            f"Could not complete .env: {error}. Run this in the project's folder."
        ) from None
    click.echo(f"Added to .env: {', '.join(added)}" if added else ".env has every variable.")
    click.echo()


def _show(finding: Finding) -> None:
    word, colour = finding.verdict
    click.echo(f"{click.style(f'{word:<6}', fg=colour)} {finding.subject:<17} {finding.seen}")
    if finding.cure:
        click.echo(f"{'':<24} → {finding.cure}")


def _examine() -> Iterator[Finding]:
    yield _env_file()
    try:
        settings = read_settings(read_environment())
    except SettingsError as error:
        yield Finding(BAD, "Settings", error.message)
        return
    kind = "development" if settings.clerk.is_development else "production"
    local = ", served by the local Clerk" if settings.emulator_url else ""
    yield Finding(GOOD, "Keys", f"{kind} instance {settings.clerk.host}{local}")
    yield from _clerk(settings)
    yield _webhooks(settings)
    yield from _local_clerk()
    yield from _app(settings)


def _env_file() -> Finding:
    if not EXAMPLE.is_file():  # an installed app: its settings come from the environment
        return Finding(GOOD, ".env", "not used: there is no .env.example here")
    if not ENV_FILE.is_file():
        return Finding(ADVICE, ".env", "missing", "flask clerk doctor --fix creates it")
    missing = [variable.name for variable in missing_variables(EXAMPLE, ENV_FILE)]
    if missing:
        cure = "flask clerk doctor --fix adds them"
        return Finding(ADVICE, ".env", f"lacks {', '.join(missing)}", cure)
    return Finding(GOOD, ".env", "has every variable")


def _clerk(settings: Settings) -> Iterator[Finding]:
    base = settings.emulator_url or settings.clerk.issuer
    start_it = "start it with: flask dev" if settings.emulator_url else "check network and key"
    try:
        answer = requests.get(f"{base}/.well-known/jwks.json", timeout=TIMEOUT)
        answer.raise_for_status()
        public_kids = _kids(answer.json())
    except requests.RequestException as error:
        seen = f"{base} gave no usable answer ({type(error).__name__})"
        yield Finding(BAD, "Frontend API", seen, start_it)
        return
    yield Finding(GOOD, "Frontend API", f"{base} answers")
    yield _clock(answer.headers.get("Date", ""))
    try:
        kids = _kids(BackendApi(settings.clerk).jwks())
    except BackendApiError as error:
        refused = error.status in (401, 403)
        cure = "copy CLERK_SECRET_KEY again" if refused else "check CLERK_API_URL and the network"
        yield Finding(BAD, "Backend API", str(error), cure)
        return
    yield Finding(GOOD, "Backend API", f"{settings.clerk.api_url} accepts CLERK_SECRET_KEY")
    if kids & public_kids:
        yield Finding(GOOD, "Keys match", "both keys belong to one instance")
    else:
        cure = "copy both keys of the same instance from the Clerk dashboard"
        yield Finding(BAD, "Keys match", "the keys belong to different instances", cure)


def _kids(document: Any) -> set[str]:
    keys = document.get("keys") if isinstance(document, dict) else None
    return {str(key.get("kid")) for key in keys or () if isinstance(key, dict)}


def _clock(date: str) -> Finding:
    try:
        skew = time.time() - parsedate_to_datetime(date).timestamp()
    except ValueError:
        return Finding(ADVICE, "Clock", "Clerk's answer has no readable Date")
    # The header has whole seconds, so that one second of difference says nothing.
    if abs(skew) > CLOCK_SKEW + 1:
        seen = f"this machine is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} Clerk"
        return Finding(BAD, "Clock", seen, "set the clock by NTP: tokens live 60 seconds")
    return Finding(GOOD, "Clock", f"within {CLOCK_SKEW:.0f} s of Clerk's")


def _webhooks(settings: Settings) -> Finding:
    if settings.webhook_secrets:
        return Finding(GOOD, "Webhooks", "a signing secret is set")
    cure = "add an endpoint for /webhooks/clerk in the Clerk dashboard, and its secret to .env"
    return Finding(ADVICE, "Webhooks", "CLERK_WEBHOOK_SIGNING_SECRET is not set", cure)


def _local_clerk() -> Iterator[Finding]:
    """Where colleagues and CI install the local Clerk from."""
    if not PYPROJECT.is_file():
        return  # an installed app
    groups = tomllib.loads(PYPROJECT.read_text("utf-8")).get("dependency-groups", {})
    for requirement in groups.get("clerk", ()):
        _, _, address = str(requirement).partition("@")
        if address.strip().startswith(("git+file:", "file:")):
            seen = "pyproject.toml installs clerk-emulator from a path on this machine"
            cure = "before others use this project, put the template's git address there"
            yield Finding(ADVICE, "Local Clerk", seen, cure)


def _app(settings: Settings) -> Iterator[Finding]:
    # Imported late: the app itself may not start, and all above should be said even then.
    from app import create_app
    from app.database import alembic

    logging.getLogger("alembic").setLevel(logging.WARNING)  # it would talk into the table
    try:
        app = create_app()
        with app.app_context():
            behind = alembic.needs_upgrade()
    except Exception as error:  # whatever it is, it belongs in the table
        yield Finding(BAD, "Database", f"{type(error).__name__}: {error}", "check DATABASE_URL")
        return
    if behind:
        yield Finding(BAD, "Database", "migrations are waiting", "run: flask db upgrade")
    else:
        yield Finding(GOOD, "Database", "reachable, and its tables are up to date")
    routes = app.url_map.bind("localhost")
    for name in ("after_sign_in", "after_sign_up", "after_sign_out", "after_delete"):
        path, variable = getattr(settings, name), f"CLERK_{name.upper()}_PATH"
        try:
            routes.match(path.partition("?")[0])
        except HTTPException:
            yield Finding(BAD, "Paths", f"{path}: no such page", f"mend {variable} in .env")
        else:
            yield Finding(GOOD, "Paths", f"{name.replace('_', ' ')}: {path}")
