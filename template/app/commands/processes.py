"""Run commands side by side, show their output, and stop all of them, on Windows, too."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click

# SIGINT: Ctrl-C. SIGTERM: a supervisor. SIGHUP, or SIGBREAK on Windows: a closed terminal.
STOP_SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    if hasattr(signal, name)
)

STOP_TIMEOUT = 5.0
"""Seconds to wait for a process to stop before it is killed."""

NOISE = re.compile(
    r"[A-Z]+ /(healthz|__clerk/|static/|bootstrap/static/)"
    r"| \* Running on |WARNING: This is a development server|Press CTRL\+C to quit"
)
"""Log lines of the app to hide: health checks, static files, what the local Clerk logs, and the
address that Flask prints, since browsers may have to use another one."""

TOKENS = re.compile(r"(__(?:session|clerk_db_jwt|clerk_handshake\w*)=[^&\s\"]{7})[^&\s\"]+")
"""Tokens in logged URLs; only their first seven characters are shown."""

COLORS = {"app": "cyan", "clerk": "magenta"}

Process = subprocess.Popen[str]


@contextmanager
def stop_signals() -> Iterator[list[int]]:
    """Collect signals to stop, so that none of them interrupts the stopping.

    SIGINT needs a handler, too, because processes that a shell starts in the background ignore it
    otherwise. After the ``with`` block, with which the command ends, signals are ignored.

    :returns: a list to which each signal that arrives is added.
    """
    received: list[int] = []
    for number in STOP_SIGNALS:
        signal.signal(number, lambda number, frame: received.append(number))
    try:
        yield received
    finally:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def running(
    commands: dict[str, list[str]], environ: dict[str, str]
) -> Iterator[dict[str, Process]]:
    """Run commands until the end of the ``with`` block.

    :param commands: by the name that is shown before each line of their output.
    """
    processes: dict[str, Process] = {}
    try:
        for name, command in commands.items():
            processes[name] = _start(name, command, environ)
        yield processes
    finally:
        for process in processes.values():
            _stop(process)


def _start(name: str, command: list[str], environ: dict[str, str]) -> Process:
    process = subprocess.Popen(  # noqa: S603
        command,
        env={**environ, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        # In its own process group, so that the reloader's child is stopped, too, and Ctrl-C only
        # reaches this command.
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # on Windows
    )
    threading.Thread(target=_relay, args=(name, process), daemon=True).start()
    return process


def _relay(name: str, process: Process) -> None:
    prefix = click.style(f"{name:>5} │ ", fg=COLORS.get(name, "yellow"))
    for line in process.stdout or ():
        if not (name == "app" and NOISE.search(line)):
            click.echo(prefix + TOKENS.sub(r"\1…", line.rstrip("\n")))


def _stop(process: Process) -> None:
    if not hasattr(os, "killpg"):
        _stop_on_windows(process)
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(STOP_TIMEOUT)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _stop_on_windows(process: Process) -> None:
    with suppress(OSError):  # this reaches the children, too
        tree = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
        subprocess.run(tree, capture_output=True, check=False)  # noqa: S603
    process.kill()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_TIMEOUT)
