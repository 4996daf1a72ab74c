"""Add variables that are in ``.env.example`` and missing from ``.env``; change nothing else."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)\Z")

OF_LOCAL_CLERK = ("CLERK_SECRET_KEY", "CLERK_WEBHOOK_SIGNING_SECRET")
"""Variables whose example values only work with the example's publishable key."""


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


def add_missing(example: Path, env: Path) -> list[str]:
    """Append the missing variables, with their comments. Creates the file if it doesn't exist.

    :returns: the names of what was added.
    :raises OSError: a file cannot be read or written.
    """
    missing = missing_variables(example, env)
    if not missing:
        return []
    if not env.exists():
        env.touch(mode=0o600)
    ours = {var.name: var.value for var in read_example(example.read_text("utf-8"))}
    given = dotenv_values(env, interpolate=False).get("CLERK_PUBLISHABLE_KEY")
    is_local = given in (None, ours.get("CLERK_PUBLISHABLE_KEY"))
    before = env.read_bytes()
    with env.open("ab") as file:
        if before and not before.endswith(b"\n"):
            file.write(b"\n")
        file.write(_render(missing, is_local).encode())
    return [variable.name for variable in missing]


def _render(variables: list[Variable], is_local: bool) -> str:
    lines: list[str] = []
    comment: tuple[str, ...] | None = None
    for variable in variables:
        if variable.comment != comment:
            lines += ["", *variable.comment]
        comment = variable.comment
        lines.append(f"{variable.name}={_value(variable, is_local)}")
    return "\n".join(lines) + "\n"


def _value(variable: Variable, is_local: bool) -> str:
    if variable.name == "SECRET_KEY":
        return secrets.token_hex(32)
    return "" if variable.name in OF_LOCAL_CLERK and not is_local else variable.value
