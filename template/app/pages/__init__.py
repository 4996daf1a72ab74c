"""Public pages: landing page, errors, health check."""

from __future__ import annotations

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from .errors import show_database_error, show_error
from .views import blueprint


def init_app(app: Flask) -> None:
    """Register the pages and the error handlers."""
    app.register_blueprint(blueprint)
    app.register_error_handler(HTTPException, show_error)
    app.register_error_handler(SQLAlchemyError, show_database_error)
