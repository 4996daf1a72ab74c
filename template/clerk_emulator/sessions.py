"""Browsers and their sessions: beginning, using and ending them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from .clerk import LocalClerk
from .events import record_event
from .memberships import forget_member
from .resources import Client, Session, SignIn, SignUp, User, new_id
from .serializers import backend_session_json
from .users import delete_user

DAY_MS = 24 * 3_600_000
SESSION_LIFETIME_MS = 7 * DAY_MS
ABANDON_MS = 30 * DAY_MS
ACTIVE = "active"


@dataclass(frozen=True)
class Visitor:
    """What a session remembers of the browser that started it."""

    user_agent: str
    ip_address: str


def new_client(clerk: LocalClerk) -> Client:
    """A browser that has not been here before."""
    now = clerk.now
    client = Client(new_id("client"), now, now, dev_browser=f"dvb_{secrets.token_urlsafe(24)}")
    clerk.store.put(client)
    return client


def client_of(clerk: LocalClerk, dev_browser: str) -> Client | None:
    """The browser with that dev browser token."""
    return clerk.store.first(Client, dev_browser=dev_browser) if dev_browser else None


def start_session(
    clerk: LocalClerk, client: Client, user: User, strategy: str, visitor: Visitor
) -> Session:
    """Sign a user in. Replaces the browser's session, if it has one (single-session mode).

    :param strategy: how the user proved who they are, such as ``password``.
    """
    end_client_sessions(clerk, client, "removed")
    now = clerk.now
    session = Session(
        new_id("sess"),
        now,
        now,
        client_id=client.id,
        user_id=user.id,
        expire_at=now + SESSION_LIFETIME_MS,
        abandon_at=now + ABANDON_MS,
        last_active_at=now,
        verified_at=now,
        user_agent=visitor.user_agent[:400],
        ip_address=visitor.ip_address[:64],
    )
    clerk.store.put(session)
    user.last_sign_in_at = now
    clerk.store.put(user)
    client.last_active_session_id = session.id
    client.last_strategy = strategy
    client.sign_in_id = client.sign_up_id = None
    client.updated_at = now
    clerk.store.put(client)
    record_event(clerk, "session.created", backend_session_json(session))
    return session


def forget_finished(clerk: LocalClerk, client: Client) -> None:
    """Let go of a sign-in or sign-up that has led to a session already."""
    sign_in = clerk.store.get(SignIn, client.sign_in_id)
    sign_up = clerk.store.get(SignUp, client.sign_up_id)
    if sign_in is not None and sign_in.created_session_id:
        client.sign_in_id = None
    if sign_up is not None and sign_up.created_session_id:
        client.sign_up_id = None


def client_sessions(clerk: LocalClerk, client: Client) -> list[Session]:
    """The browser's sessions that are active and have not expired."""
    sessions = clerk.store.find(Session, client_id=client.id, status=ACTIVE)
    return [session for session in sessions if session.expire_at > clerk.now]


def user_sessions(clerk: LocalClerk, user: User) -> list[Session]:
    """A user's sessions in all browsers that are active and have not expired, newest first."""
    sessions = clerk.store.find(Session, user_id=user.id, status=ACTIVE, newest_first=True)
    return [session for session in sessions if session.expire_at > clerk.now]


def end_session(clerk: LocalClerk, session: Session, status: str) -> None:
    """End an active session and tell the app; a session that has ended stays as it is.

    :param status: ``ended``, ``removed`` or ``revoked``.
    """
    if session.status != ACTIVE:
        return
    now = clerk.now
    session.status = status
    session.updated_at = now
    clerk.store.put(session)
    client = clerk.store.get(Client, session.client_id)
    if client is not None:
        client.updated_at = now
        if client.last_active_session_id == session.id:
            client.last_active_session_id = None
        clerk.store.put(client)
    record_event(clerk, f"session.{status}", backend_session_json(session))


def end_client_sessions(clerk: LocalClerk, client: Client, status: str) -> None:
    """Sign a browser out of everything."""
    for session in clerk.store.find(Session, client_id=client.id, status=ACTIVE):
        end_session(clerk, session, status)


def end_user_sessions(
    clerk: LocalClerk, user: User, status: str, keep: Session | None = None
) -> None:
    """Sign a user out of all browsers, except from the session to ``keep``."""
    for session in clerk.store.find(Session, user_id=user.id, status=ACTIVE):
        if keep is None or session.id != keep.id:
            end_session(clerk, session, status)


def close_account(clerk: LocalClerk, user: User) -> dict[str, object]:
    """End a user's sessions and delete the account.

    :returns: the deleted object, as the APIs answer it.
    """
    end_user_sessions(clerk, user, "removed")
    forget_member(clerk, user)
    return delete_user(clerk, user)
