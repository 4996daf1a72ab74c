"""``/emulator/…``: what tests and commands ask of the emulator itself. Clerk has nothing of it.

JSON in, JSON out, and the same secret key as for the Backend API.
"""

from __future__ import annotations

from flask import Blueprint

from ..backend_api import require_secret_key
from . import clock, inbox, settings, state, webhooks

control_api = Blueprint("control_api", __name__)
for part in (settings, inbox, clock, state, webhooks):
    control_api.register_blueprint(part.blueprint)
control_api.before_request(require_secret_key)
