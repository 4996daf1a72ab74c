"""A request as the decision sees it: plain facts, no framework."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

PATH_SAFE = "/:@!$&'()*+,;=~-._"
"""What may stand in a URL's path as it is (RFC 3986, 3.3)."""


class RequestFacts(NamedTuple):
    """What of an HTTP request matters to authentication."""

    method: str
    origin: str
    """Scheme and host as the browser knows them, ``https://app.example.com`` (protocol 3)."""
    path: str
    """Path, decoded."""
    query: str
    """Query string without the question mark, still percent-encoded."""
    headers: Mapping[str, str]
    """Header values by lower-case name."""
    cookies: Mapping[str, str]

    @property
    def url(self) -> str:
        """The public URL of the request."""
        return self.origin + self.location_without()

    def query_value(self, name: str) -> str:
        """First value of a query parameter, or an empty string."""
        if not self.query:
            return ""
        return next((value for key, value in self._pairs() if key == name), "")

    def location_without(self, *names: str) -> str:
        """Path and query without some parameters; relative, so no forged host can steer it.

        :param names: the query parameters to leave out.
        """
        # A path that starts with two slashes would be read as another host.
        path = "/" + quote(self.path.lstrip("/\\"), safe=PATH_SAFE)
        pairs = self._pairs()
        kept = [(key, value) for key, value in pairs if key not in names]
        # Re-encoding may change how a query is spelled, so it is done only where it has to be.
        query = self.query if len(kept) == len(pairs) else urlencode(kept)
        return f"{path}?{query}" if query else path

    @property
    def is_document_navigation(self) -> bool:
        """Whether a browser is loading a page, so that a redirect is understood (protocol 6.1)."""
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
