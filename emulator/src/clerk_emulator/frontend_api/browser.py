"""Who is calling: the browser behind the request, its session, and the answer it gets.

A browser is known by the ``__clerk_db_jwt`` in the query alone. Cookies do not count here, so
that no foreign page can act for a signed-in browser.
"""

from __future__ import annotations

from flask import g, request

from ..clerk import authorized_party, base_url, current_clerk
from ..errors import ClerkError, signed_out
from ..resources import Client, Session, User
from ..serializers import Json, client_json
from ..sessions import client_of, client_sessions


def current_client() -> Client:
    """The browser that is calling.

    :raises ClerkError: 401 ``dev_browser_unauthenticated``; Clerk.js then asks for a new one.
    """
    client = client_of(current_clerk(), request.args.get("__clerk_db_jwt", ""))
    if client is None:
        raise ClerkError("dev_browser_unauthenticated", "This browser is unknown.", 401)
    return client


def current_session() -> Session:
    """The session that the call is about: ``_clerk_session_id``, else the last active one.

    :raises ClerkError: 401 if the browser has no such session.
    """
    client = current_client()
    wanted = request.args.get("_clerk_session_id") or client.last_active_session_id
    return client_session(client, wanted or "")


def client_session(client: Client, id: str) -> Session:
    """One of the browser's live sessions.

    :raises ClerkError: 401 if it has no such session (any more).
    """
    for session in client_sessions(current_clerk(), client):
        if session.id == id:
            return session
    raise signed_out()


def current_user() -> User:
    """The user of the current session.

    :raises ClerkError: 401 if nobody is signed in.
    """
    user = current_clerk().store.get(User, current_session().user_id)
    if user is None:
        raise signed_out()
    return user


def refuse_when_signed_in(client: Client) -> None:
    """Single-session mode: a browser with a session cannot start another.

    :raises ClerkError: ``session_exists``; Clerk.js then goes on with the session there is.
    """
    clerk = current_clerk()
    if not clerk.settings.sessions.multi_session and client_sessions(clerk, client):
        raise ClerkError("session_exists", "You're already signed in.", 400)


def answer(response: Json | list[Json] | None) -> Json:
    """The envelope of every answer: Clerk.js takes its whole state from ``client``."""
    return {"response": response, "client": client_answer(current_client())}


def client_answer(client: Client) -> Json:
    """The browser, as Clerk.js sees it."""
    clerk = current_clerk()
    sessions = client_sessions(clerk, client)
    shown = client_json(clerk, client, sessions, base_url(), authorized_party())
    unprotected = not clerk.settings.sign_up.captcha_enabled
    return shown | {"captcha_bypass": unprotected or bool(g.get("passes_bot_protection"))}
