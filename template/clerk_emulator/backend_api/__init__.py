"""The Backend API, ``/api/v1/…``: what the app's server calls, with the secret key."""

from __future__ import annotations

import hmac

from flask import Blueprint, request

from ..clerk import current_clerk
from ..errors import ClerkError
from . import (
    clients,
    identifications,
    jwks,
    organization_domains,
    organization_invitations,
    organization_memberships,
    organization_roles,
    organizations,
    sessions,
    user_actions,
    users,
)

backend_api = Blueprint("backend_api", __name__)
for part in (
    jwks,
    users,
    user_actions,
    identifications,
    sessions,
    clients,
    organizations,
    organization_memberships,
    organization_invitations,
    organization_domains,
    organization_roles,
):
    backend_api.register_blueprint(part.blueprint)


@backend_api.before_request
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
    if not hmac.compare_digest(key.encode(), current_clerk().config.secret_key.encode()):
        raise ClerkError(
            "clerk_key_invalid",
            "The secret key is not this instance's. The app and the local Clerk must be started "
            "with the same CLERK_SECRET_KEY.",
            401,
        )
