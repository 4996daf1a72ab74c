"""A client for Clerk's Backend API.

Source: https://clerk.com/docs/reference/backend-api
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3 import BaseHTTPResponse
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import InvalidHeader, MaxRetryError
from urllib3.util import Retry

from .forking import renew_after_fork
from .instance import API_VERSION, Instance

TIMEOUT = (3.05, 6.0)
"""Seconds to wait for a connection, and then for data from the server."""

ATTEMPTS = 3
"""How many times a read-only call is attempted at most."""

LONGEST_PAUSE = 5
"""Seconds. If Clerk's ``Retry-After`` asks for a longer pause, the call fails at once."""

PAGE_SIZE = 100
"""Objects fetched per page; Clerk allows up to 500."""

UNEXPECTED = "unexpected-bapi-error"
"""The error code for a response in an unexpected format."""

# The app sends error codes in response headers, so only characters that are safe there are allowed.
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,100}\Z")

Json = dict[str, Any]


class BackendApiError(Exception):
    """A call to the Backend API failed.

    :param status: the HTTP status, or 0 if there was no response.
    :param code: Clerk's error code, such as ``resource_not_found``; ``fetch-error`` if there was no
        response, or ``unexpected-bapi-error`` if it had an unexpected format.
    :param message: Clerk's message, or a description of the network error.
    :param trace_id: Clerk's ID of the call, to quote to Clerk's support; empty if unknown.
    :param retry_after: seconds after which Clerk allows a retry; 0 if not given.
    """

    def __init__(
        self, status: int, code: str, message: str, trace_id: str = "", retry_after: int = 0
    ) -> None:
        super().__init__(f"Clerk's Backend API: {message} ({code}, status {status})")
        self.status = status
        self.code = code
        self.message = message
        self.trace_id = trace_id
        self.retry_after = retry_after


class _Bearer(AuthBase):
    def __init__(self, secret_key: str) -> None:
        self._secret_key = secret_key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._secret_key}"
        return request


class BackendApi:
    """Calls the Backend API of one instance over a pool of connections.

    Read-only calls are retried after a lost connection or a response of 429, 502, 503, or 504. The
    pause doubles with each retry, unless Clerk asks for a certain pause. All methods that call
    Clerk raise :class:`BackendApiError` if the call fails.

    :param instance: the instance, with its secret key.
    """

    def __init__(self, instance: Instance) -> None:
        self._base = f"{instance.api_url}/v1"
        self._secret_key = instance.secret_key
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        """Start a new connection pool: processes that share one can read each other's responses."""
        self._http = requests.Session()
        self._http.headers["Clerk-API-Version"] = API_VERSION
        # Not a plain header: requests would replace it with credentials from ~/.netrc.
        self._http.auth = _Bearer(self._secret_key)
        adapter = HTTPAdapter(pool_maxsize=32, max_retries=_retries())
        self._http.mount("https://", adapter)
        self._http.mount("http://", adapter)

    def jwks(self) -> Json:
        """Fetch the instance's public keys, as a JWKS document (RFC 7517)."""
        return self.call("GET", "/jwks")

    def user(self, user_id: str) -> Json:
        """Fetch one user.

        :raises BackendApiError: with status 404 if there is no such user.
        """
        return self.call("GET", f"/users/{_id(user_id)}")

    def users(self, **filters: Any) -> Iterator[Json]:
        """Iterate over users, oldest first, fetching one page at a time.

        :param filters: Clerk's query parameters, such as ``email_address``.
        """
        return self.pages("/users", order_by="+created_at", **filters)

    def count_users(self, **filters: Any) -> int:
        """Count users.

        :param filters: Clerk's query parameters, such as ``email_address``.
        """
        return _total_count(self.call("GET", "/users/count", params=filters))

    def update_user(self, user_id: str, **changes: Any) -> Json:
        """Change a user.

        :param changes: the new values, such as ``first_name``, ``username`` or ``password``.
        :returns: the changed user.
        """
        return self.call("PATCH", f"/users/{_id(user_id)}", json=changes)

    def merge_metadata(self, user_id: str, **metadata: Mapping[str, Any]) -> Json:
        """Merge values into a user's metadata.

        :param metadata: the values for ``public_metadata``, ``private_metadata`` or
            ``unsafe_metadata``. None as a value removes its key.
        """
        return self.call("PATCH", f"/users/{_id(user_id)}/metadata", json=metadata)

    def delete_user(self, user_id: str) -> Json:
        """Delete a user, with all their sessions and memberships."""
        return self.call("DELETE", f"/users/{_id(user_id)}")

    def sessions(self, user_id: str) -> Iterator[Json]:
        """Iterate over a user's sessions, fetching one page at a time."""
        return self.pages("/sessions", user_id=user_id)

    def revoke_session(self, session_id: str) -> Json:
        """Revoke a session. Its tokens stay valid until they expire, at most 60 seconds later."""
        return self.call("POST", f"/sessions/{_id(session_id)}/revoke")

    def refresh_session(self, session_id: str, body: Json) -> list[str]:
        """Exchange an expired session token for a new one.

        :param body: ``expired_token``, ``refresh_token``, and details of the browser's request.
        :returns: ``Set-Cookie`` header values, including the new session token.
        """
        path = f"/sessions/{_id(session_id)}/refresh"
        return _strings(self.call("POST", path, json=body), "cookies")

    def handshake_payload(self, nonce: str) -> list[str]:
        """Exchange a handshake nonce for its payload.

        :returns: ``Set-Cookie`` header values.
        """
        answer = self.call("GET", "/clients/handshake_payload", params={"nonce": nonce})
        return _strings(answer, "directives")

    def organization(self, organization_id: str) -> Json:
        """Fetch one organization, by ID or slug."""
        return self.call("GET", f"/organizations/{_id(organization_id)}")

    def organizations(self, **filters: Any) -> Iterator[Json]:
        """Iterate over organizations, fetching one page at a time.

        :param filters: Clerk's query parameters, such as ``query``.
        """
        return self.pages("/organizations", **filters)

    def memberships(self, organization_id: str, **filters: Any) -> Iterator[Json]:
        """Iterate over an organization's memberships, fetching one page at a time.

        :param filters: Clerk's query parameters, such as ``user_id``.
        """
        return self.pages(f"/organizations/{_id(organization_id)}/memberships", **filters)

    def invitations(self, **filters: Any) -> Iterator[Json]:
        """Iterate over invitations to the application, fetching one page at a time.

        :param filters: Clerk's query parameters, such as ``status``.
        """
        return self.pages("/invitations", **filters)

    def invite(self, email_address: str, **options: Any) -> Json:
        """Send an invitation to the application by email.

        :param options: Clerk's options, such as ``redirect_url``, ``public_metadata`` or
            ``notify``.
        """
        return self.call("POST", "/invitations", json={"email_address": email_address, **options})

    def pages(self, path: str, *, page_size: int = PAGE_SIZE, **query: Any) -> Iterator[Json]:
        """Iterate over the objects of a list endpoint, fetching one page at a time.

        :param path: the path below ``/v1``.
        :param page_size: objects per page, at most 500.
        :param query: more query parameters.
        """
        offset = 0
        while True:
            page = self.page(path, **query, limit=page_size, offset=offset)
            yield from page
            offset += len(page)
            if len(page) < page_size:
                return

    def page(self, path: str, **query: Any) -> list[Json]:
        """Fetch one page of a list endpoint.

        :param path: the path below ``/v1``.
        :param query: Clerk's query parameters, such as ``limit`` (at most 500), ``offset`` and
            ``order_by``.
        """
        return _objects(self._send("GET", path, params=query))

    def call(self, method: str, path: str, **options: Any) -> Json:
        """Call the API, and return the JSON object in the response.

        :param path: the path below ``/v1``.
        :param options: ``params`` or ``json``, as in requests.
        :raises BackendApiError: there is no response, or it is an error or isn't a JSON object.
        """
        body = self._send(method, path, **options)
        if not isinstance(body, dict):
            raise BackendApiError(200, UNEXPECTED, "the response is not a JSON object")
        return body

    def _send(self, method: str, path: str, **options: Any) -> Any:
        try:
            response = self._http.request(
                method, self._base + path, timeout=TIMEOUT, allow_redirects=False, **options
            )
        except (requests.RequestException, ValueError) as error:  # ValueError: an invalid Location
            message = f"no response from {self._base}: {type(error).__name__}"
            raise BackendApiError(0, "fetch-error", message) from None
        try:
            body = response.json()
        except (ValueError, RecursionError):
            body = None
        if 200 <= response.status_code < 300 and body is not None:
            return body
        raise _error(response, body)


class _BoundedRetry(Retry):
    """Retries a call, unless Clerk asks for a longer pause than a user would wait for."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        """Count an attempt, or give up if Clerk asks for a pause of over ``LONGEST_PAUSE``."""
        pause = self.get_retry_after(response) if response else None
        if _pool and (pause or 0) > LONGEST_PAUSE:
            raise MaxRetryError(_pool, url or "", error)
        return super().increment(method, url, response, error, _pool, _stacktrace)

    def parse_retry_after(self, retry_after: str) -> float:
        """The pause in seconds that ``Retry-After`` asks for; 0 if its value is invalid."""
        try:
            return super().parse_retry_after(retry_after)
        except InvalidHeader:
            return 0.0


def _retries() -> Retry:
    return _BoundedRetry(
        ATTEMPTS - 1,
        read=1,
        redirect=0,
        status_forcelist=(429, 502, 503, 504),
        allowed_methods=("GET", "HEAD"),
        backoff_factor=0.1,  # seconds, doubled with each retry
        backoff_jitter=0.1,
        raise_on_status=False,
    )


def _id(value: str) -> str:
    return quote(value, safe="")


def _objects(page: Any) -> list[Json]:
    """The objects of a page, which is a list or ``{"data": [...]}``."""
    objects = page.get("data") if isinstance(page, dict) else page
    if not isinstance(objects, list) or not all(isinstance(item, dict) for item in objects):
        raise BackendApiError(200, UNEXPECTED, "the response is not a list of objects")
    return objects


def _total_count(answer: Json) -> int:
    count = answer.get("total_count")
    if type(count) is not int:
        raise BackendApiError(200, UNEXPECTED, "total_count is not a number")
    return count


def _strings(answer: Json, name: str) -> list[str]:
    values = answer.get(name)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise BackendApiError(200, UNEXPECTED, f"{name} is not a list of strings")
    return values


def _error(response: requests.Response, body: object) -> BackendApiError:
    status = response.status_code
    after = response.headers.get("Retry-After", "")
    retry_after = int(after) if after.isascii() and after.isdigit() and len(after) < 9 else 0
    errors = body.get("errors") if isinstance(body, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    code = first.get("code") if isinstance(first, dict) else None
    if not isinstance(first, dict) or not isinstance(code, str) or not _CODE.match(code):
        message = "the response is not JSON in the format of Clerk's errors"
        return BackendApiError(status, UNEXPECTED, message, retry_after=retry_after)
    text = first.get("long_message") or first.get("message")
    trace_id = body.get("clerk_trace_id") if isinstance(body, dict) else ""
    return BackendApiError(status, code, str(text), str(trace_id or ""), retry_after)
