"""Gunicorn, and a killer of its workers."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.tools import ROOT

WORKERS, THREADS = 4, 4


class Killer:
    """Kills a worker now and then, as a system does that is out of memory.

    :param master: the process that starts the workers, and replaces them.
    :param every: accepted deliveries between two kills, so that a slow machine has no more kills.
    """

    def __init__(self, master: int, every: int, seed: int) -> None:
        self.kills = 0
        self._master, self._every = master, every
        self._chance = random.Random(seed)
        self._accepted = 0
        self._lock = threading.Lock()

    def note_accepted(self) -> None:
        """Count an accepted delivery; other threads are in the middle of theirs."""
        with self._lock:
            self._accepted += 1
            workers = children(self._master) if self._accepted % self._every == 0 else []
            if workers:
                os.kill(self._chance.choice(workers), signal.SIGKILL)
                self.kills += 1


def children(process: int) -> list[int]:
    """The child processes of a process."""
    command = ["pgrep", "-P", str(process)]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return [int(line) for line in listed.split()]


@contextmanager
def gunicorn(environ: Mapping[str, str], folder: Path) -> Iterator[tuple[str, int]]:
    """Run the app; yields its URL and the process of the master.

    :param folder: a folder for the log.
    """
    port_file = folder / "gunicorn.log"
    # Preloaded, so that a new worker is ready at once, and is killed while it handles deliveries.
    command = [sys.executable, "-m", "gunicorn", "--preload", "--bind", "127.0.0.1:0"]
    command += [
        "--workers",
        str(WORKERS),
        "--threads",
        str(THREADS),
        "tests.data.storm.wsgi:create_noting_app()",
    ]
    with port_file.open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environ}, stderr=log, stdout=log)
    try:
        url = _url(process, port_file)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait(30)


def _url(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        text = log.read_text(errors="replace")
        assert process.poll() is None, text
        _, _, rest = text.partition("Listening at: ")
        url = rest.split(" ")[0].strip()
        if url and _answers(url):
            return url
        time.sleep(0.1)
    raise AssertionError(f"gunicorn did not start: {log.read_text(errors='replace')}")


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=10).ok
    except requests.RequestException:
        return False
