"""Error pages for browsers, JSON for API clients."""

from __future__ import annotations

from flask import current_app, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, ServiceUnavailable

from app.clerk import public_origin, safe_path, wants_page
from app.database_errors import explain_database_error, is_database_unavailable

TEXTS = {
    401: ("Please sign in", "You need to be signed in to see this page."),
    403: ("Not allowed", "You don't have access to this. Ask an admin of your organization."),
    404: ("Page not found", "This page doesn't exist. It may have moved."),
    500: ("Something went wrong", "This is our fault, and it has been logged. Please try again."),
    503: ("Not available right now", "Please try again in a few seconds."),
}

RETRY_AFTER = 5
"""Seconds until a browser or API client should try again when the database can't be used."""


def show_error(error: HTTPException) -> ResponseReturnValue:
    """Respond with an error page, or the same in JSON.

    An uncaught exception arrives as an InternalServerError, which Flask has logged.
    """
    if error.response is not None or error.code is None or error.code < 400:
        return error.get_response()
    title, text = TEXTS.get(error.code, (error.name, ""))
    if error.description != type(error).description or not text:
        text = error.description or ""
    # Such as Allow with a 405, or Retry-After.
    headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}
    if wants_page():
        sent = request.method == "POST"
        page = render_template(
            "pages/error.html",
            code=error.code,
            title=title,
            text=text,
            form_page=safe_path(request.referrer, public_origin()) if sent else None,
            fields=getattr(error, "fields", ()),  # see app.security.StaleForm
        )
        return page, error.code, headers
    return jsonify(error=title, message=text), error.code, headers


def show_database_error(error: SQLAlchemyError) -> ResponseReturnValue:
    """Respond with 503 while the database can't be used. Clerk delivers webhooks again later.

    :raises SQLAlchemyError: the error is one of the app, which becomes a 500.
    """
    if not is_database_unavailable(error):
        raise error
    current_app.logger.error("%s", explain_database_error(error))
    unavailable = ServiceUnavailable(retry_after=RETRY_AFTER)
    try:
        return show_error(unavailable)
    except SQLAlchemyError:  # the page itself needs the database, such as for the user's name
        return unavailable.get_response()
