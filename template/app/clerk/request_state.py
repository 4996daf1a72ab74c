"""The result of authenticating one request. Clerk's SDKs call it the request state."""

from __future__ import annotations

from typing import Literal, NamedTuple

from .session import Session

Status = Literal["signed-in", "signed-out", "handshake"]


class RequestState(NamedTuple):
    """Whether a request is signed in, and what its response must carry because of that."""

    status: Status
    reason: str = ""
    """Clerk's code for the decision, sent as ``X-Clerk-Auth-Reason``; empty when signed in."""
    message: str = ""
    """A sentence for developers, sent as ``X-Clerk-Auth-Message``."""
    session: Session | None = None
    """The verified session; set only when the status is ``signed-in``."""
    location: str = ""
    """The URL to redirect the browser to before anything else; empty for no redirect."""
    cookies_missing: bool = False
    """Whether the browser doesn't keep Clerk's cookies, so that only an explanation can help."""
    set_cookies: tuple[str, ...] = ()
    """``Set-Cookie`` header values, to be sent unchanged."""
