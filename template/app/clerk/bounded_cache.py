"""A cache that is limited in bytes, so that a flood of requests can't use up the memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from .forking import renew_after_fork

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

ENTRY_OVERHEAD = 300
"""Bytes that the cache itself needs for an entry."""

LARGEST_SHARE = 8
"""An entry that needs more than one eighth of the cache is not kept, so it can't evict the rest."""


class BoundedCache(Generic[K, V]):
    """Keeps values by key, and drops the oldest ones to stay within a number of bytes.

    Threads can share it, and a forked process can continue to use its copy.

    :param max_bytes: the memory that all entries together may need.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        """Replace the lock: the thread that holds it may not exist in a forked process."""
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """The value kept for a key, or None."""
        entry = self._entries.get(key)
        return entry[0] if entry else None

    def put(self, key: K, value: V, size: int) -> None:
        """Keep a value, unless it is too large.

        :param size: the bytes that the key and the value need, or more.
        """
        size += ENTRY_OVERHEAD
        if size * LARGEST_SHARE > self._max_bytes:
            return
        with self._lock:
            replaced = self._entries.pop(key, None)
            self._bytes += size - (replaced[1] if replaced else 0)
            self._entries[key] = (value, size)
            while self._bytes > self._max_bytes:
                self._bytes -= self._entries.popitem(last=False)[1][1]


class RecentCounts:
    """Counts how often keys occurred recently.

    :param max_bytes: the memory for all counts together; each needs about 500 bytes.
    :param window: seconds after which a key's count starts again.
    """

    def __init__(self, max_bytes: int, window: float) -> None:
        self._window = window
        self._recent: BoundedCache[Hashable, tuple[float, int]] = BoundedCache(max_bytes)

    def count(self, key: Hashable, now: float) -> int:
        """Count one more, and return how many there were before.

        :param now: the time in seconds.
        """
        since, count = self._recent.get(key) or (now, 0)
        if not 0 <= now - since < self._window:
            since, count = now, 0
        self._recent.put(key, (since, count + 1), size=200)
        return count
