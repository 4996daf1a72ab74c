"""HTTP calls with a time-out for the whole call, even if the server sends one byte at a time.

The time-outs of requests and urllib3 apply to each read, so a slow server could hold a worker for
hours. Source: https://requests.readthedocs.io/en/latest/user/advanced/#timeouts
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import Timeout


class TotalTimeout(Timeout):
    """A time-out for a call with all its attempts. Make a new one for each call.

    :param seconds: for connecting and reading, together.
    :param connect: seconds for each attempt to connect.
    """

    def __init__(self, seconds: float, *, connect: float) -> None:
        super().__init__(total=seconds, connect=connect)
        self._connect_seconds = connect
        self._ends = time.monotonic() + seconds

    def clone(self) -> Timeout:
        """The time-out of the next attempt: what is left."""
        left = max(self._ends - time.monotonic(), 0.001)
        return Timeout(total=left, connect=self._connect_seconds)


class TotalTimeoutAdapter(HTTPAdapter):
    """Sends requests so that the read time-out applies to the whole response."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Create the connection pools."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}


class _Reader(io.RawIOBase):
    """Reads a response from a socket, whose time-out becomes one for the whole response."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._raw = connection.makefile("rb", buffering=0)
        self._ends = time.monotonic() + (connection.gettimeout() or 0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._socket.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Socket:
    """What an HTTP response needs of its socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._connection))


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(_Socket(sock), *args, **options)  # type: ignore[arg-type]


class _HttpConnection(HTTPConnection):
    response_class = _Response


class _HttpsConnection(HTTPSConnection):
    response_class = _Response


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection
