"""A browser, as the Backend API shows it."""

from __future__ import annotations

from ..clerk import LocalClerk
from ..resources import Client
from ..sessions import client_sessions
from .json import Json
from .sessions import backend_session_json


def backend_client_json(clerk: LocalClerk, client: Client) -> Json:
    """A browser with its live sessions; never with its token."""
    sessions = client_sessions(clerk, client)
    return {
        "object": "client",
        "id": client.id,
        "session_ids": [session.id for session in sessions],
        "sessions": [backend_session_json(session) for session in sessions],
        "sign_in_id": client.sign_in_id,
        "sign_up_id": client.sign_up_id,
        "last_active_session_id": client.last_active_session_id,
        "last_authentication_strategy": client.last_strategy,
        "created_at": client.created_at,
        "updated_at": client.updated_at,
    }
