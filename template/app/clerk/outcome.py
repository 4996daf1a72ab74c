"""What the decision on a request can be."""

from __future__ import annotations

from typing import Literal, NamedTuple

from .session import Session

Status = Literal["signed-in", "signed-out", "handshake"]


class Outcome(NamedTuple):
    """The decision on one request, and what the response must carry because of it."""

    status: Status
    reason: str = ""
    """Clerk's name for why, for the ``X-Clerk-Auth-Reason`` header; empty when signed in."""
    message: str = ""
    session: Session | None = None
    """Who is signed in; only with the status ``signed-in``."""
    location: str = ""
    """Where the browser must be sent at once, if anywhere."""
    set_cookies: tuple[str, ...] = ()
    """``Set-Cookie`` header values, verbatim."""
