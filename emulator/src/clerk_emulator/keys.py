"""The keys of an instance: from the environment, else generated once and kept in a file."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from pathlib import Path

from .config import RefusalError

PUBLISHABLE = "CLERK_PUBLISHABLE_KEY"
SECRET = "CLERK_SECRET_KEY"  # noqa: S105 - a name
WEBHOOK = "CLERK_WEBHOOK_SIGNING_SECRET"
NAMES = (PUBLISHABLE, SECRET, WEBHOOK)
FILE = "keys.env"


def keys_in(environ: Mapping[str, str]) -> dict[str, str] | None:
    """Return the keys in environment variables; None if neither key of the instance is set."""
    keys = {name: environ[name] for name in NAMES if environ.get(name)}
    return keys if PUBLISHABLE in keys or SECRET in keys else None


def remembered_keys(folder: Path) -> dict[str, str]:
    """Return the keys in a folder's ``keys.env``. Generate them at the first call.

    :raises RefusalError: if the file can't be read, or the folder can't be written to.
    """
    path = folder / FILE
    try:
        if not path.exists():
            _write(path, new_keys())
        lines = [line.partition("=") for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise RefusalError(
            f"The file with the generated keys, {path}, can't be used ({error}). Expected a file "
            "that is readable, or a folder that is writable. Pass another --state, or set "
            f"{PUBLISHABLE} and {SECRET}."
        ) from None
    return {name: value.strip() for name, _, value in lines if name in NAMES}


def new_keys() -> dict[str, str]:
    """Generate the keys of a new development instance, and a webhook signing secret."""
    host = f"local-{secrets.token_hex(4)}-1.clerk.accounts.dev"
    return {
        PUBLISHABLE: f"pk_test_{base64.b64encode(f'{host}$'.encode()).decode()}",
        SECRET: f"sk_test_{secrets.token_hex(20)}",
        WEBHOOK: f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}",
    }


def _write(path: Path, keys: Mapping[str, str]) -> None:
    """Write the file, readable only for its owner."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={value}\n" for name, value in keys.items()), "utf-8")
