"""``flask clerk doctor --fix`` completes .env, and changes nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from dotenv import dotenv_values

from app.commands.env_file import add_missing, missing_variables
from app.settings import read_settings
from tests.app_fixtures import PROJECT

REAL_EXAMPLE = PROJECT / ".env.example"

EXAMPLE = """# About this file.

# Signs things.
SECRET_KEY=

# Two keys.
CLERK_PUBLISHABLE_KEY=pk_test_local
CLERK_SECRET_KEY=sk_test_local
# Optional.
CLERK_INSTANCE_URL=
"""


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A small .env.example."""
    path = tmp_path / ".env.example"
    path.write_text(EXAMPLE)
    return path


def test_a_missing_variable_is_added_with_its_comment(example: Path, tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("SECRET_KEY=mine\nMY_OWN=1")
    added = add_missing(example, env)
    assert added == ["CLERK_PUBLISHABLE_KEY", "CLERK_SECRET_KEY", "CLERK_INSTANCE_URL"]
    assert env.read_text() == (
        "SECRET_KEY=mine\nMY_OWN=1\n"
        "\n# Two keys.\nCLERK_PUBLISHABLE_KEY=pk_test_local\nCLERK_SECRET_KEY=sk_test_local\n"
        "\n# Optional.\nCLERK_INSTANCE_URL=\n"
    )
    assert add_missing(example, env) == []


def test_a_new_file_has_a_secret_and_is_private(example: Path, tmp_path: Path) -> None:
    env = tmp_path / ".env"
    add_missing(example, env)
    assert len(dotenv_values(env)["SECRET_KEY"] or "") == 64
    assert env.stat().st_mode & 0o777 == 0o600


def test_local_secrets_are_not_added_to_real_keys(example: Path, tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("CLERK_PUBLISHABLE_KEY=pk_live_real\n")
    add_missing(example, env)
    assert dotenv_values(env)["CLERK_SECRET_KEY"] == ""


def test_windows_line_endings_and_malformed_lines_are_kept(example: Path, tmp_path: Path) -> None:
    env = tmp_path / ".env"
    before = b"export SECRET_KEY='a b'\r\n# note\r\n=odd\r\n"
    env.write_bytes(before)
    add_missing(example, env)
    assert env.read_bytes().startswith(before)


def test_our_own_example_starts_the_app(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    assert missing_variables(REAL_EXAMPLE, env)
    add_missing(REAL_EXAMPLE, env)
    environ = {name: value or "" for name, value in dotenv_values(env).items()}
    assert read_settings(environ).emulator_url
