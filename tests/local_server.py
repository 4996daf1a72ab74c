"""An HTTP server on a free local port that sends the responses a test chooses."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    """A request that the server received."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class LocalServer:
    """The server's responses, by ``METHOD /path``, and the requests it received."""

    url: str = ""
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    """Status and body. A body of bytes is sent unchanged, anything else as JSON."""
    queued: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)
    """Responses to send once each, in this order, before the one in ``answers``."""
    headers: list[tuple[str, str]] = field(default_factory=list)
    """Headers to send with every response."""
    received: list[Received] = field(default_factory=list)

    def forget(self) -> None:
        """Forget all responses and requests."""
        self.answers, self.queued, self.headers, self.received = {}, {}, [], []

    def queue(self, key: str, *answers: tuple[int, Any]) -> None:
        """Send these responses one after the other."""
        self.queued[key] = list(answers)

    def count(self, path: str) -> int:
        """Count the requests for a path."""
        return sum(request.path.partition("?")[0] == path for request in self.received)


@contextmanager
def local_server() -> Iterator[LocalServer]:
    """Run the server in a thread while the context is open."""
    state = LocalServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # otherwise, each response is delayed by 40 ms

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            state.received.append(Received(self.command, self.path, headers, body))
            key = f"{self.command} {self.path.partition('?')[0]}"
            queued = state.queued.get(key)
            status, content = (
                queued.pop(0)
                if queued
                else state.answers.get(key, (404, {"errors": [{"code": "not_found"}]}))
            )
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response_only(status)
            for name, value in state.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_DELETE = answer

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
