"""``flask dev``: the app and the local Clerk side by side."""

from __future__ import annotations

import os
import re
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import click
import requests
from flask import Flask

from app import create_app, product
from app.clerk.setting_values import show_value
from app.database import alembic, db, needs_upgrade
from app.database_errors import explained_database_errors
from app.settings import Settings, read_environment, read_settings

from .processes import Process, running, stop_signals

SLOW_START = 30.0
"""Seconds between messages that the app has not responded yet."""

ASSETS = "instance/clerk-js"
STATE = "instance/clerk_emulator.sqlite3"

FETCH_CLERK_JS = [sys.executable, "-m", "clerk_emulator", "assets", ASSETS]
"""Downloads Clerk.js. Until it has ended, browsers load Clerk.js from a public CDN."""

LIVE_KEYS = (
    "These are the keys of a production instance, which only works on its own domain, not on "
    "localhost. Use the keys of a development instance here: pk_test_… and sk_test_…."
)

FILES = {"--settings": "clerk_emulator.toml", "--seeds": "clerk_seeds.toml"}
"""Options of the local Clerk, and the project's files to pass with them if they exist."""


@click.command()
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="The app's port. Default: FLASK_RUN_PORT, or 5000. The local Clerk keeps its own port.",
)
def dev(port: int | None) -> None:
    """Run the app and the local Clerk. Ctrl-C stops both.

    With the keys of a real Clerk instance in .env, only the app runs. To run more commands with
    the app, add them to app.config["DEV_COMMANDS"]: {"name": ["command", "argument"]}.
    """
    environ = read_environment()
    settings = read_settings(environ)
    port = port or read_port(environ)
    _check_ports(settings, port)
    with explained_database_errors():
        app = create_app()
        _upgrade_database(app)
    url = settings.app_url or f"http://{_browsers_host(port)}:{port}"
    commands = _commands(settings, port, url) | app.config.get("DEV_COMMANDS", {})
    fetching = {"clerk": FETCH_CLERK_JS} if settings.emulator_url else {}
    with (
        stop_signals() as stop,
        running(commands, environ) as processes,
        running(fetching, environ),
    ):
        _wait_until_up(processes, f"http://127.0.0.1:{port}/healthz", stop)
        if not stop:
            _announce(settings, url)
        while not stop:
            _check_alive(processes)
            time.sleep(0.2)
    click.echo("Stopped.")


def check_emulator() -> None:
    """Check that the local Clerk is installed.

    :raises click.ClickException: it isn't; the message says how to install it.
    """
    if find_spec("clerk_emulator") is None:
        raise click.ClickException(
            "The local Clerk, the package clerk-emulator, is not installed, and the keys in .env "
            "belong to it. Install the development dependencies with 'uv sync', or with "
            "'pip install -e . --group dev'. If the group 'clerk' in pyproject.toml is empty, "
            "first add the package to it, for example from a clone of the template: "
            '"clerk-emulator @ file:///path/to/the/template/emulator". To use the real Clerk '
            "instead, put its keys from https://dashboard.clerk.com into .env."
        )


def _upgrade_database(app: Flask) -> None:
    with app.app_context():
        if needs_upgrade():
            alembic.upgrade()
        db.engine.dispose()


def _commands(settings: Settings, port: int, url: str) -> dict[str, list[str]]:
    flask = [sys.executable, "-m", "flask", "--app", "app", "--debug"]
    commands = {"app": [*flask, "run", "--host", "127.0.0.1", "--port", str(port)]}
    if settings.emulator_url:
        emulator = [sys.executable, "-m", "clerk_emulator"]
        options = {
            "--port": str(urlsplit(settings.emulator_url).port),
            "--app-url": url,
            "--after-sign-in-path": settings.after_sign_in,
            "--state": STATE,
            "--assets": ASSETS,
            "--name": product.NAME,
        }
        files = {option: Path(name) for option, name in FILES.items()}
        options |= {option: str(path) for option, path in files.items() if path.is_file()}
        commands["clerk"] = emulator + [part for pair in options.items() for part in pair]
    return commands


def _wait_until_up(processes: dict[str, Process], url: str, stop: list[int]) -> None:
    """Wait until the app responds, however long it takes, since a busy machine is not an error.

    :param stop: the signals to stop that have arrived; the first one ends the waiting.

    :raises click.ClickException: a process has ended.
    """
    patience = time.monotonic() + SLOW_START
    while not stop and not _is_up(url):
        _check_alive(processes)
        if time.monotonic() > patience:
            click.echo(f"{url} has not responded yet; still waiting. Press Ctrl-C to stop.")
            patience += SLOW_START
        time.sleep(0.1)


def _is_up(url: str) -> bool:
    try:
        return requests.get(url, timeout=1).ok
    except requests.RequestException:
        return False


def _check_alive(processes: dict[str, Process]) -> None:
    for name, process in processes.items():
        if process.poll() is not None:
            what = {"app": "The app", "clerk": "The local Clerk"}.get(name, f"The process '{name}'")
            raise click.ClickException(
                f"{what} exited with code {process.returncode}; see its log above."
            )


def _announce(settings: Settings, url: str) -> None:
    click.secho(f"\n  {product.NAME}: {url}", bold=True)
    if settings.emulator_url:
        click.echo(f"  Local Clerk: {settings.emulator_url} (users, inbox, webhooks, settings)")
        click.echo("  Every verification code is 424242.")
    else:
        click.echo(f"  Clerk: {settings.clerk.host}")
    if origin := rejected_origin(settings, url):
        click.secho(f"  Add {origin} to CLERK_AUTHORIZED_PARTIES to sign in here.", fg="yellow")
    if not settings.clerk.is_development:
        click.secho(f"  {LIVE_KEYS}", fg="yellow")
    click.echo("  Ctrl-C stops everything.\n")


def rejected_origin(settings: Settings, url: str) -> str:
    """The origin of the app's URL if its sessions are rejected; otherwise empty."""
    parties, origin = settings.clerk.authorized_parties, "/".join(url.split("/")[:3])
    return origin if parties and origin not in parties else ""


def read_port(environ: Mapping[str, str]) -> int:
    """The app's port, from ``FLASK_RUN_PORT``.

    :raises click.ClickException: it isn't a port.
    """
    text = environ.get("FLASK_RUN_PORT", "")
    if text and not (re.fullmatch(r"[0-9]{1,5}", text) and 0 < int(text) < 65536):
        raise click.ClickException(
            f"FLASK_RUN_PORT is {show_value(text)}; expected a number such as 5000."
        )
    return int(text or 5000)


def _check_ports(settings: Settings, port: int) -> None:
    _check_port(port, "set another port in FLASK_RUN_PORT in .env, or pass --port")
    if settings.emulator_url:
        check_emulator()
        clerk_port = urlsplit(settings.emulator_url).port or 0
        if clerk_port == port:
            raise click.ClickException(
                f"Port {port} is that of the local Clerk, in CLERK_EMULATOR_URL. The app needs "
                "another one."
            )
        _check_port(clerk_port, "set another port in CLERK_EMULATOR_URL in .env")


def _check_port(port: int, fix: str) -> None:
    with socket.socket() as probe:
        if os.name != "nt":  # there, this option would allow a port that is in use
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise click.ClickException(
                f"Port {port} can't be used; another program is probably using it. Stop that "
                f"program, or {fix}."
            ) from None


def _browsers_host(port: int) -> str:
    """The name by which browsers reach a port of 127.0.0.1.

    For ``localhost``, browsers try the IPv6 address first. If another program listens there, such
    as AirPlay on macOS at port 5000, they would reach that program.
    """
    with suppress(OSError), socket.create_connection(("::1", port), timeout=1):
        return "127.0.0.1"
    return "localhost"
