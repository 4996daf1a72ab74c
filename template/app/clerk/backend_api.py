"""A client for Clerk's Backend API.

Source: https://clerk.com/docs/reference/backend-api
"""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
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

from .bounded_cache import BoundedCache
from .call_budget import CallBudget
from .forking import renew_after_fork
from .instance import API_VERSION, Instance
from .total_timeout import TotalTimeout, TotalTimeoutAdapter

TIMEOUT = (3.05, 6.0)
"""Seconds to wait for a connection, and then for data from the server."""

QUICK_TIMEOUT = 3.0
"""Seconds for a whole call that any visitor can cause, so that a slow API can't hold workers."""

QUICK_CONNECT_TIMEOUT = 1.5
"""Seconds to wait for a connection in such a call."""

REFUSED = (400, 404, 410, 422)
"""Statuses with which Clerk says that it doesn't know a nonce or token, or no longer accepts it."""

REFUSAL_LIFETIME = 10.0
"""Seconds for which such a response is remembered."""

REFUSALS_SIZE = 256 * 1024
"""Bytes for remembered refusals, which need about 500 each."""

WARNING_INTERVAL = 60.0
"""Seconds between two warnings about too many calls, so that an attack doesn't fill the log."""

ATTEMPTS = 3
"""How many times a read-only call is attempted at most."""

LONGEST_PAUSE = 5
"""Seconds. If Clerk's ``Retry-After`` asks for a longer pause, the call fails at once."""

PAGE_SIZE = 100
"""Objects fetched per page; Clerk allows up to 500."""

UNEXPECTED = "unexpected-bapi-error"
"""The error code for a response in an unexpected format."""

log = logging.getLogger(__name__)

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


class TooManyCallsError(BackendApiError):
    """Visitors cause more calls than this process may make. Ask them to try again later."""

    def __init__(self) -> None:
        message = "too many calls at once, so this one was not made"
        super().__init__(503, "too-many-calls", message, retry_after=1)


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

    The calls that any visitor can cause, with a made-up nonce or token, are limited: they have
    short time-outs, ``budget`` bounds their number, and Clerk's refusals are kept for a while.

    :param instance: the instance, with its secret key.
    :param clock: returns monotonic time in seconds.
    """

    def __init__(self, instance: Instance, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._base = f"{instance.api_url}/v1"
        self._secret_key = instance.secret_key
        self._clock = clock
        self.budget = CallBudget(clock=clock)
        self._next_warning = float("-inf")
        self._hash_key = secrets.token_bytes(32)
        self._refusals: BoundedCache[bytes, tuple[float, int, str]] = BoundedCache(REFUSALS_SIZE)
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        """Start a new connection pool: processes that share one can read each other's responses."""
        self._http = self._new_session(HTTPAdapter(pool_maxsize=32, max_retries=_retries()))
        self._quick_http = self._new_session(
            TotalTimeoutAdapter(pool_maxsize=8, max_retries=_quick_retries())
        )

    def _new_session(self, adapter: HTTPAdapter) -> requests.Session:
        session = requests.Session()
        session.headers["Clerk-API-Version"] = API_VERSION
        # Not a plain header: requests would replace it with credentials from ~/.netrc.
        session.auth = _Bearer(self._secret_key)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        return session

    def jwks(self) -> Json:
        """Fetch the instance's public keys, as a JWKS document (RFC 7517)."""
        return self.call("GET", "/jwks", quick=True)

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
        return self.call("POST", f"/sessions/{_id(session_id)}/revoke", quick=True)

    def refresh_session(self, session_id: str, body: Json) -> list[str]:
        """Exchange an expired session token for a new one.

        :param body: ``expired_token``, ``refresh_token``, and details of the browser's request.
        :returns: ``Set-Cookie`` header values, including the new session token.
        """
        path = f"/sessions/{_id(session_id)}/refresh"
        secret = f"{body.get('expired_token')} {body.get('refresh_token')}"
        return _strings(self._call_for_visitor("POST", path, secret, json=body), "cookies")

    def handshake_payload(self, nonce: str) -> list[str]:
        """Exchange a handshake nonce for its payload.

        :returns: ``Set-Cookie`` header values.
        """
        path = "/clients/handshake_payload"
        answer = self._call_for_visitor("GET", path, nonce, params={"nonce": nonce})
        return _strings(answer, "directives")

    def verify_machine_token(self, path: str, field: str, token: str) -> Json:
        """Verify an opaque API key, machine-to-machine token, or OAuth access token.

        :param path: the endpoint for the token's class, below ``/v1``.
        :param field: the name of the token in the request's body.
        :returns: Clerk's description of the token.
        """
        return self._call_for_visitor("POST", path, token, json={field: token})

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

    def _call_for_visitor(self, method: str, path: str, secret: str, **options: Any) -> Json:
        """Make a call that a request without a session can cause.

        :param secret: what the visitor sent. Refusals are remembered by its keyed hash.
        :raises TooManyCallsError: the process makes too many such calls.
        """
        text = f"{path} {secret}".encode(errors="replace")
        key = hashlib.blake2b(text, key=self._hash_key).digest()
        until, status, code = self._refusals.get(key) or (0.0, 0, "")
        if self._clock() < until:
            raise BackendApiError(status, code, "refused a moment ago")
        if not self.budget.acquire():
            self._warn_of_too_many_calls()
            raise TooManyCallsError
        try:
            return self.call(method, path, quick=True, **options)
        except BackendApiError as error:
            if error.status in REFUSED:
                until = self._clock() + REFUSAL_LIFETIME
                self._refusals.put(key, (until, error.status, error.code), size=200)
            raise
        finally:
            self.budget.release()

    def _warn_of_too_many_calls(self) -> None:
        if self._clock() >= self._next_warning:
            self._next_warning = self._clock() + WARNING_INTERVAL
            log.warning(
                "Visitors without a session cause more calls to Clerk than one process may make; "
                "some get a 503. Either this is an attack, or Clerk is slow, or more workers are "
                "needed."
            )

    def call(self, method: str, path: str, *, quick: bool = False, **options: Any) -> Json:
        """Call the API, and return the JSON object in the response.

        :param path: the path below ``/v1``.
        :param quick: whether the call, with all its attempts, may last ``QUICK_TIMEOUT`` at most.
        :param options: ``params`` or ``json``, as in requests.
        :raises BackendApiError: there is no response, or it is an error or isn't a JSON object.
        """
        body = self._send(method, path, quick=quick, **options)
        if not isinstance(body, dict):
            raise BackendApiError(200, UNEXPECTED, "the response is not a JSON object")
        return body

    def _send(self, method: str, path: str, *, quick: bool = False, **options: Any) -> Any:
        http = self._quick_http if quick else self._http
        options["timeout"] = (
            TotalTimeout(QUICK_TIMEOUT, connect=QUICK_CONNECT_TIMEOUT) if quick else TIMEOUT
        )
        try:
            response = http.request(method, self._base + path, allow_redirects=False, **options)
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

    longest_pause = LONGEST_PAUSE

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        """Count an attempt, or give up if Clerk asks for a pause of over ``longest_pause``."""
        pause = self.get_retry_after(response) if response else None
        if _pool and (pause or 0) > self.longest_pause:
            raise MaxRetryError(_pool, url or "", error)
        return super().increment(method, url, response, error, _pool, _stacktrace)

    def parse_retry_after(self, retry_after: str) -> float:
        """The pause in seconds that ``Retry-After`` asks for; 0 if its value is invalid."""
        try:
            return super().parse_retry_after(retry_after)
        except InvalidHeader:
            return 0.0


class _QuickRetry(_BoundedRetry):
    longest_pause = 0


def _quick_retries() -> Retry:
    """Retry a lost connection or a 502, 503 or 504 once, but never a call that timed out."""
    return _QuickRetry(
        1,
        read=False,
        redirect=0,
        status_forcelist=(502, 503, 504),
        allowed_methods=("GET", "HEAD"),
        backoff_factor=0.1,
        raise_on_status=False,
    )


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
