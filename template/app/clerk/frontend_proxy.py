"""Proxy Clerk's Frontend API on this app's own origin.

The local Clerk is served this way. Source:
https://clerk.com/docs/guides/dashboard/dns-domains/proxy-fapi
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address
from typing import IO
from urllib.parse import quote, urlsplit

import requests
from flask import Blueprint, Response, current_app, request
from flask.blueprints import BlueprintSetupState
from requests.adapters import HTTPAdapter
from werkzeug.exceptions import (
    BadGateway,
    Forbidden,
    LengthRequired,
    RequestHeaderFieldsTooLarge,
    RequestTimeout,
)
from werkzeug.routing import BaseConverter

from .backend_http import TIMEOUT
from .forwarded import RECEIVED_HOST
from .headers import headers_for_clerk
from .instance import Instance
from .request import PATH_SAFE

MAX_BODY = 12 * 1024 * 1024
"""Bytes. The largest requests to Clerk upload a profile picture, of at most 10 MB."""

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

MAX_HEADERS = 32 * 1024
"""Characters of all forwarded headers together."""

MAX_SECONDS = 60
"""Seconds until an upload or a download is aborted, however fast it is."""

# Only these are forwarded. Other headers could name another client's address, such as X-Real-IP.
_FORWARDED = re.compile(
    r"accept(-encoding|-language)?|access-control-request-(headers|method)|authorization|"
    r"cache-control|clerk-api-version|content-(encoding|language|type)|cookie|dnt|"
    r"if-(match|modified-since|none-match|range|unmodified-since)|origin|pragma|priority|range|"
    r"referer|sec-ch-ua(-arch|-bitness|-full-version(-list)?|-mobile|-model|-platform(-version)?)?|"
    r"sec-fetch-(dest|mode|site|user)|sec-gpc|user-agent|x-(android|expo|ios)-sdk-version|"
    r"x-mobile|x-requested-with"
)

# Headers for a single connection (RFC 9110, section 7.6.1).
_NOT_RETURNED = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}

# Names of headers that proxies and tunnels add, and browsers don't.
_FROM_A_PROXY = re.compile(
    r".*forwarded.*|.*-ip|.*-connecting-.*|via|cdn-loop|(cf|fastly|fly|remote)-.+|"
    r"x-(amzn?|appengine|arr|azure|client|cluster|envoy|original|real|remote)-.+|x-scheme"
)
_FROM_A_TRUSTED_PROXY = re.compile(r"x-forwarded-(for|host|port|proto|server)")


class _RestOfPath(BaseConverter):
    """Matches the rest of a path, even if it starts with a slash.

    Clerk.js requests ``//api_keys``. Flask would redirect that to a single slash.
    """

    part_isolating = False
    regex = ".+"
    weight = 200


def frontend_proxy(instance: Instance) -> Blueprint:
    """A blueprint that forwards ``{proxy path}/…`` to the Frontend API.

    :param instance: with a ``proxy_url`` that is a path, and a ``proxy_target``.
    """
    blueprint = Blueprint("clerk_proxy", __name__, url_prefix=instance.proxy_url)
    # A requests.Session would store one user's cookies and send them with another's requests.
    adapter = HTTPAdapter(pool_maxsize=32)

    @blueprint.record_once
    def add_converter(state: BlueprintSetupState) -> None:
        state.app.url_map.converters["rest"] = _RestOfPath

    @blueprint.route("/", defaults={"path": ""}, methods=METHODS)
    @blueprint.route("/<rest:path>", methods=METHODS)
    def forward(path: str) -> Response:
        if instance.is_local:
            _require_this_computer()
        deadline = time.monotonic() + MAX_SECONDS
        request.max_content_length = MAX_BODY
        length = request.content_length or 0
        if request.content_length is None and request.method not in ("GET", "HEAD", "OPTIONS"):
            raise LengthRequired
        try:
            outgoing = requests.Request(
                request.method,
                f"{instance.proxy_target}{_path_and_query(instance.proxy_url)}",
                headers=_request_headers(instance),
                data=_Upload(request.stream, length, deadline) if length else None,
            )
            answer = adapter.send(outgoing.prepare(), stream=True, timeout=TIMEOUT)
        except requests.RequestException as error:
            current_app.logger.error(
                "No response from Clerk's Frontend API at %s: %s",
                instance.proxy_target,
                type(error).__name__,
            )
            raise BadGateway(
                f"Clerk can't be reached at {instance.proxy_target}. If this is the local Clerk, "
                "start it with 'flask dev'."
            ) from None
        # Not decoded, so that a compressed response stays compressed.
        body = _until(deadline, answer.raw.stream(65536, decode_content=False))
        response = Response(body, status=answer.status_code)
        response.headers.clear()
        for name, value in answer.raw.headers.items():  # yields every Set-Cookie separately
            if name.lower() not in _NOT_RETURNED:
                response.headers.add(name, value)
        response.call_on_close(answer.close)
        return response

    return blueprint


class _Upload:
    """The request's body, forwarded in parts so that it never fills the memory.

    requests asks for its length first, then reads it.

    :param deadline: the time, on the monotonic clock in seconds, after which reading fails.
    """

    def __init__(self, stream: IO[bytes], length: int, deadline: float) -> None:
        self._stream = stream
        self._length = length
        self._deadline = deadline

    def __len__(self) -> int:
        return self._length

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes.

        :raises RequestTimeout: the deadline has passed.
        """
        if time.monotonic() > self._deadline:
            raise RequestTimeout
        return self._stream.read(size)

    def __iter__(self) -> Iterator[bytes]:
        """Iterate over its parts. requests streams only objects with this method."""
        return iter(lambda: self.read(65536), b"")


def _path_and_query(proxy_path: str) -> str:
    path = quote(request.path.removeprefix(proxy_path), safe=PATH_SAFE)
    query = request.query_string.decode("latin-1")
    return f"{path}?{query}" if query else path


def _until(deadline: float, parts: Iterator[bytes]) -> Iterator[bytes]:
    """Pass the parts of a response on; after the deadline, abort the connection."""
    for part in parts:
        if time.monotonic() > deadline:
            raise TimeoutError("Clerk's Frontend API took too long to send its response.")
        yield part


def _require_this_computer() -> None:
    """Let only browsers on this computer use the local Clerk: it lets anyone sign in as anyone.

    :raises Forbidden: the request comes from another computer, directly or through a proxy, or
        from a page of another site whose name resolves to this computer (DNS rebinding).
    """
    environ, headers = request.environ, request.headers
    addresses: list[str] = [environ.get("REMOTE_ADDR", "")]
    hosts: list[str] = [environ.get(RECEIVED_HOST, headers.get("Host", ""))]
    foreign = {name.lower() for name, _ in headers if _FROM_A_PROXY.fullmatch(name.lower())}
    trusted: dict[str, str] | None = environ.get("werkzeug.proxy_fix.orig")
    if trusted is not None:
        addresses += [trusted.get("REMOTE_ADDR") or "", *_values("X-Forwarded-For")]
        hosts += _values("X-Forwarded-Host") if "X-Forwarded-Host" in headers else []
        foreign = {name for name in foreign if not _FROM_A_TRUSTED_PROXY.fullmatch(name)}
    if foreign or not all(map(_is_loopback, addresses)) or not all(map(_is_own_host, hosts)):
        raise Forbidden(
            "The local Clerk can only be used on the computer that it runs on, at localhost or the "
            "host of APP_URL. To open this app elsewhere, use the keys of a Clerk instance."
        )


def _values(name: str) -> list[str]:
    return request.headers.get(name, "").split(",")


def _is_own_host(host: str) -> bool:
    try:
        name = urlsplit(f"//{host.strip()}").hostname or ""
        own = urlsplit(f"//{current_app.config['SERVER_NAME'] or ''}").hostname  # from APP_URL
    except ValueError:
        return False
    return name in ("localhost", own) or _is_loopback(name)


def _is_loopback(address: str) -> bool:
    try:
        parsed = ip_address(address.strip())
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        return parsed.ipv4_mapped.is_loopback
    return parsed.is_loopback


def _request_headers(instance: Instance) -> dict[str, str]:
    """The headers for Clerk.

    :raises RequestHeaderFieldsTooLarge: they are longer than :data:`MAX_HEADERS`.
    """
    given = headers_for_clerk(request.headers, current_app.config["SESSION_COOKIE_NAME"])
    headers = {name: value for name, value in given.items() if _FORWARDED.fullmatch(name)}
    if sum(len(name) + len(value) for name, value in headers.items()) > MAX_HEADERS:
        raise RequestHeaderFieldsTooLarge
    app_url = f"{request.scheme}://{request.host}{quote(request.root_path, safe=PATH_SAFE)}"
    headers["Clerk-Proxy-Url"] = instance.frontend_api_url(app_url)
    headers["Clerk-Secret-Key"] = instance.secret_key
    headers["X-Forwarded-For"] = request.remote_addr or ""
    headers["X-Forwarded-Host"] = request.host
    headers["X-Forwarded-Proto"] = request.scheme
    return headers
