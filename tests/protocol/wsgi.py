"""Call a WSGI app directly, with requests as a server would pass them on."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import Flask

Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """A response."""

    status: int
    headers: Headers
    body: bytes

    def all(self, name: str) -> list[str]:
        """Return all values of a header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: str) -> str:
        """Return the first value of a header, or an empty string."""
        return next(iter(self.all(name)), "")


def on_the_wire(text: str) -> str:
    """Encode text as WSGI does, without the characters that no server lets through."""
    data = text.encode("utf-8", "replace").decode("latin-1")
    return data.translate({ord(character): None for character in "\r\n\0"})


def call(
    app: Flask,
    path: str = "/",
    query: str = "",
    *,
    method: str = "GET",
    headers: Iterable[tuple[str, str]] = (),
) -> Answer:
    """Send a request.

    :param path: the path, not percent-encoded.
    :param query: the query string as sent.
    :param headers: names and values. Names may repeat. Non-ASCII values are sent as UTF-8.
    """
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": on_the_wire(path),
        "QUERY_STRING": on_the_wire(query),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    seen: set[str] = set()
    for name, value in headers:
        key = f"HTTP_{name.upper().replace('-', '_')}"
        value = on_the_wire(value)
        if key in seen:  # servers join repeated headers
            value = f"{environ[key]}{'; ' if name == 'Cookie' else ','}{value}"
        seen.add(key)
        environ[key] = value
    started: list[tuple[str, Headers]] = []

    def start_response(status: str, headers: Headers, *_: object) -> Any:
        started.append((status, headers))
        return lambda data: None

    result = app.wsgi_app(environ, start_response)
    try:
        body = b"".join(result)
    finally:
        close = getattr(result, "close", None)
        if close:
            close()
    status, sent = started[-1]
    for name, value in sent:
        assert not set("\r\n\0") & set(name + value), f"a header was split: {name}: {value}"
        value.encode("latin-1")
    return Answer(int(status[:3]), sent, body)
