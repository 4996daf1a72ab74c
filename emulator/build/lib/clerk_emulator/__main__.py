"""``python -m clerk_emulator``: start the local Clerk, with keys from the environment."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

from .config import EmulatorConfig, RefusalError
from .instances import read_instances
from .server import serve

REFUSED = 2


def main() -> int:
    """Serve until stopped.

    :returns: the exit code: 0, or 2 when starting was refused.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        first, *others = _configs(_arguments())
        serve(first, others)
    except RefusalError as refusal:
        print(f"Local Clerk did not start. {refusal}", file=sys.stderr)
        return REFUSED
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m clerk_emulator",
        description="A local stand-in for Clerk. Development only.",
        epilog="Environment: CLERK_PUBLISHABLE_KEY, CLERK_SECRET_KEY, and optionally "
        "CLERK_WEBHOOK_SIGNING_SECRET.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="loopback address to listen on")
    parser.add_argument("--port", type=int, default=5001, help="0 takes any free port")
    parser.add_argument("--app-url", default="http://localhost:5000", help="where the app is")
    parser.add_argument("--state", type=Path, default="instance/clerk_emulator.sqlite3")
    parser.add_argument("--assets", type=Path, default="instance/clerk-js")
    parser.add_argument("--settings", type=Path, help="TOML file: what the instance allows")
    parser.add_argument("--seeds", type=Path, help="TOML file: test users for the first start")
    parser.add_argument("--instances", type=Path, help="TOML file: several instances at once")
    parser.add_argument("--name", default="Acme", help="the application's name")
    return parser.parse_args()


def _configs(arguments: argparse.Namespace) -> list[EmulatorConfig]:
    if arguments.instances:
        shared = arguments.assets, arguments.host, arguments.port
        return read_instances(arguments.instances, *shared)
    return [_config(arguments)]


def _config(arguments: argparse.Namespace) -> EmulatorConfig:
    return EmulatorConfig(
        publishable_key=os.environ.get("CLERK_PUBLISHABLE_KEY", ""),
        secret_key=os.environ.get("CLERK_SECRET_KEY", ""),
        webhook_signing_secret=os.environ.get("CLERK_WEBHOOK_SIGNING_SECRET"),
        app_url=arguments.app_url,
        state=arguments.state,
        assets=arguments.assets,
        settings=arguments.settings,
        seeds=arguments.seeds,
        name=arguments.name,
        host=arguments.host,
        port=arguments.port,
    )


if __name__ == "__main__":
    sys.exit(main())
