"""Clerk's Backend API (protocol section 11)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import requests
from requests.auth import AuthBase

from .instance import API_VERSION, Instance

TIMEOUT = (3.05, 8.0)
"""Seconds to connect, and to wait for an answer."""

UNEXPECTED = "unexpected-bapi-error"
"""Error code for an answer that makes no sense."""

# Codes end up in response headers, so they are not taken on trust.
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,100}\Z")


class BackendApiError(Exception):
    """The Backend API did not do what was asked.

    :param status: HTTP status, or 0 when there was no answer.
    :param code: Clerk's error code, such as ``resource_not_found``.
    :param message: Clerk's own words, or what went wrong on the way.
    :param trace_id: what Clerk's support asks for.
    """

    def __init__(self, status: int, code: str, message: str, trace_id: str = "") -> None:
        super().__init__(f"Clerk's Backend API: {message} ({code}, status {status})")
        self.status = status
        self.code = code
        self.message = message
        self.trace_id = trace_id


class _Bearer(AuthBase):
    def __init__(self, secret_key: str) -> None:
        self._secret_key = secret_key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._secret_key}"
        return request


class BackendApi:
    """Calls the Backend API of one instance over a pool of connections.

    :param instance: whose API, and whose secret key.
    """

    def __init__(self, instance: Instance) -> None:
        self._base = f"{instance.api_url}/v1"
        self._http = requests.Session()
        self._http.headers["Clerk-API-Version"] = API_VERSION
        # As auth, not as a header: a .netrc of the machine would replace the header.
        self._http.auth = _Bearer(instance.secret_key)

    def jwks(self) -> dict[str, Any]:
        """The instance's public keys, as a JWKS document (RFC 7517)."""
        return self.call("GET", "/jwks")

    def user(self, user_id: str) -> dict[str, Any]:
        """One user."""
        return self.call("GET", f"/users/{quote(user_id, safe='')}")

    def revoke_session(self, session_id: str) -> dict[str, Any]:
        """End a session: no new tokens come of it. Tokens already out live up to 60 seconds."""
        return self.call("POST", f"/sessions/{quote(session_id, safe='')}/revoke")

    def handshake_payload(self, nonce: str) -> list[str]:
        """What a handshake nonce stands for: ``Set-Cookie`` strings (protocol 6.2)."""
        answer = self.call("GET", "/clients/handshake_payload", params={"nonce": nonce})
        return string_list(answer, "directives")

    def refresh_session(self, session_id: str, body: dict[str, Any]) -> list[str]:
        """A new session token for an expired one, as ``Set-Cookie`` strings (protocol 7).

        :param body: ``expired_token``, ``refresh_token``, and the facts of the request.
        """
        path = f"/sessions/{quote(session_id, safe='')}/refresh"
        return string_list(self.call("POST", path, json=body), "cookies")

    def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """Call the API, and return the JSON object it answers.

        :param path: below ``/v1``.
        :param options: ``params`` or ``json``, as in requests.
        :raises BackendApiError: no answer, an error, or an answer that is not a JSON object.
        """
        try:
            response = self._http.request(
                method, self._base + path, timeout=TIMEOUT, allow_redirects=False, **options
            )
            body = response.json()
        except requests.JSONDecodeError:
            body = None
        except requests.RequestException as error:
            message = f"{self._base} gave no answer: {type(error).__name__}"
            raise BackendApiError(0, "fetch-error", message) from None
        if 200 <= response.status_code < 300 and isinstance(body, dict):
            return body
        raise _error(response.status_code, body)


def string_list(answer: dict[str, Any], name: str) -> list[str]:
    """A list of strings out of an answer.

    :raises BackendApiError: it is something else.
    """
    values = answer.get(name)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise BackendApiError(200, UNEXPECTED, f"{name} is not a list of strings")
    return values


def _error(status: int, body: object) -> BackendApiError:
    errors = body.get("errors") if isinstance(body, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    code = first.get("code") if isinstance(first, dict) else None
    if not isinstance(first, dict) or not isinstance(code, str) or not _CODE.match(code):
        return BackendApiError(status, UNEXPECTED, "the answer is not Clerk's JSON")
    message = first.get("long_message") or first.get("message")
    trace_id = body.get("clerk_trace_id") if isinstance(body, dict) else ""
    return BackendApiError(status, code, str(message), str(trace_id or ""))
