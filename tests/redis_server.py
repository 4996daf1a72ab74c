"""A Redis server for the tests only, and real Celery workers."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.tools import ROOT

MISSING = "" if shutil.which("redis-server") else "not tested on Redis: redis-server is missing"


class Redis:
    """A server that can be stopped, and started again without any data."""

    def __init__(self, folder: Path) -> None:
        """Choose a port.

        :param folder: for its log.
        """
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it accepts connections."""
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        with (self.folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        wait_until(self._answers)

    def stop(self) -> None:
        """Stop it; its data is lost."""
        if self._process:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


class Worker:
    """A worker with two child processes."""

    def __init__(self, environ: dict[str, str], folder: Path) -> None:
        """Start it.

        :param environ: the app's settings.
        :param folder: for the files of its receivers, and its log.
        """
        module = "tests.data.jobs.receivers"
        command = [sys.executable, "-m", "celery", "-A", module, "worker", "--concurrency=2"]
        with (folder / "worker.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--loglevel=INFO", "--without-mingle", "--without-gossip"],
                cwd=ROOT,
                env={**os.environ, **environ, "HEARD": str(folder)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """Send SIGKILL to it and its child processes."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"the condition did not hold within {seconds} s"
        time.sleep(0.05)
