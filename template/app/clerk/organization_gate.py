"""Refuse requests whose address names another organization than the active one.

Registered if the instance has organization or personal account patterns, for all methods of all
views below them, except those marked with :func:`~.flask_clerk.exempt`.
"""

from __future__ import annotations

from flask import current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from .authenticate import bearer_token
from .flask_clerk import admitted_session, clerk_of
from .flask_request import request_facts
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
    """Check that the organization in the address is active; if not, visitors must sign in first.

    Of the machine tokens, only an organization's own API key passes, where the address contains
    the organization's ID; the view's rule still decides whether it accepts API keys at all.

    :raises NotFound: another organization is active, or none. The response doesn't reveal whether
        the one in the address exists.
    """
    clerk, facts = clerk_of(current_app), request_facts()
    wanted = organization_in_path(facts.route_path, clerk.instance)
    if wanted is None or clerk.is_exempt(request.endpoint):
        return None
    if is_preflight():
        return preflight_response()
    token = bearer_token(facts)
    kind = machine_token_kind(token) if token else None
    if kind == "api_key" and wanted[0] == "id":
        machine = verify_machine_token(token, kind)
        if machine is None:
            return unauthenticated_json()
        is_active = machine.subject == wanted[1]
    elif kind:
        is_active = False
    else:
        session = admitted_session()
        if session is None:
            return unauthenticated()
        is_active = organization_to_activate(facts.route_path, session, clerk.instance) is None
    if not is_active:
        raise NotFound
    return None
