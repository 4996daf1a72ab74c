"""Limit the calls that requests without a session can cause."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from .forking import renew_after_fork

MAX_IN_FLIGHT = 5
"""Calls of one process that may wait for Clerk at the same time."""

MAX_PER_SECOND = 20.0
"""Calls that one process may start per second, on average and at once."""


class CallBudget:
    """Decides whether a process may make another call, with a token bucket.

    :param in_flight: calls that may run at the same time.
    :param per_second: calls that may start per second.
    :param clock: returns monotonic time in seconds.
    """

    def __init__(
        self,
        *,
        in_flight: int = MAX_IN_FLIGHT,
        per_second: float = MAX_PER_SECOND,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._in_flight = in_flight
        self._per_second = per_second
        self._clock = clock
        self._saved, self._updated = per_second, clock()
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        """Forget the calls that are running: their threads don't exist in a forked process."""
        self._lock = threading.Lock()
        self._running = 0

    def acquire(self) -> bool:
        """Whether a call may start now. If so, :meth:`release` must follow when it has ended."""
        with self._lock:
            now = self._clock()
            earned = (now - self._updated) * self._per_second
            self._saved, self._updated = min(self._per_second, self._saved + earned), now
            if self._running >= self._in_flight or self._saved < 1:
                return False
            self._saved -= 1
            self._running += 1
            return True

    def release(self) -> None:
        """Record the end of a call."""
        with self._lock:
            self._running = max(0, self._running - 1)
