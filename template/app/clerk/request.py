"""An HTTP request as plain data, independent of any framework."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

PATH_SAFE = "/:@!$&'()*+,;=~-._"
"""Characters that need no percent-encoding in a URL's path (RFC 3986, section 3.3)."""


class RequestFacts(NamedTuple):
    """The parts of an HTTP request that authentication depends on."""

    method: str
    origin: str
    """The public scheme and host, such as ``https://app.example.com``."""
    path: str
    """The path, decoded, including :attr:`root_path`."""
    query: str
    """The query string, still percent-encoded, without the question mark."""
    headers: Mapping[str, str]
    """Header values by lowercase name."""
    cookies: Mapping[str, str]
    root_path: str = ""
    """The prefix below which the app is mounted, such as ``/crm``; routes don't contain it."""

    @property
    def route_path(self) -> str:
        """The path that Flask's routes and the organization patterns are compared with."""
        return self.path[len(self.root_path) :]

    @property
    def base(self) -> str:
        """The app's public URL, without a slash at the end."""
        return self.origin + quote(self.root_path, safe=PATH_SAFE)

    @property
    def url(self) -> str:
        """The public URL of the request."""
        return self.origin + self.location_without()

    def query_value(self, name: str) -> str:
        """The first value of a query parameter, or an empty string."""
        if not self.query:
            return ""
        return next((value for key, value in self._pairs() if key == name), "")

    def location_without(self, *names: str) -> str:
        """The path and query without some parameters.

        It is relative, so a forged ``Host`` header can't redirect the browser to another site.

        :param names: the query parameters to leave out.
        """
        # Browsers read a path that starts with two slashes as a host name.
        path = "/" + quote(self.path.lstrip("/\\"), safe=PATH_SAFE)
        pairs = self._pairs()
        kept = [(key, value) for key, value in pairs if key not in names]
        # Encoding a query again may change its spelling, so avoid it where nothing is removed.
        query = self.query if len(kept) == len(pairs) else urlencode(kept)
        return f"{path}?{query}" if query else path

    @property
    def is_document_navigation(self) -> bool:
        """Whether a browser is loading a page, the only case in which it can follow a handshake.

        Without ``Sec-Fetch-Dest`` (older browsers), ``Accept`` decides.
        """
        if self.method != "GET":
            return False
        destination = self.headers.get("sec-fetch-dest")
        if destination is not None:
            return destination in ("document", "iframe")
        return self.headers.get("accept", "").startswith("text/html")

    def _pairs(self) -> list[tuple[str, str]]:
        try:
            return parse_qsl(self.query, keep_blank_values=True, max_num_fields=1000)
        except ValueError:
            return []
