"""Origins: the scheme, host and port of a URL, in the form in which browsers send them.

Source: https://html.spec.whatwg.org/multipage/browsers.html#origin
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address

HOST_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
"""A part of a host name, between dots."""

DEFAULT_PORTS = {"http": 80, "https": 443}
"""The ports that a browser leaves out of an origin, by scheme."""

_ORIGIN = re.compile(
    rf"([a-z][a-z0-9+.-]*)://((?=.{{1,253}}(?::|\Z)){HOST_LABEL}(?:\.{HOST_LABEL})*"
    r"|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?\Z"
)
_NOT_ORIGINS = {"about", "blob", "data", "file", "ftp", "javascript", "ws", "wss"}
"""Schemes whose documents have no origin that a server can recognize, or no documents at all."""


def parse_origin(text: str) -> str | None:
    """Check an origin, and return it as browsers send it: in lower case, without a default port.

    :param text: such as ``https://app.example.com``, without a slash at the end.
    :returns: None if it isn't an origin.
    """
    found = _ORIGIN.match(text.lower())
    if not found or found[1] in _NOT_ORIGINS:
        return None
    scheme, host, port = found[1], found[2], int(found[3] or -1)
    if host.startswith("["):
        try:
            host = f"[{IPv6Address(host[1:-1])}]"  # in its shortest form
        except ValueError:
            return None
    if port > 65535 or port == 0:
        return None
    is_default = port in (-1, DEFAULT_PORTS.get(scheme))
    return f"{scheme}://{host}" if is_default else f"{scheme}://{host}:{port}"
