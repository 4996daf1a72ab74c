"""Add variables that ``.env`` lacks, and generate missing secrets; change nothing else."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from app.clerk.instance_settings import is_local_key

_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)\Z")

OF_LOCAL_CLERK: dict[str, Callable[[], str]] = {
    "CLERK_SECRET_KEY": lambda: f"sk_test_{secrets.token_hex(20)}",
    "CLERK_WEBHOOK_SIGNING_SECRET": lambda: (
        f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"
    ),
}
"""How to generate the secrets of a local Clerk. Those of a real one come from its dashboard."""


@dataclass(frozen=True)
class Variable:
    """A variable of ``.env.example``, with the comment above it."""

    name: str
    value: str
    comment: tuple[str, ...]


def read_example(text: str) -> list[Variable]:
    """Read ``.env.example``. A comment belongs to the variables directly below it."""
    variables: list[Variable] = []
    comment: list[str] = []
    comment_ended = False
    for line in text.splitlines():
        found = _ASSIGNMENT.match(line)
        if found:
            variables.append(Variable(found[1], found[2], tuple(comment)))
            comment_ended = True
        elif line.startswith("#"):
            comment = [line] if comment_ended else [*comment, line]
            comment_ended = False
        else:
            comment = []
    return variables


def missing_variables(example: Path, env: Path) -> list[Variable]:
    """The variables that are in ``.env.example`` and missing from ``.env``."""
    present = dotenv_values(env, interpolate=False) if env.is_file() else {}
    return [var for var in read_example(example.read_text("utf-8")) if var.name not in present]


def empty_secrets(env: Path) -> list[str]:
    """The secrets that ``.env`` sets to nothing and that can be generated.

    With a real Clerk instance, only ``SECRET_KEY`` can.
    """
    present = dotenv_values(env, interpolate=False) if env.is_file() else {}
    generators = _generators(present.get("CLERK_PUBLISHABLE_KEY"))
    return [name for name in generators if name in present and not present[name]]


def complete(example: Path, env: Path) -> list[str]:
    """Append the missing variables, with their comments, and generate missing secrets.

    Creates the file if it doesn't exist. Only the current user may read it afterwards.

    :returns: the names of what was added or generated.
    :raises OSError: a file cannot be read or written.
    """
    missing, empty = missing_variables(example, env), empty_secrets(env)
    env.touch(mode=0o600)
    env.chmod(0o600)
    if not missing and not empty:
        return []
    given = dotenv_values(env, interpolate=False).get("CLERK_PUBLISHABLE_KEY")
    generators = _generators(given)
    before = env.read_bytes()
    if empty:
        env.write_bytes(_fill(before, {name: generators[name]() for name in empty}))
    with env.open("ab") as file:
        if before and not before.endswith(b"\n"):
            file.write(b"\n")
        file.write(_render(missing, generators).encode() if missing else b"")
    return [*empty, *(variable.name for variable in missing)]


def _fill(content: bytes, values: dict[str, str]) -> bytes:
    for name, value in values.items():
        line = rf"(?m)^(\s*(?:export\s+)?{name}[ \t]*=)[ \t]*(?:''|\"\")?(?=[ \t]*\r?$)"
        content = re.sub(line.encode(), rb"\g<1>" + value.encode(), content)
    return content


def _generators(publishable_key: str | None) -> dict[str, Callable[[], str]]:
    """How to generate each secret.

    :param publishable_key: None if missing; then the example's is added, a local Clerk's.
    """
    is_local = publishable_key is None or is_local_key(publishable_key)
    of_clerk = OF_LOCAL_CLERK if is_local else {}
    return {"SECRET_KEY": secrets.token_hex, **of_clerk}


def _render(variables: list[Variable], generators: dict[str, Callable[[], str]]) -> str:
    lines: list[str] = []
    comment: tuple[str, ...] | None = None
    for variable in variables:
        if variable.comment != comment:
            lines += ["", *variable.comment]
        comment = variable.comment
        generate = generators.get(variable.name, lambda value=variable.value: value)
        lines.append(f"{variable.name}={generate()}")
    return "\n".join(lines) + "\n"
