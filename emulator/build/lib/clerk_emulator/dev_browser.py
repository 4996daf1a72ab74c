"""The dev browser token: how a development instance tells browsers apart (protocol, section 2)."""

from __future__ import annotations

from flask import request

from .clerk import current_clerk
from .resources import Client
from .sessions import Visitor, client_of

PARAMETER = "__clerk_db_jwt"


def cookie_names() -> tuple[str, str]:
    """The cookie with the key's suffix, which wins, and the one without."""
    return f"{PARAMETER}_{current_clerk().config.cookie_suffix}", PARAMETER


def known_browser() -> Client | None:
    """The browser named in the query, else in its cookies; None for one we have never seen.

    For pages that a browser navigates to. The Frontend API does not look at cookies.
    """
    tokens = [request.args.get(PARAMETER, "")]
    tokens += [request.cookies.get(name, "") for name in cookie_names()]
    known = (client_of(current_clerk(), token) for token in tokens)
    return next((client for client in known if client is not None), None)


def browser_of_cookies() -> Client | None:
    """The browser named in its cookies, whatever the query says."""
    known = (client_of(current_clerk(), request.cookies.get(name, "")) for name in cookie_names())
    return next((client for client in known if client is not None), None)


def current_visitor() -> Visitor:
    """The browser's name and address; the app's proxy says from where it came."""
    forwarded = request.headers.get("X-Forwarded-For", "").partition(",")[0].strip()
    return Visitor(request.user_agent.string, forwarded or request.remote_addr or "")
