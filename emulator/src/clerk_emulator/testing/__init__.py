"""Test an app against the local Clerk.

With pytest, the fixtures ``clerk``, ``live_site`` and ``browser_page`` need no import; this module
has their types::

    from clerk_emulator.testing import RunningClerk

    def test_something(clerk: RunningClerk) -> None: ...

Without pytest, :func:`running_clerk` starts a local Clerk in the current process.
"""

from ..resources import Message, Organization, OrganizationMembership, Session, User
from .clients import (
    BACKEND_PREFIX,
    PASSWORD,
    Backend,
    Browser,
    ManualClock,
    error_of,
    example_config,
)
from .running import OpenPage, RunningClerk, RunningClock, running_clerk, serving

__all__ = [
    "BACKEND_PREFIX",
    "PASSWORD",
    "Backend",
    "Browser",
    "ManualClock",
    "Message",
    "OpenPage",
    "Organization",
    "OrganizationMembership",
    "RunningClerk",
    "RunningClock",
    "Session",
    "User",
    "error_of",
    "example_config",
    "running_clerk",
    "serving",
]
