"""Sessions and their tokens."""

from __future__ import annotations

from ..clerk import LocalClerk
from ..resources import Session, User
from ..session_tasks import session_tasks
from ..session_tokens import factor_ages, session_token
from .json import Json
from .public_users import public_user_json
from .users import backend_user_json, user_json


def backend_session_json(session: Session) -> Json:
    """A session, as the Backend API and webhooks show it."""
    return {
        "object": "session",
        "id": session.id,
        "client_id": session.client_id,
        "user_id": session.user_id,
        "status": session.status,
        "last_active_at": session.last_active_at,
        "last_active_organization_id": session.last_active_organization_id,
        "actor": session.actor,
        "expire_at": session.expire_at,
        "abandon_at": session.abandon_at,
        "created_at": session.created_at,
        "updated_at": session.updated_at,
    }


def session_event_json(clerk: LocalClerk, session: Session) -> Json:
    """A session, as webhooks show it: with its user."""
    user = clerk.store.get(User, session.user_id)
    shown = backend_user_json(clerk, user) if user else None
    return backend_session_json(session) | {"user": shown}


def session_json(
    clerk: LocalClerk, session: Session, user: User, base_url: str, authorized_party: str
) -> Json:
    """A session of this browser, with its user and a fresh token."""
    token = session_token(clerk, session, authorized_party)
    tasks = [{"key": key} for key in session_tasks(clerk, session, user)]
    return backend_session_json(session) | {
        "factor_verification_age": factor_ages(session, clerk.now),
        "last_active_token": token_json(token),
        "tasks": tasks or None,
        "user": user_json(clerk, user, base_url),
        "public_user_data": public_user_json(clerk, user, base_url),
    }


def device_session_json(session: Session) -> Json:
    """A session as a line of the profile's list of devices."""
    mobile = "Mobi" in session.user_agent
    return backend_session_json(session) | {
        "user": None,
        "latest_activity": {
            "object": "session_activity",
            "id": f"sess_activity_{session.id.removeprefix('sess_')}",
            "browser_name": browser_name(session.user_agent),
            "device_type": "Mobile" if mobile else "Desktop",
            "ip_address": session.ip_address,
            "city": "local",
            "country": None,
            "is_mobile": mobile,
        },
    }


def browser_name(user_agent: str) -> str:
    """The browser's name, as well as a User-Agent header tells. Order matters: most say Safari."""
    names = {"Edg/": "Edge", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
    return next((name for mark, name in names.items() if mark in user_agent), "Browser")


def token_json(token: str) -> Json:
    """A session token."""
    return {"object": "token", "jwt": token}
