"""Refuse requests that name another organization in their address than the active one.

Registered only if the instance has patterns (``CLERK_ORGANIZATION_PATTERNS`` and
``CLERK_PERSONAL_ACCOUNT_PATTERNS``), and then checked before any view, for all methods. Views
marked with :func:`~.flask_clerk.exempt` decide for themselves.
"""

from __future__ import annotations

from flask import current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from .authenticate import bearer_token
from .flask_clerk import admitted_session, clerk_of, request_facts
from .machine_tokens import machine_token_kind
from .organization_sync import organization_in_path, organization_to_activate
from .rules import (
    is_preflight,
    preflight_response,
    unauthenticated,
    unauthenticated_json,
    verify_machine_token,
)


def check_organization() -> ResponseReturnValue | None:
    """Check that the organization in the address is active.

    Otherwise, the response is the one for an unknown address, so that it doesn't reveal which
    organizations exist. Visitors who aren't signed in are sent to the login page, or get a 401.

    :raises NotFound: another organization is active, or none is.
    """
    clerk = clerk_of(current_app)
    facts = request_facts()
    wanted = organization_in_path(facts.route_path, clerk.instance)
    if wanted is None or clerk.is_exempt(request.endpoint):
        return None
    if is_preflight():
        return preflight_response()
    token = bearer_token(facts)
    kind = machine_token_kind(token) if token else None
    if kind is not None:
        return _check_machine_token(token, kind, wanted)
    session = admitted_session()
    if session is None:
        return unauthenticated()
    if organization_to_activate(facts.route_path, session, clerk.instance) is not None:
        raise NotFound
    return None


def _check_machine_token(
    token: str, kind: str, wanted: tuple[str, str]
) -> ResponseReturnValue | None:
    """An organization's own API key may pass where the address contains the organization's ID.

    Other machine tokens have no active organization. The view's rule still decides whether it
    accepts API keys at all.
    """
    if kind != "api_key" or wanted[0] != "id":
        raise NotFound
    machine = verify_machine_token(token, kind)
    if machine is None:
        return unauthenticated_json()
    if machine.subject != wanted[1]:
        raise NotFound
    return None
