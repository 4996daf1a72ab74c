"""The command ``clerk-emulator``: serve a local Clerk, fetch Clerk.js, delete all users."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from .config import EmulatorConfig, RefusalError
from .keys import WEBHOOK, keys_in, remembered_keys

FOLDER = Path(".clerk-emulator")
"""In the working directory: the state, the generated keys and Clerk's browser bundles."""
STATE = FOLDER / "state.sqlite3"
ASSETS = FOLDER / "clerk-js"

FAILED, REFUSED = 1, 2

DESCRIPTION = """\
Run a local stand-in for Clerk, for development and tests only.

With CLERK_PUBLISHABLE_KEY and CLERK_SECRET_KEY in the environment, it is the instance of these
keys, and signs webhooks with CLERK_WEBHOOK_SIGNING_SECRET. Without them, it generates keys,
remembers them in the folder of the state file, and prints the lines for the app's environment.
"""

COMMANDS = """\
other commands:
  clerk-emulator assets [DIR]   download Clerk.js with npm, to work without the internet
  clerk-emulator reset [STATE]  delete all users, sessions and organizations
"""

TO_PASTE = """
Add these lines to your app's environment, for example to its .env file:

{keys}
CLERK_API_URL={url}/api
CLERK_PROXY_URL={url}

For Next.js, add these as well:

NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY={publishable_key}
NEXT_PUBLIC_CLERK_PROXY_URL={url}
NEXT_PUBLIC_CLERK_JS_URL={url}/npm/@clerk/clerk-js@6/dist/clerk.browser.js
NEXT_PUBLIC_CLERK_UI_URL={url}/npm/@clerk/ui@1/dist/ui.browser.js

The app is expected at {app_url}; --app-url changes that.
The dashboard, with users, inbox and settings: {url}
Every verification code is 424242.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    :param arguments: without the command's name; None: those of this process.
    :returns: the exit code: 0; 1 if something failed; 2 if the emulator refused to start.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    commands = {"serve": _serve, "assets": _assets, "reset": _reset}
    if arguments and arguments[0] in commands:
        return commands[arguments[0]](arguments[1:])
    return _serve(arguments)


def _serve(arguments: Sequence[str]) -> int:
    from .server import serve

    chosen = _serve_parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        first, *others = _configs(chosen)
        announce = _say_what_to_paste if chosen.keys_generated else lambda config: None
        serve(first, others, announce)
    except RefusalError as refusal:
        print(f"Local Clerk did not start. {refusal}", file=sys.stderr)
        return REFUSED
    return 0


def _serve_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="clerk-emulator",
        description=DESCRIPTION,
        epilog=COMMANDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--version", action="version", version=f"clerk-emulator {version('clerk-emulator')}")
    add("--port", type=int, default=5001, help="port to listen on; 0: any free port (default 5001)")
    add("--host", help="loopback address to listen on (default 127.0.0.1)")
    add("--app-url", default="http://localhost:5000", help="the app (default %(default)s)")
    add("--webhook-url", help="where to send webhooks (default: --app-url and /webhooks/clerk)")
    add("--state", type=Path, default=STATE, help="file for all data (default %(default)s)")
    add(
        "--after-sign-in-path",
        default="/",
        metavar="PATH",
        help="the app's page that 'Sign in as' opens (default %(default)s)",
    )
    add("--assets", type=Path, default=ASSETS, help="folder with Clerk.js (default %(default)s)")
    add("--settings", type=Path, help="TOML file with the instance's settings")
    add("--seeds", type=Path, help="TOML file with test users, loaded at the first start")
    add("--instances", type=Path, help="TOML file that describes several instances")
    add("--name", default="Acme", help="the app's name on Clerk's pages (default %(default)s)")
    add(
        "--trusted-host",
        action="append",
        default=[],
        metavar="HOST",
        help="another host name under which the app reaches the emulator; may be repeated",
    )
    add(
        "--in-container",
        action="store_true",
        help="listen on all addresses of a container; publish its port on 127.0.0.1 only",
    )
    parser.set_defaults(keys_generated=False)
    return parser


def _configs(chosen: argparse.Namespace) -> list[EmulatorConfig]:
    host = chosen.host or ("0.0.0.0" if chosen.in_container else "127.0.0.1")  # noqa: S104
    _ignore_in_git(chosen.state, chosen.assets)
    common = {
        "assets": chosen.assets,
        "host": host,
        "port": chosen.port,
        "trusted_hosts": tuple(chosen.trusted_host),
        "in_container": chosen.in_container,
    }
    if chosen.instances:
        from .instances import read_instances

        return read_instances(chosen.instances, common)
    keys = keys_in(os.environ)
    if keys is None:
        chosen.keys_generated = True
        keys = remembered_keys(chosen.state.parent)
    config = EmulatorConfig(
        publishable_key=keys.get("CLERK_PUBLISHABLE_KEY", ""),
        secret_key=keys.get("CLERK_SECRET_KEY", ""),
        webhook_signing_secret=os.environ.get(WEBHOOK) or keys.get(WEBHOOK),
        app_url=chosen.app_url,
        after_sign_in_path=chosen.after_sign_in_path,
        webhook_url=chosen.webhook_url,
        state=chosen.state,
        settings=chosen.settings,
        seeds=chosen.seeds,
        name=chosen.name,
        **common,
    )
    return [config]


def _say_what_to_paste(config: EmulatorConfig) -> None:
    keys = {
        "CLERK_PUBLISHABLE_KEY": config.publishable_key,
        "CLERK_SECRET_KEY": config.secret_key,
        "CLERK_WEBHOOK_SIGNING_SECRET": config.webhook_signing_secret,
    }
    lines = "\n".join(f"{name}={value}" for name, value in keys.items())
    text = TO_PASTE.format(
        keys=lines,
        publishable_key=config.publishable_key,
        url=config.own_url,
        app_url=config.app_url,
    )
    print(text, flush=True)


def _assets(arguments: Sequence[str]) -> int:
    from .assets import FetchError, fetch_bundles
    from .bundles import local_version

    parser = argparse.ArgumentParser(
        prog="clerk-emulator assets",
        description="Download Clerk's browser bundles (Clerk.js) with npm. Without them, browsers "
        "load them from a public CDN.",
    )
    parser.add_argument("folder", type=Path, nargs="?", default=ASSETS, metavar="DIR")
    folder: Path = parser.parse_args(arguments).folder
    _ignore_in_git(folder)
    try:
        fetched = fetch_bundles(folder)
    except (FetchError, OSError) as error:
        print(f"Clerk's browser bundles were not downloaded. {error}", file=sys.stderr)
        return FAILED
    for name in fetched:
        print(f"Downloaded @clerk/{name} {local_version(folder / name)}")
    if not fetched:
        print(f"Clerk's browser bundles are already in {folder}.")
    return 0


def _reset(arguments: Sequence[str]) -> int:
    from .store import Store

    parser = argparse.ArgumentParser(
        prog="clerk-emulator reset",
        description="Delete all users, sessions and organizations. Keys, and settings changed in "
        "the dashboard, stay. The emulator may keep running.",
    )
    parser.add_argument("state", type=Path, nargs="?", default=STATE, help="the state file")
    parser.add_argument("--yes", action="store_true", help="don't ask for confirmation")
    chosen = parser.parse_args(arguments)
    if not chosen.state.is_file():
        print(f"Nothing to delete: {chosen.state} does not exist.")
        return 0
    if not (chosen.yes or _confirmed(chosen.state)):
        print("Nothing was deleted.")
        return FAILED
    try:
        store = Store(chosen.state)
        store.empty()
        store.close()
    except RefusalError as refusal:
        print(refusal, file=sys.stderr)
        return REFUSED
    print("All users, sessions and organizations were deleted.")
    return 0


def _confirmed(state: Path) -> bool:
    try:
        answer = input(f"Delete all users, sessions and organizations in {state}? [y/N] ")
    except EOFError:
        return False
    return answer.strip().lower() in ("y", "yes")


def _ignore_in_git(*paths: Path) -> None:
    """Keep the default folder out of git, wherever it is: it contains keys."""
    for folder in (folder for path in paths for folder in (path, *path.parents)):
        if folder.name == FOLDER.name:
            with suppress(OSError):  # starting fails later, and says which file can't be written
                folder.mkdir(parents=True, exist_ok=True)
                (folder / ".gitignore").write_text("*\n", encoding="utf-8")
