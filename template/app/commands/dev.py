"""``flask dev``: the app and the local Clerk side by side."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

import click
import requests
from flask import Flask

from app import create_app, product
from app.clerk.instance import show_value
from app.database import alembic, db, needs_upgrade
from app.settings import Settings, read_environment, read_settings

SLOW_START = 30.0
"""Seconds between messages that the app has not responded yet."""

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

STOP_TIMEOUT = 5.0
"""Seconds to wait for a process to stop before it is killed."""

ASSETS = "instance/clerk-js"
STATE = "instance/clerk_emulator.sqlite3"

FILES = {"--settings": "clerk_emulator.toml", "--seeds": "clerk_seeds.toml"}
"""Options of the local Clerk, and the project's files to pass with them if they exist."""

NOISE = re.compile(r"[A-Z]+ /(healthz|__clerk/|static/|bootstrap/static/)")
"""Log lines of the app to hide: health checks, static files, and what the local Clerk logs."""

TOKENS = re.compile(r"(__(?:session|clerk_db_jwt|clerk_handshake\w*)=[^&\s\"]{7})[^&\s\"]+")
"""Tokens in logged URLs; only their first seven characters are shown."""

COLORS = {"app": "cyan", "clerk": "magenta"}


@click.command()
@click.option("--port", type=int, help="The app's port. Default: FLASK_RUN_PORT, or 5000.")
def dev(port: int | None) -> None:
    """Run the app and the local Clerk. Ctrl-C stops both.

    With the keys of a real Clerk instance in .env, only the app runs. To run more commands with
    the app, add them to app.config["DEV_COMMANDS"]: {"name": ["command", "argument"]}.
    """
    environ = read_environment()
    settings = read_settings(environ)
    port = port or _port(environ.get("FLASK_RUN_PORT", ""))
    _check_port(port, "FLASK_RUN_PORT")
    if settings.emulator_url:
        check_emulator()
        _check_port(urlsplit(settings.emulator_url).port or 0, "CLERK_EMULATOR_URL")
    app = create_app()
    _upgrade_database(app)
    # SIGINT: Ctrl-C. SIGTERM: a supervisor. SIGHUP: a closed terminal. SIGINT needs a handler, too,
    # because processes that a shell starts in the background ignore it otherwise.
    for number in STOP_SIGNALS:
        signal.signal(number, _interrupt)
    try:
        commands = _commands(settings, port) | app.config.get("DEV_COMMANDS", {})
        with _running(commands, environ) as processes, _fetching_clerk_js(settings, environ):
            _wait_until_up(processes, f"http://127.0.0.1:{port}/healthz")
            _announce(settings, port)
            _wait_until_one_ends(processes)
    except KeyboardInterrupt:
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


def _commands(settings: Settings, port: int) -> dict[str, list[str]]:
    flask = [sys.executable, "-m", "flask", "--app", "app", "--debug"]
    commands = {"app": [*flask, "run", "--host", "127.0.0.1", "--port", str(port)]}
    if settings.emulator_url:
        emulator = [sys.executable, "-m", "clerk_emulator"]
        options = {
            "--port": str(urlsplit(settings.emulator_url).port),
            "--app-url": settings.app_url or f"http://localhost:{port}",
            "--after-sign-in-path": settings.after_sign_in,
            "--state": STATE,
            "--assets": ASSETS,
            "--name": product.NAME,
        }
        files = {option: Path(name) for option, name in FILES.items()}
        options |= {option: str(path) for option, path in files.items() if path.is_file()}
        commands["clerk"] = emulator + [part for pair in options.items() for part in pair]
    return commands


@contextmanager
def _running(
    commands: dict[str, list[str]], environ: dict[str, str]
) -> Iterator[dict[str, subprocess.Popen[str]]]:
    processes: dict[str, subprocess.Popen[str]] = {}
    try:
        for name, command in commands.items():
            processes[name] = _start(name, command, environ)
        yield processes
    finally:
        for process in processes.values():
            _stop(process)


@contextmanager
def _fetching_clerk_js(settings: Settings, environ: dict[str, str]) -> Iterator[None]:
    """Download Clerk.js in the background. Until then, browsers load it from a public CDN."""
    if not settings.emulator_url:
        yield
        return
    fetch = _start("clerk", [sys.executable, "-m", "clerk_emulator", "assets", ASSETS], environ)
    try:
        yield
    finally:
        _stop(fetch)


def _start(name: str, command: list[str], environ: dict[str, str]) -> subprocess.Popen[str]:
    process = subprocess.Popen(  # noqa: S603
        command,
        env={**environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        # In its own process group, so that the reloader's child is stopped, too, and Ctrl-C only
        # reaches this command.
        start_new_session=True,
    )
    threading.Thread(target=_relay, args=(name, process), daemon=True).start()
    return process


def _relay(name: str, process: subprocess.Popen[str]) -> None:
    prefix = click.style(f"{name:>5} │ ", fg=COLORS.get(name, "yellow"))
    for line in process.stdout or ():
        if not (name == "app" and NOISE.search(line)):
            click.echo(prefix + TOKENS.sub(r"\1…", line.rstrip("\n")))


def _stop(process: subprocess.Popen[str]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(STOP_TIMEOUT)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _wait_until_up(processes: dict[str, subprocess.Popen[str]], url: str) -> None:
    """Wait until the app responds, however long it takes, since a busy machine is not an error.

    :raises click.ClickException: a process has ended.
    """
    patience = time.monotonic() + SLOW_START
    while not _is_up(url):
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


def _wait_until_one_ends(processes: dict[str, subprocess.Popen[str]]) -> None:
    while True:
        _check_alive(processes)
        time.sleep(0.3)


def _check_alive(processes: dict[str, subprocess.Popen[str]]) -> None:
    for name, process in processes.items():
        if process.poll() is not None:
            what = {"app": "The app", "clerk": "The local Clerk"}.get(name, f"The process '{name}'")
            raise click.ClickException(
                f"{what} exited with code {process.returncode}; see its log above."
            )


def _announce(settings: Settings, port: int) -> None:
    click.secho(f"\n  {product.NAME}: http://localhost:{port}", bold=True)
    if settings.emulator_url:
        click.echo(f"  Local Clerk: {settings.emulator_url} (users, inbox, webhooks, settings)")
        click.echo("  Every verification code is 424242.")
    else:
        click.echo(f"  Clerk: {settings.clerk.host}")
    click.echo("  Ctrl-C stops everything.\n")


def _port(text: str) -> int:
    if not text:
        return 5000
    if not text.isdigit():
        raise click.ClickException(
            f"FLASK_RUN_PORT is {show_value(text)}; expected a number such as 5000."
        )
    return int(text)


def _check_port(port: int, variable: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            raise click.ClickException(
                f"Port {port} can't be used; another program is probably using it. Stop that "
                f"program, or set another port in {variable} in .env."
            ) from None


def _interrupt(number: int, frame: FrameType | None) -> None:
    # A second signal, such as the one that uv forwards, must not interrupt the stopping.
    for stop_signal in STOP_SIGNALS:
        signal.signal(stop_signal, signal.SIG_IGN)
    raise KeyboardInterrupt
