"""The hosted pages speak to the Frontend API as Clerk's own pages do: all rules are there."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any, cast
from urllib.parse import parse_qsl

from flask import Flask, current_app, g, request

from ..clerk import CHOSEN, current_clerk
from ..dev_browser import PARAMETER
from ..errors import ClerkError
from ..resources import Client
from ..sessions import active_session
from .pages import browser

PASSED_ON = ("User-Agent", "X-Forwarded-For", "Clerk-Proxy-Url")


def call(path: str, method: str = "POST", **form: str) -> dict[str, Any]:
    """What the Frontend API answers this browser, in ``response``.

    :param path: below ``/v1``.
    :raises ClerkError: with the API's own error.
    """
    return _call(path, method, form)


def upload(path: str, content: bytes) -> dict[str, Any]:
    """What it answers to a file.

    :raises ClerkError: with the API's own error.
    """
    return _call(path, "POST", {"file": (BytesIO(content), "file")})


def _call(path: str, method: str, form: Mapping[str, object]) -> dict[str, Any]:
    client = browser()
    path, _, extra = path.partition("?")
    query = dict(parse_qsl(extra)) | {PARAMETER: client.dev_browser}
    session = active_session(current_clerk(), client)
    if session is not None and not path.startswith("/client"):
        query["_clerk_session_id"] = session.id
    headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
    app = cast(Flask, current_app._get_current_object())  # type: ignore[attr-defined]
    sent: dict[str, Any] = (
        {"query_string": query, "data": form} if form else {"query_string": query}
    )
    chosen = {CHOSEN: current_clerk().config.publishable_key}
    with app.test_request_context(
        f"/v1{path}", method=method, headers=headers, environ_overrides=chosen, **sent
    ):
        answer = app.full_dispatch_request()
    g.browser = current_clerk().store.get(Client, client.id) or client
    body = answer.get_json()
    if answer.status_code >= 400:
        raise _error(answer.status_code, body["errors"][0])
    return cast(dict[str, Any], body)


def response_of(path: str, method: str = "POST", **form: str) -> dict[str, Any]:
    """The ``response`` of an answer."""
    found: dict[str, Any] = call(path, method, **form)["response"]
    return found


def current_step(kind: str) -> dict[str, Any] | None:
    """What this browser is in the middle of.

    :param kind: ``sign_in`` or ``sign_up``.
    """
    found: dict[str, Any] | None = (call("/client", "GET")["response"] or {}).get(kind)
    return found


def rows_of(path: str) -> list[dict[str, Any]]:
    """The rows of a list, however the API wraps it."""
    found = call(path, "GET")
    rows: Any = found.get("response", found) if isinstance(found, dict) else found
    return cast(list[dict[str, Any]], rows["data"] if isinstance(rows, dict) else rows)


def _error(status: int, error: dict[str, Any]) -> ClerkError:
    meta = dict(error["meta"])
    param = meta.pop("param_name", None)
    return ClerkError(error["code"], error["long_message"], status, param, meta=meta)
