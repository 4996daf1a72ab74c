"""Proxy Clerk's Frontend API on this app's own origin.

The local Clerk is served this way. Source:
https://clerk.com/docs/guides/dashboard/dns-domains/proxy-fapi
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO
from urllib.parse import quote

import requests
from flask import Blueprint, Response, current_app, request
from flask.blueprints import BlueprintSetupState
from requests.adapters import HTTPAdapter
from werkzeug.exceptions import BadGateway, LengthRequired
from werkzeug.routing import BaseConverter

from .backend_api import TIMEOUT
from .instance import Instance
from .request import PATH_SAFE

MAX_BODY = 12 * 1024 * 1024
"""Bytes. The largest requests to Clerk upload a profile picture, of at most 10 MB."""

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

# Headers for a single connection (RFC 9110, section 7.6.1), and Host, which names the target.
_NOT_FORWARDED = {
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}


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
        request.max_content_length = MAX_BODY
        length = request.content_length or 0
        if request.content_length is None and request.method not in ("GET", "HEAD", "OPTIONS"):
            raise LengthRequired
        try:
            outgoing = requests.Request(
                request.method,
                f"{instance.proxy_target}{_path_and_query(instance.proxy_url)}",
                headers=_request_headers(instance),
                data=_Upload(request.stream, length) if length else None,
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
        body = answer.raw.stream(65536, decode_content=False)
        response = Response(body, status=answer.status_code)
        response.headers.clear()
        for name, value in answer.raw.headers.items():  # yields every Set-Cookie separately
            if name.lower() not in _NOT_FORWARDED or name.lower() == "content-length":
                response.headers.add(name, value)
        response.call_on_close(answer.close)
        return response

    return blueprint


class _Upload:
    """The request's body, forwarded in parts so that it never fills the memory.

    requests asks for its length first, then reads it.
    """

    def __init__(self, stream: IO[bytes], length: int) -> None:
        self._stream = stream
        self._length = length

    def __len__(self) -> int:
        return self._length

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes."""
        return self._stream.read(size)

    def __iter__(self) -> Iterator[bytes]:
        """Iterate over its parts. requests streams only objects with this method."""
        return iter(lambda: self._stream.read(65536), b"")


def _path_and_query(proxy_path: str) -> str:
    path = quote(request.path.removeprefix(proxy_path), safe=PATH_SAFE)
    query = request.query_string.decode("latin-1")
    return f"{path}?{query}" if query else path


def _request_headers(instance: Instance) -> dict[str, str]:
    headers = {name: value for name, value in request.headers if name.lower() not in _NOT_FORWARDED}
    # Clerk must not receive the app's own session. The header is split without decoding it.
    own = f"{current_app.config['SESSION_COOKIE_NAME']}="
    cookies = [part.strip() for part in headers.pop("Cookie", "").split(";")]
    kept = [cookie for cookie in cookies if cookie and not cookie.startswith(own)]
    if kept:
        headers["Cookie"] = "; ".join(kept)
    origin = f"{request.scheme}://{request.host}"
    headers["Clerk-Proxy-Url"] = instance.frontend_api_url(origin)
    headers["Clerk-Secret-Key"] = instance.secret_key
    headers["X-Forwarded-For"] = request.remote_addr or ""
    headers["X-Forwarded-Host"] = request.host
    headers["X-Forwarded-Proto"] = request.scheme
    return headers
