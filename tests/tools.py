"""What the tests share: run a command, talk to git, make an environment, find free ports."""

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
"""Name of a test's property that is shown when all tests have run."""
BIN = "Scripts" if os.name == "nt" else "bin"
# They lead away from the environment that a command belongs to; nox sets some of them.
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
        f"`{shown}` ended with code {done.returncode}, expected {expect}. It said:\n{done.stdout}"
    )
    return done


def git(repository: Path, *arguments: str) -> str:
    """Run git there, as a person of our own making, and return what it printed."""
    person = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    # A checkout that belongs to somebody else, as in a container, is fine to read.
    trusted = ("-c", "safe.directory=*", "-c", "commit.gpgSign=false")
    return run("git", *person, *trusted, "-C", repository, *arguments).stdout


def copier_cli(*arguments: str | Path, expect: int = 0, cwd: Path | None = None) -> str:
    """Run Copier as a person does, never with --trust, and return what it said."""
    return run(sys.executable, "-m", "copier", *arguments, expect=expect, cwd=cwd).stdout


def free_ports() -> tuple[int, int]:
    """Return two free ports that follow each other: one for an app, one for its local Clerk."""
    # Far from the other processes that run tests just now; below the ports that systems give to clients.
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
    """Return the path of uv: the one installed beside us, else the machine's."""
    beside = Path(sys.executable).parent / "uv"
    return str(beside) if beside.is_file() else shutil.which("uv")


@dataclass(frozen=True)
class Project:
    """A generated project: where it is, and the port it was made for."""

    path: Path
    port: int

    def install(self) -> Project:
        """Make its environment as its README says, by uv where it is at hand, else by pip."""
        if uv := find_uv():
            run(uv, "sync", "--quiet", f"--python={sys.executable}", cwd=self.path)
        else:
            run(sys.executable, "-m", "venv", "--upgrade-deps", ".venv", cwd=self.path)
            pip = ("-m", "pip", "install", "--quiet", "-e", ".", "--group", "dev")
            run(self.tool("python"), *pip, cwd=self.path)
        return self

    def tool(self, name: str) -> Path:
        """Return the path of a command in its environment."""
        return self.path / ".venv" / BIN / name

    def run(self, name: str, *arguments: str) -> str:
        """Run a command of its environment there, and return what it printed."""
        return run(self.tool(name), *arguments, cwd=self.path).stdout
