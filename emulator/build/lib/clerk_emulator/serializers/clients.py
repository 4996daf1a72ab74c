"""A browser, with all that it has."""

from __future__ import annotations

from ..clerk import LocalClerk
from ..resources import Client, Session, SignIn, SignUp, User
from .json import Json
from .sessions import session_json
from .sign_ins import sign_in_json
from .sign_ups import sign_up_json


def client_json(
    clerk: LocalClerk, client: Client, sessions: list[Session], base_url: str, party: str
) -> Json:
    """A browser: its active sessions, and the sign-in or sign-up under way."""
    sign_in = clerk.store.get(SignIn, client.sign_in_id)
    sign_up = clerk.store.get(SignUp, client.sign_up_id)
    with_users = [(session, clerk.store.get(User, session.user_id)) for session in sessions]
    return {
        "object": "client",
        "id": client.id,
        "sessions": [
            session_json(clerk, session, user, base_url, party)
            for session, user in with_users
            if user is not None
        ],
        "sign_in": sign_in_json(clerk, sign_in, base_url) if sign_in else None,
        "sign_up": sign_up_json(clerk, sign_up, base_url) if sign_up else None,
        "last_active_session_id": client.last_active_session_id,
        "last_authentication_strategy": client.last_strategy,
        "captcha_bypass": True,
        "cookie_expires_at": None,
        "created_at": client.created_at,
        "updated_at": client.updated_at,
    }
