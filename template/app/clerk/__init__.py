"""Authentication with Clerk: sessions, access rules, the Backend API, and webhooks.

This package works like Clerk's own server SDKs, and imports nothing from the rest of the app.
"""

from .authorization import Reverification
from .backend_api import BackendApi
from .backend_http import BackendApiError
from .flask_clerk import (
    Clerk,
    admitted_session,
    clerk_of,
    current_machine,
    current_session,
    exempt,
    has_bearer_token,
    session_user_id,
    wants_page,
)
from .flask_request import public_origin, public_path
from .forwarded import PublicOrigin
from .instance import Instance
from .instance_settings import read_instance
from .machine_tokens import MachineToken
from .redirects import safe_path
from .rules import requires, session_required, unauthenticated, unauthenticated_json
from .session import ActiveOrganization, Session
from .setting_values import ConfigurationError

__all__ = [
    "ActiveOrganization",
    "BackendApi",
    "BackendApiError",
    "Clerk",
    "ConfigurationError",
    "Instance",
    "MachineToken",
    "PublicOrigin",
    "Reverification",
    "Session",
    "admitted_session",
    "clerk_of",
    "current_machine",
    "current_session",
    "exempt",
    "has_bearer_token",
    "public_origin",
    "public_path",
    "read_instance",
    "requires",
    "safe_path",
    "session_required",
    "session_user_id",
    "unauthenticated",
    "unauthenticated_json",
    "wants_page",
]
