"""Clerk's hosted pages, in plain HTML: they work without any JavaScript."""

from __future__ import annotations

from flask import Blueprint
from werkzeug import Response

from ..errors import ClerkError
from . import (
    addresses,
    authorization,
    choose_organization,
    confirmation,
    consent,
    organization,
    setup_mfa,
    sign_in,
    sign_up,
    social,
    tasks,
    user,
    user_factors,
    waitlist,
)
from .pages import render

hosted_pages = Blueprint("hosted", __name__)
for part in (
    authorization,
    consent,
    sign_in,
    sign_up,
    social,
    tasks,
    setup_mfa,
    choose_organization,
    waitlist,
    user,
    addresses,
    user_factors,
    confirmation,
    organization,
):
    hosted_pages.register_blueprint(part.blueprint)


@hosted_pages.errorhandler(ClerkError)
def show_error(error: ClerkError) -> Response:
    """A page that says what went wrong."""
    response = render("problem.html", error=error)
    response.status_code = error.status
    return response
