"""Serve Clerk's Frontend API on this app's own origin: "proxy the Frontend API" in Clerk's terms.

The local Clerk is reached this way. See https://clerk.com/docs/guides/dashboard/dns-domains/proxy-fapi
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
"""Bytes. The largest thing that browsers send to Clerk is a profile picture, at most 10 MB."""

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

# Headers that belong to one connection (RFC 9110, 7.6.1), and Host, which is the target's own.
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


class _Rest(BaseConverter):
    """All of the rest of a path, also where that begins with a slash: ``//api_keys``.

    Clerk.js asks for API keys so. A redirect to one slash would cost a second request.
    """

    part_isolating = False
    regex = ".+"
    weight = 200


def frontend_proxy(instance: Instance) -> Blueprint:
    """A blueprint that forwards ``{proxy path}/…`` to the Frontend API.

    :param instance: with a ``proxy_url`` that is a path, and a ``proxy_target``.
    """
    blueprint = Blueprint("clerk_proxy", __name__, url_prefix=instance.proxy_url)
    # Not a requests.Session: it would keep one person's cookies, and send them with the next
    # person's request.
    adapter = HTTPAdapter(pool_maxsize=32)

    @blueprint.record_once
    def know_the_rest(state: BlueprintSetupState) -> None:
        state.app.url_map.converters["rest"] = _Rest

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
                "Clerk's Frontend API at %s gave no answer: %s",
                instance.proxy_target,
                type(error).__name__,
            )
            raise BadGateway(
                f"Clerk cannot be reached at {instance.proxy_target}. A local Clerk is started by "
                "'flask dev'."
            ) from None
        # Not decoded: what Clerk compressed reaches the browser as it is.
        body = answer.raw.stream(65536, decode_content=False)
        response = Response(body, status=answer.status_code)
        response.headers.clear()
        for name, value in answer.raw.headers.items():  # keeps every Set-Cookie apart
            if name.lower() not in _NOT_FORWARDED or name.lower() == "content-length":
                response.headers.add(name, value)
        response.call_on_close(answer.close)
        return response

    return blueprint


class _Upload:
    """The body of a request on its way through: never held in memory as a whole.

    requests asks for the length, and then reads.
    """

    def __init__(self, stream: IO[bytes], length: int) -> None:
        self._stream = stream
        self._length = length

    def __len__(self) -> int:
        return self._length

    def read(self, size: int = -1) -> bytes:
        """Up to so many bytes."""
        return self._stream.read(size)

    def __iter__(self) -> Iterator[bytes]:
        """Its parts; requests takes for a stream only what has this."""
        return iter(lambda: self._stream.read(65536), b"")


def _path_and_query(proxy_path: str) -> str:
    path = quote(request.path.removeprefix(proxy_path), safe=PATH_SAFE)
    query = request.query_string.decode("latin-1")
    return f"{path}?{query}" if query else path


def _request_headers(instance: Instance) -> dict[str, str]:
    headers = {name: value for name, value in request.headers if name.lower() not in _NOT_FORWARDED}
    # The app's own session is none of Clerk's business. Split as it came, nothing decoded.
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
