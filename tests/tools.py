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
"""Name of the property with a message to print after all tests have run."""
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
    """Run a command and return it with its output, stderr included.

    Raises:
        AssertionError: if its exit code is not the expected one (`None` expects any).
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
    """Run git in a repository, with an author of its own, and return its output."""
    person = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    # Reading a checkout that belongs to another user, as in a container, is fine.
    trusted = ("-c", "safe.directory=*", "-c", "commit.gpgSign=false")
    return run("git", *person, *trusted, "-C", repository, *arguments).stdout


def copier_cli(*arguments: str | Path, expect: int = 0, cwd: Path | None = None) -> str:
    """Run Copier's command, never with --trust, and return its output."""
    return run(sys.executable, "-m", "copier", *arguments, expect=expect, cwd=cwd).stdout


def free_ports() -> tuple[int, int]:
    """Return two consecutive free ports: one for an app, one for its local Clerk."""
    # Each test process starts at another port. Systems use the ports above 32768 for client connections.
    for port in range(20000 + os.getpid() % 300 * 40, 60000, 2):
        try:
            for wanted in (port, port + 1):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", wanted))
        except OSError:
            continue
        return port, port + 1
    raise RuntimeError("No two free ports in a row from 20000 to 60000 on 127.0.0.1.")


def find_uv() -> str | None:
    """Return the path of uv: from this environment, or else from PATH."""
    beside = Path(sys.executable).parent / "uv"
    return str(beside) if beside.is_file() else shutil.which("uv")


@dataclass(frozen=True)
class Project:
    """A generated project: its path, and the port that was answered."""

    path: Path
    port: int

    def install(self) -> Project:
        """Install it as its README says, with uv if available, otherwise with pip."""
        if uv := find_uv():
            run(uv, "sync", "--quiet", f"--python={sys.executable}", cwd=self.path)
        else:
            run(sys.executable, "-m", "venv", "--upgrade-deps", ".venv", cwd=self.path)
            pip = ("-m", "pip", "install", "--quiet", "-e", ".", "--group", "dev")
            run(self.tool("python"), *pip, cwd=self.path)
        return self

    def tool(self, name: str) -> Path:
        """Return the path of a command in its virtual environment."""
        return self.path / ".venv" / BIN / name

    def run(self, name: str, *arguments: str) -> str:
        """Run a command of its virtual environment in its folder, and return the output."""
        return run(self.tool(name), *arguments, cwd=self.path).stdout
