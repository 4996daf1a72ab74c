"""How the Backend API is called: authentication, time-outs, retries, and errors."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Self

import requests
from requests.auth import AuthBase
from urllib3 import BaseHTTPResponse
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import InvalidHeader, MaxRetryError
from urllib3.util import Retry

TIMEOUT = (3.05, 6.0)
"""Seconds to wait for a connection, and then for data from the server."""

QUICK_TIMEOUT = 3.0
"""Seconds for a whole call that any visitor can cause, so that a slow API can't hold workers."""

REQUEST_TIMEOUT = 5.0
"""Seconds that all calls of one request may last together."""

QUICK_CONNECT_TIMEOUT = 1.5
"""Seconds to wait for a connection in such a call."""

ATTEMPTS = 3
"""How many times a read-only call is attempted at most."""

LONGEST_PAUSE = 5
"""Seconds. If Clerk's ``Retry-After`` asks for a longer pause, the call fails at once."""

UNEXPECTED = "unexpected-bapi-error"
"""The error code for a response in an unexpected format."""

# The app sends error codes in response headers, so only characters that are safe there are allowed.
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,100}\Z")


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


class BearerAuth(AuthBase):
    """Sends the secret key, even if ``~/.netrc`` has credentials for the same host."""

    def __init__(self, secret_key: str) -> None:
        self._secret_key = secret_key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._secret_key}"
        return request


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
        """Count an attempt, or give up if Clerk asks for a pause of over :data:`LONGEST_PAUSE`."""
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


def quick_retries() -> Retry:
    """Retry only what never reached Clerk: every call that does must count."""
    return Retry(1, read=False, status=0, other=0, redirect=0, respect_retry_after_header=False)


def patient_retries() -> Retry:
    """Retry a lost connection, and temporary errors of Clerk."""
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


def read_error(response: requests.Response, body: object) -> BackendApiError:
    """Read a response in the format of Clerk's errors."""
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
