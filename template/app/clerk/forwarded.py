"""The request's public URL behind proxies (protocol section 3)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_HOST = re.compile(r"([A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?\Z")


class ForwardedOrigin:
    """Takes scheme and host from ``X-Forwarded-Proto`` and ``X-Forwarded-Host``.

    Of several values the first counts: the one that the outermost proxy saw. Only for apps behind a
    proxy that sets these headers; on a bare server anybody could send them. What is malformed is
    ignored.

    :param app: the WSGI application behind it.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request (PEP 3333)."""
        scheme = _first(environ, "HTTP_X_FORWARDED_PROTO").lower()
        if scheme in ("http", "https"):
            environ["wsgi.url_scheme"] = scheme
        host = _first(environ, "HTTP_X_FORWARDED_HOST")
        if _HOST.match(host):
            environ["HTTP_HOST"] = host
        return self._app(environ, start_response)


def _first(environ: WSGIEnvironment, name: str) -> str:
    value: str = environ.get(name, "")
    return value.partition(",")[0].strip()
