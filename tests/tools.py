"""Shared by the tests: run commands, git and Copier, install projects, find free ports."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SAID = "said"
"""Name of the pytest property whose value is printed after all tests have run."""
NEWEST_PYTHON = "3.14"
BIN = "Scripts" if os.name == "nt" else "bin"
# These point commands to an environment other than their own; nox sets some of them.
NOT_OURS = {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "UV_PROJECT_ENVIRONMENT", "UV_PYTHON"}


def run(
    *command: str | Path,
    cwd: Path | None = None,
    expect: int | None = 0,
    seconds: int = 900,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command and return the completed process; its stdout includes stderr.

    :param expect: the expected exit code; None accepts any.
    :param seconds: the timeout.
    :param env: variables to set in addition to those of this process.
    :raises AssertionError: the exit code is not the expected one.
    :raises subprocess.TimeoutExpired: the command is still running after the timeout.
    """
    inherited = {k: v for k, v in os.environ.items() if k not in NOT_OURS}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**inherited, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        timeout=seconds,
        check=False,
    )
    shown = " ".join(map(str, command))
    assert expect is None or done.returncode == expect, (
        f"`{shown}` ended with code {done.returncode}, expected {expect}. Its output:\n{done.stdout}"
    )
    return done


def git(repository: Path, *arguments: str) -> str:
    """Run git in a repository, with a fixed author, and return its output."""
    person = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    # Allow repositories that belong to another user, as checkouts in containers often do.
    trusted = ("-c", "safe.directory=*", "-c", "commit.gpgSign=false")
    return run("git", *person, *trusted, "-C", repository, *arguments).stdout


def copier_cli(*arguments: str | Path, expect: int = 0, cwd: Path | None = None) -> str:
    """Run Copier without --trust, and return its output."""
    return run(sys.executable, "-m", "copier", *arguments, expect=expect, cwd=cwd).stdout


def free_ports() -> tuple[int, int]:
    """Return two consecutive free ports: one for an app, one for its local Clerk.

    :raises RuntimeError: there are none.
    """
    # Each test process starts at a different port, below those that systems use for outgoing connections.
    for port in range(20000 + os.getpid() % 300 * 40, 60000, 2):
        try:
            for wanted in (port, port + 1):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", wanted))
        except OSError:
            continue
        return port, port + 1
    raise RuntimeError("No two consecutive ports between 20000 and 60000 are free on 127.0.0.1.")


def find_uv() -> str | None:
    """Return the path of uv in this environment or on PATH, or None if it isn't installed."""
    beside = Path(sys.executable).parent / "uv"
    return str(beside) if beside.is_file() else shutil.which("uv")


@dataclass(frozen=True)
class Project:
    """A generated project: its path, and the answer to the question `port`."""

    path: Path
    port: int

    def install(self) -> Project:
        """Install the project as its README says, with uv if available, otherwise with pip."""
        if uv := find_uv():
            run(uv, "sync", "--quiet", f"--python={sys.executable}", cwd=self.path)
        else:
            run(sys.executable, "-m", "venv", "--upgrade-deps", ".venv", cwd=self.path)
            pip = ("-m", "pip", "install", "--quiet", "-e", ".", "--group", "dev")
            run(self.tool("python"), *pip, cwd=self.path)
        return self

    def tool(self, name: str) -> Path:
        """Return the path of a command in the project's virtual environment."""
        return self.path / ".venv" / BIN / name

    def run(self, name: str, *arguments: str) -> str:
        """Run a command of the project's virtual environment in its folder, and return the output."""
        return run(self.tool(name), *arguments, cwd=self.path).stdout
