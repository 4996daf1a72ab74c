"""Refresh tokens: how the app's server renews a session token without a redirect (section 7)."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from .clerk import LocalClerk
from .errors import ClerkError
from .resources import Session
from .sessions import LIVE, settle, use_session

BEGINNING_OF_TIME = 0


def new_refresh_token(clerk: LocalClerk, session: Session) -> str:
    """A refresh token for a session. The one there was before is good for nothing any more."""
    token = f"rt_{secrets.token_urlsafe(32)}"
    session.refresh_hash = _hash(token)
    clerk.store.put(session)
    return token


def refresh_session(
    clerk: LocalClerk, session_id: str, expired_token: str, refresh_token: str
) -> Session:
    """Use up a refresh token.

    :param expired_token: a session token of that session, however old.
    :raises ClerkError: if the tokens are not of this session, or it has ended. The code tells
        the app's server why.
    """
    if not expired_token:
        raise ClerkError("missing_session_token", "expired_token is missing.", 400)
    if not refresh_token:
        raise ClerkError("missing_refresh_token", "refresh_token is missing.", 400)
    if clerk.signer.session_of(expired_token, BEGINNING_OF_TIME) != session_id:
        message = "expired_token is not a token of this session."
        raise ClerkError("invalid_session_token", message, 401)
    session = clerk.store.get(Session, session_id)
    if session is None or settle(clerk, session).status not in LIVE:
        raise ClerkError("session_not_live", "The session has ended.", 401)
    known = session.refresh_hash.encode()
    if not known or not hmac.compare_digest(_hash(refresh_token).encode(), known):
        raise ClerkError("invalid_refresh_token", "This refresh token is not valid.", 401)
    session.refresh_hash = ""
    use_session(clerk, session)
    return session


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
