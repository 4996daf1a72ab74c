"""Read Flask's current request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, TypeVar, overload
from urllib.parse import quote

from flask import has_request_context, request
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.sansio.http import parse_cookie

from .bounded_cache import BoundedCache
from .request import PATH_SAFE, RequestFacts

T = TypeVar("T")

PARSED_COOKIES_SIZE = 2 * 1024 * 1024
"""Bytes for parsed ``Cookie`` headers, each of which counts for about 10 kB."""

LONGEST_KEPT_HEADER = 16 * 1024
"""Characters. Longer ``Cookie`` headers are parsed for each request."""

_parsed_cookies: BoundedCache[str, ImmutableMultiDict[str, str]] = BoundedCache(PARSED_COOKIES_SIZE)
_NO_COOKIES: ImmutableMultiDict[str, str] = ImmutableMultiDict()


def public_origin() -> str:
    """The scheme and host by which browsers reach this app, such as ``https://app.example.com``."""
    return f"{request.scheme}://{request.host}"


def public_path(path: str) -> str:
    """A path of this app as browsers request it: below the path at which the app is mounted.

    :param path: inside the app, such as ``/dashboard``.
    """
    return quote(request.root_path, safe=PATH_SAFE) + path


def current_environ() -> dict[str, Any] | None:
    """The WSGI environment of the current request; None outside of requests."""
    return request.environ if has_request_context() else None


def request_facts() -> RequestFacts:
    """The current request as plain data."""
    # The proxy would look the request up once for every attribute.
    current = request._get_current_object()  # type: ignore[attr-defined]
    return RequestFacts(
        method=current.method,
        origin=f"{current.scheme}://{current.host}",
        path=current.root_path + current.path,
        query=current.query_string.decode("latin-1"),
        headers=_Headers(current.environ),
        cookies=current.cookies,
        root_path=current.root_path,
    )


class CookiesOnce:
    """Reuses the parsed cookies of earlier requests: browsers send the same header many times."""

    environ: dict[str, Any]

    @cached_property
    def cookies(self) -> ImmutableMultiDict[str, str]:
        """The request's cookies."""
        return _parse_cookies(self.environ.get("HTTP_COOKIE", ""))


def _parse_cookies(header: str) -> ImmutableMultiDict[str, str]:
    if not header:
        return _NO_COOKIES
    kept = _parsed_cookies.get(header)
    if kept is not None:
        return kept
    cookies: ImmutableMultiDict[str, str] = parse_cookie(header, cls=ImmutableMultiDict)  # type: ignore[assignment]
    if len(header) <= LONGEST_KEPT_HEADER:
        # In a cookie with quotes, every character may need four bytes, and the objects that hold
        # a cookie need up to 400.
        size = 5 * len(header) + 400 * (header.count(";") + 1)
        _parsed_cookies.put(header, cookies, size)
    return cookies


def _environ_name(header: str) -> str:
    return "HTTP_" + header.upper().replace("-", "_")


class _Headers(Mapping[str, str]):
    """Header values by lowercase name, read from the WSGI environment only when needed."""

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._environ = environ

    def __getitem__(self, name: str) -> str:
        value: str = self._environ[_environ_name(name)]
        return value

    @overload
    def get(self, name: str, /) -> str | None: ...

    @overload
    def get(self, name: str, default: str | T, /) -> str | T: ...

    def get(self, name: str, default: Any = None, /) -> Any:
        return self._environ.get(_environ_name(name), default)

    def __iter__(self) -> Iterator[str]:
        named = (name for name in self._environ if name.startswith("HTTP_"))
        return (name[5:].replace("_", "-").lower() for name in named)

    def __len__(self) -> int:
        return sum(1 for _ in self)
