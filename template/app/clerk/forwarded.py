"""The app's public URL: from a setting, from the headers of a trusted proxy, or from ``Host``."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from .origins import parse_origin

RECEIVED_HOST = "clerk.received_host"
"""The key in the WSGI environment of the ``Host`` header, as received, if it was replaced."""

_MALFORMED = b"The Host header of this request is malformed.\n"


class PublicOrigin:
    """WSGI middleware that decides by which scheme, host and path prefix browsers reach the app.

    With ``url``, no header has any influence. Requests are accepted with any ``Host``, because
    health checks often send an IP address, but redirects and links always lead to ``url``.
    Otherwise the request's ``Host`` counts, and a malformed one is answered with 400.

    :param app: the WSGI application to wrap.
    :param url: the app's public URL. If it has a path, such as ``/crm``, the app is mounted there,
        whether or not the proxy in front of it removes that path from requests.
    :param hops: how many proxies set or extend ``X-Forwarded-Proto`` and ``X-Forwarded-Host``; if
        0, both are ignored. If a header has more values, a client has sent the first ones, so the
        value at this position from the right counts, the outermost proxy's. Malformed values are
        ignored. Each proxy must set or extend both headers; otherwise, any client could forge them.
    """

    def __init__(self, app: WSGIApplication, *, url: str = "", hops: int = 0) -> None:
        self._app = app
        self._url = urlsplit(url)
        self._hops = hops
        self._valid_host: str | None = None  # of an earlier request, to parse it once

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Handle a request (PEP 3333)."""
        if self._url.netloc or self._hops:
            environ[RECEIVED_HOST] = environ.get("HTTP_HOST", "")
        if self._url.netloc:
            environ["wsgi.url_scheme"] = self._url.scheme
            environ["HTTP_HOST"] = self._url.netloc
            _mount(environ, self._url.path)
            return self._app(environ, start_response)
        if self._hops:
            self._apply_forwarded(environ)
        host = environ.get("HTTP_HOST")
        if host != self._valid_host:
            if host is not None and not _is_host(host):  # None in HTTP/1.0
                headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(_MALFORMED)))]
                start_response("400 Bad Request", headers)
                return [_MALFORMED]
            self._valid_host = host
        return self._app(environ, start_response)

    def _apply_forwarded(self, environ: WSGIEnvironment) -> None:
        scheme = self._outermost(environ, "HTTP_X_FORWARDED_PROTO").lower()
        if scheme in ("http", "https"):
            environ["wsgi.url_scheme"] = scheme
        host = self._outermost(environ, "HTTP_X_FORWARDED_HOST")
        if _is_host(host):
            environ["HTTP_HOST"] = host

    def _outermost(self, environ: WSGIEnvironment, name: str) -> str:
        """The outermost trusted proxy's value. If a proxy replaces the header, there are fewer."""
        values: list[str] = environ.get(name, "").split(",")
        return values[-self._hops :][0].strip()


def _mount(environ: WSGIEnvironment, prefix: str) -> None:
    """Move a prefix from the path to ``SCRIPT_NAME``, unless the server has done so."""
    if not prefix or environ.get("SCRIPT_NAME"):
        return
    path = environ.get("PATH_INFO", "")
    environ["SCRIPT_NAME"] = prefix
    if path == prefix or path.startswith(f"{prefix}/"):
        environ["PATH_INFO"] = path.removeprefix(prefix)


def _is_host(host: str) -> bool:
    return parse_origin(f"http://{host}") is not None
