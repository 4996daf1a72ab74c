"""``flask dev`` in real processes: it starts, announces one address, and stops everything."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from app.commands.dev import dev as dev_command
from tests.signing import publishable_key
from tests.tools import free_ports

PATIENCE = 120
"""Seconds: a loaded machine is slow."""

READY = "Ctrl-C stops everything."

WITHOUT_UNIX = """
    import builtins, os, signal, subprocess

    for name in ("SIGHUP", "SIGKILL", "SIGQUIT", "SIGUSR1"):
        delattr(signal, name)
    for name in ("killpg", "fork", "forkpty", "setsid", "getuid", "geteuid", "register_at_fork", "fchmod"):
        delattr(os, name)
    # Celery's billiard takes another way on Windows, so it may import them here.
    real_import = builtins.__import__

    def import_without_unix(name, globals=None, locals=None, fromlist=(), level=0):
        importer = (globals or {}).get("__name__", "").partition(".")[0]
        is_unix = level == 0 and name in ("fcntl", "pwd", "grp", "resource", "termios")
        if is_unix and importer != "billiard":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real_import(name, globals, locals, fromlist, level)

    builtins.__import__ = import_without_unix
    subprocess.Popen.kill = subprocess.Popen.terminate
"""
"""Makes Python on Unix lack what it lacks on Windows."""

TASKKILL = """#!/bin/sh
    test "$1 $2 $3" = "/F /T /PID" && kill -KILL -- "-$4"
"""


class Dev:
    """A running ``flask dev``."""

    def __init__(self, folder: Path, environ: dict[str, str], *options: str) -> None:
        self.mark = f"TEST_OF_DEV={folder}"
        self.log = folder / "log"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "flask", "dev", *options],
            cwd=folder,
            env={
                **os.environ,
                **environ,
                "TEST_OF_DEV": str(folder),
                "PATH": f"{folder}:{os.environ['PATH']}",
            },
            stdout=self.log.open("w"),
            stderr=subprocess.STDOUT,
        )

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, text: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while text not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.1)

    def processes(self) -> list[str]:
        """The processes that belong to it, by their command lines."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if self.mark.encode() in (entry / "environ").read_bytes().split(b"\0"):
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        return found

    def remaining(self) -> list[str]:
        """The processes left a moment after it has ended, which it may leave to the system to reap."""
        for _ in range(20):
            if not self.processes():
                return []
            time.sleep(0.1)
        return self.processes()


@pytest.fixture
def local(environ: dict[str, str]) -> dict[str, str]:
    """Settings for a local Clerk on a free port, below that of ``FLASK_RUN_PORT``."""
    clerk_port, port = free_ports()
    return environ | {
        "CLERK_PUBLISHABLE_KEY": publishable_key("local-acme-1.clerk.accounts.dev"),
        "CLERK_EMULATOR_URL": f"http://127.0.0.1:{clerk_port}",
        "CLERK_API_URL": "",
        "CLERK_JWT_KEY": "",
        "FLASK_RUN_PORT": str(port),
    }


@pytest.fixture
def started(local: dict[str, str], tmp_path: Path) -> Iterator[Dev]:
    """``flask dev``, ready."""
    dev = Dev(tmp_path, local)
    try:
        dev.wait_for(READY)
        yield dev
    finally:
        dev.process.kill()


def test_it_announces_one_address_and_nothing_else_prints_another(
    started: Dev, local: dict[str, str]
) -> None:
    port = local["FLASK_RUN_PORT"]
    assert requests.get(f"http://localhost:{port}/healthz", timeout=20).ok
    assert [line for line in started.output.splitlines() if f":{port}" in line] == [
        f"  My SaaS: http://localhost:{port}"
    ]
    assert "WARNING: This is a development server" not in started.output
    assert len(started.processes()) >= 4  # the command, the app, its reloader, the local Clerk
    started.process.send_signal(signal.SIGINT)
    assert started.process.wait(PATIENCE) == 0
    assert started.output.endswith("Stopped.\n")
    assert started.remaining() == []


def test_two_quick_signals_stop_every_process(started: Dev) -> None:
    for _ in range(3):
        started.process.send_signal(signal.SIGINT)
        time.sleep(0.07)
    assert started.process.wait(PATIENCE) == 0
    assert started.remaining() == []
    assert "Traceback" not in started.output


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.1, 0.3, 1.0, 2.0])
def test_signals_during_the_start_stop_every_process(
    local: dict[str, str], tmp_path: Path, seconds: float
) -> None:
    dev = Dev(tmp_path, local)
    # Before the local Clerk's process exists, Python and the migrations end the command themselves.
    while not any("clerk_emulator" in command for command in dev.processes()):
        assert dev.process.poll() is None, dev.output
    time.sleep(seconds)
    dev.process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    dev.process.send_signal(signal.SIGTERM)
    assert dev.process.wait(PATIENCE) == 0
    assert dev.remaining() == []
    assert "Traceback" not in dev.output


def test_it_starts_and_stops_without_what_windows_lacks(local: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(textwrap.dedent(WITHOUT_UNIX))
    (tmp_path / "taskkill").write_text(TASKKILL)
    (tmp_path / "taskkill").chmod(0o755)
    environ = local | {"PYTHONPATH": str(tmp_path)}
    dev = Dev(tmp_path, environ)
    try:
        dev.wait_for(READY)
        assert requests.get(f"http://127.0.0.1:{local['FLASK_RUN_PORT']}/healthz", timeout=20).ok
        checked = subprocess.run(
            [sys.executable, "-m", "flask", "clerk", "doctor"],
            cwd=tmp_path,
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert "Everything is fine." in checked.stdout, checked.stdout + checked.stderr
        dev.process.send_signal(signal.SIGINT)
        assert dev.process.wait(PATIENCE) == 0, dev.output
        assert dev.remaining() == []
        assert "Traceback" not in dev.output
    finally:
        dev.process.kill()


def test_if_localhost_leads_to_another_program_it_announces_an_address_that_works(
    local: dict[str, str], tmp_path: Path
) -> None:
    port = local["FLASK_RUN_PORT"]
    with socket.socket(socket.AF_INET6) as airplay:
        try:
            airplay.bind(("::1", int(port)))
        except OSError:
            pytest.skip("This machine has no IPv6 loopback address.")
        airplay.listen()
        dev = Dev(tmp_path, local)
        try:
            dev.wait_for(READY)
            assert f"My SaaS: http://127.0.0.1:{port}\n" in dev.output
            assert "localhost" not in dev.output
            [clerk] = [command for command in dev.processes() if "--app-url" in command]
            assert f"--app-url http://127.0.0.1:{port}" in clerk
        finally:
            dev.process.send_signal(signal.SIGINT)
            dev.process.wait(PATIENCE)


def test_it_warns_about_the_keys_of_a_production_instance(
    live_environ: dict[str, str], tmp_path: Path
) -> None:
    port, _ = free_ports()
    dev = Dev(tmp_path, live_environ, "--port", str(port))
    try:
        dev.wait_for(READY)
        assert "These are the keys of a production instance" in dev.output
    finally:
        dev.process.send_signal(signal.SIGINT)
        dev.process.wait(PATIENCE)


def test_the_app_and_the_local_clerk_need_two_ports(local: dict[str, str], tmp_path: Path) -> None:
    clerk_port = local["CLERK_EMULATOR_URL"].rpartition(":")[2]
    dev = Dev(tmp_path, local, "--port", clerk_port)
    assert dev.process.wait(PATIENCE) == 1
    assert f"Port {clerk_port} is that of the local Clerk, in CLERK_EMULATOR_URL" in dev.output


@pytest.mark.parametrize("port", ["0", "65536", "-5", "five", "5000.0", "\u0665"])
def test_a_wrong_port_is_named(
    local: dict[str, str], tmp_path: Path, port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = CliRunner().invoke(dev_command, env=local | {"FLASK_RUN_PORT": port})
    assert answer.exit_code == 1
    assert re.fullmatch(r"Error: FLASK_RUN_PORT is .+; expected a number such as 5000\.\n", answer.output)


COMMANDS = [
    ["dev"],
    ["--app", "app", "db", "upgrade"],
    ["--app", "app", "db", "current"],
    ["--app", "app", "clerk", "prune-events"],
]


NO_SERVER = ("postgresql://ada:hunter2@127.0.0.1:9/app", "no server listens at its address")
NO_FOLDER = ("sqlite:////nowhere/hunter2.db", "the file or its folder can't be opened")


@pytest.mark.parametrize(
    ("url", "reason", "command"),
    [*((*NO_SERVER, command) for command in COMMANDS), (*NO_FOLDER, COMMANDS[0]), (*NO_FOLDER, COMMANDS[1])],
)
def test_without_a_database_commands_end_with_one_sentence(
    local: dict[str, str], tmp_path: Path, url: str, reason: str, command: list[str]
) -> None:
    if url.startswith("postgresql"):
        pytest.importorskip("psycopg")
    done = subprocess.run(
        [sys.executable, "-m", "flask", *command],
        cwd=tmp_path,
        env={**os.environ, **local, "DATABASE_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.startswith("Error: The database can't be used: ")
    assert reason in done.stdout
    assert len(done.stdout.splitlines()) == 1
    assert "ada" not in done.stdout
