"""Take the request's public URL from the headers that a reverse proxy sets."""

from __future__ import annotations

import re
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_FORWARDED_HOST = re.compile(r"([A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?\Z")


class ForwardedOrigin:
    """WSGI middleware that applies ``X-Forwarded-Proto`` and ``X-Forwarded-Host``.

    If a header has several values, the first one counts: it comes from the outermost proxy.
    Malformed values are ignored. Use this only behind a proxy that sets both headers; without one,
    any client could forge them.

    :param app: the WSGI application to wrap.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Handle a request (PEP 3333)."""
        scheme = _first_value(environ, "HTTP_X_FORWARDED_PROTO").lower()
        if scheme in ("http", "https"):
            environ["wsgi.url_scheme"] = scheme
        host = _first_value(environ, "HTTP_X_FORWARDED_HOST")
        if _FORWARDED_HOST.match(host):
            environ["HTTP_HOST"] = host
        return self._app(environ, start_response)


def _first_value(environ: WSGIEnvironment, name: str) -> str:
    value: str = environ.get(name, "")
    return value.partition(",")[0].strip()
