"""Who may call: the app's server with the instance's secret key; for M2M tokens machines, too."""

from __future__ import annotations

import hmac
from typing import cast

from flask import g, request

from ..clerk import current_clerk
from ..errors import ClerkError
from ..machine_tokens import machine_with_key
from ..resources import Machine

OPEN_TO_MACHINES = ("backend_api.m2m_tokens.", "machine_api.m2m_tokens.")
"""Endpoints whose names begin so take a machine's secret key."""


def require_secret_key() -> None:
    """Only a bearer of the instance's secret key gets in. Compared in constant time.

    :raises ClerkError: 401 ``authorization_header_format_invalid`` or ``clerk_key_invalid``.
    """
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise ClerkError(
            "authorization_header_format_invalid",
            "Expected the header Authorization: Bearer sk_test_…",
            401,
        )
    g.machine = None
    if hmac.compare_digest(key.encode(), current_clerk().config.secret_key.encode()):
        return
    if (request.endpoint or "").startswith(OPEN_TO_MACHINES):
        g.machine = machine_with_key(current_clerk(), key)
        if g.machine is not None:
            return
    raise ClerkError(
        "clerk_key_invalid",
        "This is not the secret key of this instance. Start the app and the local Clerk with the "
        "same CLERK_SECRET_KEY.",
        401,
    )


def current_machine() -> Machine | None:
    """The machine whose secret key came with the request; None for the instance's own key."""
    return cast("Machine | None", g.machine)
