"""Run the app in gunicorn, and kill its workers."""

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
    """Kills random workers, as a system that runs out of memory does.

    :param master: the process ID of gunicorn's master, which replaces killed workers.
    :param every: accepted deliveries between two kills. Counting deliveries rather than seconds
        keeps the number of kills the same on slow machines.
    :param seed: makes the choice of workers repeatable.
    """

    def __init__(self, master: int, every: int, seed: int) -> None:
        self.kills = 0
        self._master, self._every = master, every
        self._chance = random.Random(seed)
        self._accepted = 0
        self._lock = threading.Lock()

    def note_accepted(self) -> None:
        """Count an accepted delivery, and kill a worker if it's time, while others handle deliveries."""
        with self._lock:
            self._accepted += 1
            workers = children(self._master) if self._accepted % self._every == 0 else []
            if workers:
                os.kill(self._chance.choice(workers), signal.SIGKILL)
                self.kills += 1


def children(process: int) -> list[int]:
    """The IDs of a process's child processes."""
    command = ["pgrep", "-P", str(process)]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return [int(line) for line in listed.split()]


@contextmanager
def gunicorn(environ: Mapping[str, str], folder: Path) -> Iterator[tuple[str, int]]:
    """Run the app in gunicorn; yield its URL and the process ID of gunicorn's master.

    :param environ: variables to set in addition to those of this process.
    :param folder: a folder for the log.
    """
    port_file = folder / "gunicorn.log"
    # With --preload, new workers are ready at once, so kills hit workers that handle deliveries.
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
