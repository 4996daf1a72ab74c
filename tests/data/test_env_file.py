"""``flask clerk doctor --fix`` completes .env, generates secrets, and changes nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from dotenv import dotenv_values

from app.commands.env_file import complete, empty_secrets, missing_variables
from app.settings import read_settings
from tests.app_fixtures import PROJECT
from tests.signing import publishable_key

REAL_EXAMPLE = PROJECT / ".env.example"

LOCAL = publishable_key("local-acme-1.clerk.accounts.dev")

EXAMPLE = f"""# About this file.

# Signs things.
SECRET_KEY=

# Two keys.
CLERK_PUBLISHABLE_KEY={LOCAL}
CLERK_SECRET_KEY=
# Optional.
CLERK_INSTANCE_URL=
"""


def example_with(folder: Path, text: str) -> Path:
    """Write an .env.example."""
    path = folder / ".env.example"
    path.write_text(text)
    return path


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A small .env.example."""
    return example_with(tmp_path, EXAMPLE)


def values(env: Path) -> dict[str, str]:
    """The variables of a file, as the app reads them."""
    return {name: value or "" for name, value in dotenv_values(env, interpolate=False).items()}


def test_a_missing_variable_is_added_with_its_comment(example: Path, tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("SECRET_KEY=mine\nMY_OWN=1")
    added = complete(example, env)
    assert added == ["CLERK_PUBLISHABLE_KEY", "CLERK_SECRET_KEY", "CLERK_INSTANCE_URL"]
    secret_key = values(env)["CLERK_SECRET_KEY"]
    assert env.read_text() == (
        "SECRET_KEY=mine\nMY_OWN=1\n"
        f"\n# Two keys.\nCLERK_PUBLISHABLE_KEY={LOCAL}\nCLERK_SECRET_KEY={secret_key}\n"
        "\n# Optional.\nCLERK_INSTANCE_URL=\n"
    )
    before = env.read_bytes()
    assert complete(example, env) == []
    assert env.read_bytes() == before


def test_a_new_file_has_secrets_of_its_own(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    complete(REAL_EXAMPLE, one)
    complete(REAL_EXAMPLE, other)
    for name in ("SECRET_KEY", "CLERK_SECRET_KEY", "CLERK_WEBHOOK_SIGNING_SECRET"):
        assert len(values(one)[name]) >= 38
        assert values(one)[name] != values(other)[name]


def test_the_example_contains_no_secret() -> None:
    given = values(REAL_EXAMPLE)
    assert {name for name, value in given.items() if "SECRET" in name and value} == set()
    assert not any(re.search(r"[sa]k_|whsec_|[0-9a-f]{20}", value) for value in given.values())


@pytest.mark.parametrize("before", [None, "", "MY_OWN=1\n"])
def test_only_its_owner_may_read_the_file(example: Path, tmp_path: Path, before: str | None) -> None:
    env = tmp_path / ".env"
    if before is not None:
        env.write_text(before)
        env.chmod(0o644)
    complete(example, env)
    assert env.stat().st_mode & 0o777 == 0o600


def test_permissions_of_a_complete_file_are_corrected(example: Path, tmp_path: Path) -> None:
    env = tmp_path / ".env"
    complete(example, env)
    env.chmod(0o644)
    assert complete(example, env) == []
    assert env.stat().st_mode & 0o777 == 0o600


def test_empty_secrets_of_a_copied_example_are_generated(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_bytes(REAL_EXAMPLE.read_bytes())
    generated = ["SECRET_KEY", "CLERK_SECRET_KEY", "CLERK_WEBHOOK_SIGNING_SECRET"]
    assert empty_secrets(env) == generated
    assert complete(REAL_EXAMPLE, env) == generated
    assert read_settings(values(env)).emulator_url
    assert empty_secrets(env) == []
    unchanged = set(REAL_EXAMPLE.read_text().splitlines()) - set(env.read_text().splitlines())
    assert unchanged == {f"{name}=" for name in generated}


@pytest.mark.parametrize("line", ["SECRET_KEY=", "SECRET_KEY = ", 'SECRET_KEY=""', "export SECRET_KEY=''\r"])
def test_an_empty_secret_is_filled_in_however_it_is_written(tmp_path: Path, line: str) -> None:
    env = tmp_path / ".env"
    env.write_bytes(f"A=1\r\n{line}\nSECRET_KEY_OLD=\nB=2\n".encode())
    complete(example_with(tmp_path, "SECRET_KEY="), env)
    read = values(env)
    assert len(read.pop("SECRET_KEY")) == 64
    assert read == {"A": "1", "SECRET_KEY_OLD": "", "B": "2"}


@pytest.mark.parametrize("key", ["", "pk_live_Y2xlcmsuYWNtZS5leGFtcGxlJA==", "pk_test_cut_off"])
def test_secrets_of_a_real_instance_are_left_empty(tmp_path: Path, key: str) -> None:
    env = tmp_path / ".env"
    env.write_text(f"CLERK_PUBLISHABLE_KEY={key}\nCLERK_SECRET_KEY=\n")
    assert "SECRET_KEY" in complete(REAL_EXAMPLE, env)
    read = values(env)
    assert (read["CLERK_SECRET_KEY"], read["CLERK_WEBHOOK_SIGNING_SECRET"]) == ("", "")
    assert read["SECRET_KEY"]


def test_windows_line_endings_and_malformed_lines_are_kept(example: Path, tmp_path: Path) -> None:
    env = tmp_path / ".env"
    before = b"export SECRET_KEY='a b'\r\n# note\r\n=odd\r\n"
    env.write_bytes(before)
    complete(example, env)
    assert env.read_bytes().startswith(before)


def test_our_own_example_starts_the_app(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    assert missing_variables(REAL_EXAMPLE, env)
    complete(REAL_EXAMPLE, env)
    assert read_settings(values(env)).emulator_url
