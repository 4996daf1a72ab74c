"""Limit the calls to Clerk that visitors can cause: in number, and for each session."""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from .backend_http import BackendApiError, TooManyCallsError
from .bounded_cache import BoundedCache, RecentCounts
from .forking import renew_after_fork

log = logging.getLogger(__name__)

MAX_IN_FLIGHT = 5
"""Calls of one process that may wait for Clerk at the same time."""

MAX_PER_SECOND = 20.0
"""Calls that one process may start per second, on average and at once."""

REFUSED = (400, 404, 410, 422)
"""Statuses with which Clerk says that it doesn't know a nonce or token, or no longer accepts it."""

REFUSAL_LIFETIME = 10.0
"""Seconds for which such a response, and the number of a session's calls, are remembered."""

REFUSALS_SIZE = 128 * 1024
"""Bytes for remembered refusals, which need about 500 each."""

SESSION_CALLS = 5
"""Calls of one kind that one session can cause within :data:`REFUSAL_LIFETIME`."""

SESSION_COUNTS_SIZE = 64 * 1024
"""Bytes for the counts of the sessions' calls, which need about 500 each."""

WARNING_INTERVAL = 60.0
"""Seconds between two warnings about too many calls, so that an attack doesn't fill the log."""

TOO_MANY = (
    "Visitors cause more calls to Clerk (%s) than one process may make; some get a 503. Either "
    "this is an attack, or Clerk is slow, or more workers are needed."
)


class CallBudget:
    """Decides whether a process may make another call, with a token bucket.

    :param in_flight: calls that may run at the same time.
    :param per_second: calls that may start per second.
    :param within: a larger budget that must have room for each call as well.
    :param clock: returns monotonic time in seconds.
    """

    def __init__(
        self,
        *,
        in_flight: int = MAX_IN_FLIGHT,
        per_second: float = MAX_PER_SECOND,
        within: CallBudget | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._in_flight = in_flight
        self._per_second = per_second
        self._within = within
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
            if self._within and not self._within.acquire():
                return False
            self._saved -= 1
            self._running += 1
            return True

    def release(self) -> None:
        """Record the end of a call."""
        with self._lock:
            self._running = max(0, self._running - 1)
        if self._within:
            self._within.release()


class CallLimits:
    """Bounds the number of calls by kind, so that a flood of one kind leaves room for the others.

    :param clock: returns monotonic time in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.anonymous = CallBudget(clock=clock)
        """All calls that need no token signed by Clerk."""
        half = partial(CallBudget, in_flight=3, per_second=10, within=self.anonymous, clock=clock)
        self.by_kind = {
            "nonce": half(),
            "odd nonce": half(),
            "machine token": half(),
            "refresh": CallBudget(clock=clock),
            "sign-out": CallBudget(in_flight=3, clock=clock),
            "new row": CallBudget(clock=clock),
        }
        self._sessions = RecentCounts(SESSION_COUNTS_SIZE, REFUSAL_LIFETIME)
        self._hash_key = secrets.token_bytes(32)
        self._refusals: BoundedCache[bytes, tuple[float, int, str]] = BoundedCache(REFUSALS_SIZE)
        self._next_warning = float("-inf")

    @contextmanager
    def admit(self, kind: str, secret: str, *, session_id: str = "") -> Iterator[None]:
        """Limit the call that is made inside.

        :param kind: the kind of call, a key of :attr:`by_kind`.
        :param secret: what the visitor sent. Refusals are remembered by its keyed hash.
        :param session_id: the session that causes the call, if known.
        :raises TooManyCallsError: the process or the session makes too many such calls.
        :raises BackendApiError: Clerk has refused the same call a moment ago.
        """
        text = f"{kind} {secret}".encode(errors="replace")
        key = hashlib.blake2b(text, key=self._hash_key).digest()
        until, status, code = self._refusals.get(key) or (0.0, 0, "")
        now = self._clock()
        if now < until:
            raise BackendApiError(status, code, "refused a moment ago")
        if session_id and self._sessions.count((kind, session_id), now) >= SESSION_CALLS:
            raise TooManyCallsError
        budget = self.by_kind[kind]
        if not budget.acquire():
            if now >= self._next_warning:
                self._next_warning = now + WARNING_INTERVAL
                log.warning(TOO_MANY, kind)
            raise TooManyCallsError
        try:
            yield
        except BackendApiError as error:
            # A new row isn't needed so much that a slow API should be asked for it again and again.
            if error.status in REFUSED or kind == "new row":
                until = self._clock() + REFUSAL_LIFETIME
                self._refusals.put(key, (until, error.status, error.code), size=200)
            raise
        finally:
            budget.release()
