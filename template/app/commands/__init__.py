"""Commands for the people who work on the app: ``flask dev`` and ``flask clerk …``."""

from __future__ import annotations

import subprocess
import sys

import click

from .dev import ASSETS, STATE, dev
from .doctor import doctor
from .people import delete_user, export_user
from .prune import prune_events
from .sync import sync_command

__all__ = ["clerk", "dev"]


@click.group()
def clerk() -> None:
    """Look after the connection to Clerk."""


clerk.add_command(doctor)
clerk.add_command(sync_command)
clerk.add_command(delete_user)
clerk.add_command(export_user)
clerk.add_command(prune_events)


@clerk.command()
def assets() -> None:
    """Fetch Clerk.js with npm, so that the local Clerk serves it without the internet."""
    command = [sys.executable, "-m", "clerk_emulator.assets", ASSETS]
    raise SystemExit(subprocess.run(command, check=False).returncode)  # noqa: S603


@clerk.command()
@click.option("--yes", is_flag=True, help="Do not ask first.")
def reset(yes: bool) -> None:
    """Delete everybody from the local Clerk; its keys and switched features stay."""
    command = [sys.executable, "-m", "clerk_emulator.reset", STATE, *(["--yes"] if yes else [])]
    raise SystemExit(subprocess.run(command, check=False).returncode)  # noqa: S603
