"""Commands for the people who work on the app: ``flask dev`` and ``flask clerk …``."""

from __future__ import annotations

import subprocess
import sys

import click

from app.database_errors import DatabaseCommands

from .dev import ASSETS, STATE, check_emulator, dev
from .doctor import doctor
from .people import delete_user, export_user
from .prune import prune_events
from .sync import sync_command

__all__ = ["clerk", "dev"]


@click.group(cls=DatabaseCommands)
def clerk() -> None:
    """Look after the connection to Clerk."""


for command in (doctor, sync_command, delete_user, export_user, prune_events):
    clerk.add_command(command)


@clerk.command()
def assets() -> None:
    """Download Clerk.js with npm, to use the local Clerk without the internet."""
    _run_emulator("assets", ASSETS)


@clerk.command()
@click.option("--yes", is_flag=True, help="Don't ask for confirmation.")
def reset(yes: bool) -> None:
    """Delete all users and organizations of the local Clerk. Its settings stay."""
    _run_emulator("reset", STATE, *(["--yes"] if yes else []))


def _run_emulator(*arguments: str) -> None:
    check_emulator()
    emulator = [sys.executable, "-m", "clerk_emulator", *arguments]
    raise SystemExit(subprocess.run(emulator, check=False).returncode)  # noqa: S603
