"""The Frontend API, ``/v1/…``: what Clerk.js calls from the browser."""

from __future__ import annotations

from flask import Blueprint

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
    verify,
    waitlist,
):
    frontend_api.register_blueprint(part.blueprint)
