"""Limits on the fields of a request, so that a stranger can't make it expensive to parse."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import IO, Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Request
from werkzeug.exceptions import RequestEntityTooLarge, RequestHeaderFieldsTooLarge
from werkzeug.formparser import FormDataParser

MAX_COOKIES = 64 * 1024
"""Characters in all ``Cookie`` headers of a request. Gunicorn accepts 800,000, in many headers."""


class LimitedFormParser(FormDataParser):
    """Applies Flask's ``MAX_FORM_PARTS``, by default 1,000 fields, to URL-encoded forms, too."""

    def parse(
        self, stream: IO[bytes], mimetype: str, *args: Any, **kwargs: Any
    ) -> tuple[IO[bytes], Any, Any]:
        """Parse a form.

        :raises RequestEntityTooLarge: it has too many fields.
        """
        if mimetype == "application/x-www-form-urlencoded" and self.max_form_parts is not None:
            body = stream.read()
            if body.count(b"&") >= self.max_form_parts:
                raise RequestEntityTooLarge
            stream = BytesIO(body)
        return super().parse(stream, mimetype, *args, **kwargs)


def init_app(app: Flask) -> None:
    """Answer forms with too many fields with 413, and requests with too many cookies with 431."""
    app.request_class = type("Request", (Request,), {"form_data_parser_class": LimitedFormParser})
    app.wsgi_app = _refuse_many_cookies(app.wsgi_app)  # type: ignore[assignment]


def _refuse_many_cookies(app: WSGIApplication) -> WSGIApplication:
    # Before Flask, which reads the session from the cookies before anything else.
    def handle(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if len(environ.get("HTTP_COOKIE", "")) > MAX_COOKIES:
            return RequestHeaderFieldsTooLarge()(environ, start_response)
        return app(environ, start_response)

    return handle
