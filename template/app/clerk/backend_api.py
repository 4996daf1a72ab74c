"""A client for Clerk's Backend API.

Source: https://clerk.com/docs/reference/backend-api
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter

from .backend_http import (
    QUICK_CONNECT_TIMEOUT,
    QUICK_TIMEOUT,
    REQUEST_TIMEOUT,
    TIMEOUT,
    UNEXPECTED,
    BackendApiError,
    BearerAuth,
    patient_retries,
    quick_retries,
    read_error,
)
from .bounded_cache import BoundedCache
from .call_budget import CallLimits
from .forking import renew_after_fork
from .instance import API_VERSION, Instance
from .total_timeout import TotalTimeout, TotalTimeoutAdapter

CALL_TIME = "clerk.call_time"
"""The name of the value with the seconds that a request still has for its calls."""

ENDED_SIZE = 64 * 1024
"""Bytes for the IDs of sessions that have been ended, which need about 350 each."""

PAGE_SIZE = 100
"""Objects fetched per page; Clerk allows up to 500."""

Json = dict[str, Any]


class BackendApi:
    """Calls the Backend API of one instance over a pool of connections.

    Read-only calls are retried after a lost connection or a response of 429, 502, 503, or 504. The
    pause doubles with each retry, unless Clerk asks for a certain pause. All methods that call
    Clerk raise :class:`BackendApiError` if the call fails.

    During a request, the calls have a short time together, so that a slow API can't hold workers.
    Calls that any visitor can cause, with a made-up nonce or token, are always short, and limited
    in number.

    :param instance: the instance, with its secret key.
    :param clock: returns monotonic time in seconds.
    :param current_request: returns a place to keep values of the current request, such as its WSGI
        environment; None outside of requests, where there is no hurry.
    """

    def __init__(
        self,
        instance: Instance,
        *,
        clock: Callable[[], float] = time.monotonic,
        current_request: Callable[[], Json | None] = lambda: None,
    ) -> None:
        self._base = f"{instance.api_url}/v1"
        self._secret_key = instance.secret_key
        self._current_request = current_request
        self.limits = CallLimits(clock)
        self._ended: BoundedCache[str, bool] = BoundedCache(ENDED_SIZE)
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        """Start a new connection pool: processes that share one can read each other's responses."""
        self._http = self._new_session(HTTPAdapter(pool_maxsize=32, max_retries=patient_retries()))
        self._quick_http = self._new_session(
            TotalTimeoutAdapter(pool_maxsize=8, max_retries=quick_retries())
        )

    def _new_session(self, adapter: HTTPAdapter) -> requests.Session:
        session = requests.Session()
        session.headers["Clerk-API-Version"] = API_VERSION
        session.auth = BearerAuth(self._secret_key)
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

    def end_session(self, session_id: str) -> None:
        """Revoke a session because a visitor asks for it; do nothing if it has already ended."""
        if self._ended.get(session_id):
            return
        try:
            with self.limits.admit("sign-out", session_id, session_id=session_id):
                self.revoke_session(session_id)
        except BackendApiError as error:
            if error.status not in (400, 404):
                raise
        self._ended.put(session_id, True, size=len(session_id))

    def refresh_session(self, session_id: str, body: Json) -> list[str]:
        """Exchange an expired session token for a new one.

        :param body: ``expired_token``, ``refresh_token``, and details of the browser's request.
        :returns: ``Set-Cookie`` header values, including the new session token.
        """
        path = f"/sessions/{_id(session_id)}/refresh"
        secret = f"{body.get('expired_token')} {body.get('refresh_token')}"
        with self.limits.admit("refresh", secret, session_id=session_id):
            return _strings(self.call("POST", path, quick=True, json=body), "cookies")

    def handshake_payload(self, nonce: str, kind: str = "nonce") -> list[str]:
        """Exchange a handshake nonce for its payload.

        :param kind: the kind of call as which it is limited.
        :returns: ``Set-Cookie`` header values.
        """
        path = "/clients/handshake_payload"
        with self.limits.admit(kind, nonce):
            return _strings(
                self.call("GET", path, quick=True, params={"nonce": nonce}), "directives"
            )

    def verify_machine_token(self, path: str, field: str, token: str) -> Json:
        """Verify an opaque API key, machine-to-machine token, or OAuth access token.

        :param path: the endpoint for the token's class, below ``/v1``.
        :param field: the name of the token in the request's body.
        :returns: Clerk's description of the token.
        """
        with self.limits.admit("machine token", f"{path} {token}"):
            return self.call("POST", path, quick=True, json={field: token})

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

    def call(self, method: str, path: str, *, quick: bool = False, **options: Any) -> Json:
        """Call the API, and return the JSON object in the response.

        :param path: the path below ``/v1``.
        :param quick: whether the call is as short outside of requests as during a request.
        :param options: ``params`` or ``json``, as in requests.
        :raises BackendApiError: there is no response, or it is an error or isn't a JSON object.
        """
        body = self._send(method, path, quick=quick, **options)
        if not isinstance(body, dict):
            raise BackendApiError(200, UNEXPECTED, "the response is not a JSON object")
        return body

    def _send(self, method: str, path: str, *, quick: bool = False, **options: Any) -> Any:
        request = self._current_request()
        http, started = self._http, time.monotonic()
        options |= {"timeout": TIMEOUT, "allow_redirects": False}
        if quick or request is not None:
            left = REQUEST_TIMEOUT if request is None else request.get(CALL_TIME, REQUEST_TIMEOUT)
            seconds = max(min(left, QUICK_TIMEOUT), 0.001)
            http = self._quick_http
            options["timeout"] = TotalTimeout(seconds, connect=QUICK_CONNECT_TIMEOUT)
        try:
            response = http.request(method, self._base + path, **options)
        except (requests.RequestException, ValueError) as error:  # ValueError: an invalid Location
            message = f"no response from {self._base}: {type(error).__name__}"
            raise BackendApiError(0, "fetch-error", message) from None
        finally:
            if request is not None:
                request[CALL_TIME] = left - (time.monotonic() - started)
        try:
            body = response.json()
        except (ValueError, RecursionError):
            body = None
        if 200 <= response.status_code < 300 and body is not None:
            return body
        raise read_error(response, body)


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
