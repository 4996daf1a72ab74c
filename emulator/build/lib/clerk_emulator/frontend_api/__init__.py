"""The Frontend API, ``/v1/…``: what Clerk.js calls from the browser."""

from __future__ import annotations

from flask import Blueprint, g, request

from ..clerk import current_clerk
from ..testing_tokens import PARAMETER, is_testing_token
from . import (
    billing,
    client,
    dev_tools,
    environment,
    handshake,
    me,
    oauth_callback,
    organizations,
    reverification,
    sessions,
    sign_ins,
    sign_ups,
    tickets,
    verify,
    waitlist,
)

frontend_api = Blueprint("frontend_api", __name__)
for part in (
    billing,
    environment,
    dev_tools,
    client,
    handshake,
    sessions,
    sign_ins,
    sign_ups,
    me,
    organizations,
    reverification,
    oauth_callback,
    tickets,
    verify,
    waitlist,
):
    frontend_api.register_blueprint(part.blueprint)


@frontend_api.before_request
def accept_testing_token() -> None:
    """A test's browser shows that it may pass bot protection."""
    token = request.args.get(PARAMETER)
    g.passes_bot_protection = token is not None and is_testing_token(current_clerk(), token)
