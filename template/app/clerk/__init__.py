"""Speaks Clerk: who is signed in, decided as Clerk's own SDKs decide it.

Imports nothing from the rest of the app.
"""

from .backend_api import BackendApi, BackendApiError
from .flask_clerk import (
    Clerk,
    current_session,
    exempt,
    public_origin,
    session_required,
    unauthenticated_json,
    wants_page,
)
from .instance import ConfigurationError, Instance, read_instance
from .redirects import safe_path
from .session import ActiveOrganization, Session

__all__ = [
    "ActiveOrganization",
    "BackendApi",
    "BackendApiError",
    "Clerk",
    "ConfigurationError",
    "Instance",
    "Session",
    "current_session",
    "exempt",
    "public_origin",
    "read_instance",
    "safe_path",
    "session_required",
    "unauthenticated_json",
    "wants_page",
]
