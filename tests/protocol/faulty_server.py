"""An HTTP server that simulates faults: slow, cut off, closed, and malformed responses."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LONGEST_WAIT = 10.0
"""The longest time in seconds that a reply waits for its gate, so that a failing test ends."""


@dataclass(frozen=True)
class Reply:
    """A response of the server."""

    body: bytes = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    gate: threading.Event | None = None
    """An event to wait for before replying."""
    missing: int = 0
    """The number of announced bytes that are never sent."""
    hang_up: bool = False
    """Whether to close the connection without replying."""


def as_json(value: object, status: int = 200) -> Reply:
    """A reply in JSON."""
    return Reply(json.dumps(value).encode(), status)


@dataclass
class FaultyServer:
    """The server's replies, by path or for all other paths, and the requests it received."""

    url: str = ""
    replies: dict[str, Callable[[], Reply]] = field(default_factory=dict)
    otherwise: Reply = field(default_factory=Reply)
    received: list[tuple[str, int]] = field(default_factory=list)
    """The path of each request, and the client's port, which identifies the connection."""
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Released once for each request."""

    def count(self, path: str) -> int:
        """Count the requests for a path."""
        return sum(asked == path for asked, _ in self.received)


@contextmanager
def faulty_server() -> Iterator[FaultyServer]:
    """Run the server in a thread while the context is open."""
    state = FaultyServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = self.path.partition("?")[0]
            state.received.append((path, self.client_address[1]))
            reply = state.replies.get(path, lambda: state.otherwise)()
            state.arrived.release()
            if reply.gate is not None:
                reply.gate.wait(LONGEST_WAIT)
            if reply.hang_up:
                self.close_connection = True
                return
            self.send_response_only(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body) + reply.missing))
            self.end_headers()
            self.wfile.write(reply.body)
            self.close_connection = self.close_connection or bool(reply.missing)

        do_GET = do_POST = do_PATCH = do_DELETE = answer

        def log_message(self, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, *args: object) -> None:
            pass  # the client was killed

    server = Server(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
