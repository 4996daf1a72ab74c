"""The Backend API, ``/api/v1/…``: what the app's server calls, with the secret key.

Clerk's clients call what has to do with keys of programs without ``/v1``: the machine API.
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from . import (
    agent_tasks,
    api_keys,
    billing,
    clients,
    enterprise_connections,
    identifications,
    identifiers,
    instance,
    instance_parts,
    jwks,
    jwt_templates,
    m2m_tokens,
    machines,
    oauth_access_tokens,
    oauth_applications,
    organization_domains,
    organization_invitations,
    organization_memberships,
    organization_roles,
    organizations,
    scim_directories,
    sessions,
    sign_ups,
    templates,
    throttle,
    tickets,
    user_actions,
    users,
    verifications,
    waitlist_entries,
    webhooks,
)
from .authorization import require_secret_key

__all__ = ["backend_api", "machine_api", "require_secret_key"]

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
    api_keys,
    identifiers,
    instance,
    verifications,
    billing,
    agent_tasks,
    webhooks,
    templates,
    sign_ups,
    scim_directories,
    instance_parts,
    enterprise_connections,
    jwt_templates,
    m2m_tokens,
    machines,
    oauth_access_tokens,
    oauth_applications,
    throttle,
    tickets,
    waitlist_entries,
):
    backend_api.register_blueprint(part.blueprint)


machine_api = Blueprint("machine_api", __name__)
for part in (api_keys, m2m_tokens, oauth_access_tokens):
    machine_api.register_blueprint(part.blueprint)


@backend_api.before_request
@machine_api.before_request
def admit() -> Response | None:
    """Only a bearer of a secret key gets in, and nobody while calls are throttled."""
    require_secret_key()
    return throttle.refuse_when_throttled(request.endpoint)
