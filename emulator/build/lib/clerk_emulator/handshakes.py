"""What a handshake hands over: the cookies that tell the app's server who is signed in."""

from __future__ import annotations

import secrets

from .clerk import LocalClerk
from .refresh_tokens import new_refresh_token
from .resources import Client, HandshakeNonce, Session
from .session_tokens import session_token
from .sessions import active_session

NONCE_LIFETIME_MS = 60_000
YEAR_SECONDS = 365 * 24 * 3600


def directives(clerk: LocalClerk, client: Client, authorized_party: str) -> list[str]:
    """The Set-Cookie strings that bring the app up to date, each with its suffixed twin.

    Neither Secure nor HttpOnly: this is http on localhost, and Clerk.js reads and writes them.
    ``__client_uat`` is never later than the token's ``iat``, or the app would ask again at once.
    """
    session = active_session(clerk, client)
    cookies = {"__clerk_db_jwt": client.dev_browser, "__client_uat": "0", "__session": ""}
    if session is not None:
        token = session_token(clerk, session, authorized_party)
        cookies |= {"__client_uat": str(client.updated_at // 1000), "__session": token}
    return twin_cookies(clerk, cookies) + _refresh_cookie(clerk, session)


def twin_cookies(clerk: LocalClerk, cookies: dict[str, str]) -> list[str]:
    """Set-Cookie strings, each with its suffixed twin; an empty value takes the cookie away."""
    suffix = clerk.config.cookie_suffix
    return [
        set_cookie(twin, value)
        for name, value in cookies.items()
        for twin in (name, f"{name}_{suffix}")
    ]


def set_cookie(name: str, value: str) -> str:
    """One Set-Cookie string."""
    return f"{name}={value}; Path=/; SameSite=Lax; Max-Age={YEAR_SECONDS if value else 0}"


def _refresh_cookie(clerk: LocalClerk, session: Session | None) -> list[str]:
    """Production instances hand over a refresh token, too."""
    if session is None or not clerk.settings.sessions.handshake_in_cookies:
        return []
    return [refresh_cookie(clerk, new_refresh_token(clerk, session))]


def refresh_cookie(clerk: LocalClerk, token: str) -> str:
    """The Set-Cookie string of a refresh token: suffixed only, and not for scripts."""
    return set_cookie(f"__refresh_{clerk.config.cookie_suffix}", token) + "; HttpOnly"


def store_for_nonce(clerk: LocalClerk, cookies: list[str]) -> str:
    """Keep a payload for the app's server to fetch, and return the nonce it needs for that."""
    now = clerk.now
    nonce = HandshakeNonce(secrets.token_urlsafe(24), now, now, cookies)
    clerk.store.put(nonce)
    return nonce.id


def redeem_nonce(clerk: LocalClerk, nonce: str) -> list[str] | None:
    """The payload of a nonce: once, and within a minute. None otherwise."""
    expired = clerk.now - NONCE_LIFETIME_MS
    for stored in clerk.store.find(HandshakeNonce):
        if stored.created_at < expired:
            clerk.store.delete(stored)
    found = clerk.store.get(HandshakeNonce, nonce)
    if found is None:
        return None
    clerk.store.delete(found)
    return found.directives
