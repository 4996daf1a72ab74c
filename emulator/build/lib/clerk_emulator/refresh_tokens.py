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
        raise _absent("expired_token")
    if not refresh_token:
        raise _absent("refresh_token")
    sid = clerk.signer.session_of(expired_token, BEGINNING_OF_TIME)
    if sid is None:
        message = "The session token provided could not be successfully verified"
        raise ClerkError("expired_session_token_invalid", message, 401)
    if sid != session_id:
        message = "expired_token is a token of another session."
        raise ClerkError("refresh_sid_mismatch", message, 401)
    session = clerk.store.get(Session, session_id)
    if session is None:
        message = f"No session was found with id {session_id}"
        raise ClerkError("session_refresh_session_not_found", message, 401)
    if settle(clerk, session).status not in LIVE:
        message = "The provided session is not active"
        raise ClerkError("session_refresh_inactive_session", message, 401)
    known = session.refresh_hash.encode()
    if not known or not hmac.compare_digest(_hash(refresh_token).encode(), known):
        message = "The provided refresh token was not found"
        raise ClerkError("refresh_token_not_found", message, 401)
    session.refresh_hash = ""
    use_session(clerk, session)
    return session


def _absent(param: str) -> ClerkError:
    return ClerkError("form_param_missing", f"{param} must be included.", 422, param)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
