"""Browsers and their sessions: beginning, using and ending them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from .clerk import LocalClerk
from .errors import ClerkError
from .events import record_event
from .housekeeping import clean_up_now_and_then
from .lockouts import check_welcome
from .memberships import forget_member
from .organizations import active_organization_id, membership_of
from .resources import Client, Session, SignIn, SignUp, User, new_id
from .serializers import session_event_json
from .session_tasks import session_tasks
from .users import delete_user

ACTOR_INACTIVITY_MS = 10 * 60_000
ACTIVE = "active"
PENDING = "pending"
LIVE = (ACTIVE, PENDING)
"""Signed in. A pending session has tasks to do first, but is one."""


@dataclass(frozen=True)
class Visitor:
    """What a session remembers of the browser that started it."""

    user_agent: str
    ip_address: str


def new_client(clerk: LocalClerk) -> Client:
    """A browser that has not been here before."""
    clean_up_now_and_then(clerk)
    now = clerk.now
    client = Client(new_id("client"), now, now, dev_browser=f"dvb_{secrets.token_urlsafe(24)}")
    clerk.store.put(client)
    return client


def client_of(clerk: LocalClerk, dev_browser: str) -> Client | None:
    """The browser with that dev browser token."""
    return clerk.store.first(Client, dev_browser=dev_browser) if dev_browser else None


def start_session(
    clerk: LocalClerk,
    client: Client,
    user: User,
    strategy: str,
    visitor: Visitor,
    *,
    second_factor: bool = False,
    actor: dict[str, Any] | None = None,
    lifetime_seconds: int | None = None,
) -> Session:
    """Sign a user in. In single-session mode this replaces the session that the browser has.

    :param strategy: how the user proved who they are, such as ``password``.
    :param second_factor: whether they have just proved a second factor, too.
    :param actor: who is really there, when somebody impersonates the user.
    :param lifetime_seconds: how long it may last; None: as long as the settings say.
    :raises ClerkError: ``identifier_already_signed_in`` if the browser has a session of this
        user already (multi-session mode), ``user_banned`` or ``user_locked``.
    """
    check_welcome(clerk, user)
    rules = clerk.settings.sessions
    if rules.multi_session and actor is not None:
        _end_sessions_of(clerk, client, user)
    elif rules.multi_session:
        refuse_second_session(clerk, client, user)
    else:
        end_client_sessions(clerk, client, "removed")
    now = clerk.now
    # Nobody has proved to be the user who impersonates them: what matters stays closed.
    proved_at = now if actor is None else 0
    session = Session(
        new_id("sess"),
        now,
        now,
        client_id=client.id,
        user_id=user.id,
        expire_at=now + 1000 * (lifetime_seconds or rules.lifetime_seconds),
        abandon_at=now + _inactivity_ms(clerk, actor),
        last_active_at=now,
        verified_at=proved_at,
        second_factor_verified_at=now if second_factor else None,
        actor=actor,
        user_agent=visitor.user_agent[:400],
        ip_address=visitor.ip_address[:64],
    )
    membership = membership_of(clerk, user.last_active_organization_id, user.id)
    session.last_active_organization_id = membership.organization_id if membership else None
    if session_tasks(clerk, session, user):
        session.status = PENDING
    clerk.store.put(session)
    user.last_sign_in_at = user.last_active_at = now
    clerk.store.put(user)
    client.last_active_session_id = session.id
    client.last_strategy = strategy
    client.sign_in_id = client.sign_up_id = None
    client.updated_at = now
    clerk.store.put(client)
    record_event(clerk, "session.created", session_event_json(clerk, session))
    if session.status == PENDING:
        record_event(clerk, "session.pending", session_event_json(clerk, session))
    return session


def _inactivity_ms(clerk: LocalClerk, actor: dict[str, Any] | None) -> int:
    """After how long a session ends that nobody uses: soon, if somebody impersonates the user."""
    usual = 1000 * clerk.settings.sessions.inactivity_timeout_seconds
    return usual if actor is None else min(usual, ACTOR_INACTIVITY_MS)


def _end_sessions_of(clerk: LocalClerk, client: Client, user: User) -> None:
    """Make way for who impersonates a user that is signed in in the same browser."""
    for session in client_sessions(clerk, client):
        if session.user_id == user.id:
            end_session(clerk, session, "removed")


def refuse_second_session(clerk: LocalClerk, client: Client, user: User) -> None:
    """Nobody has two sessions in one browser: Clerk.js goes on with the one there is.

    :raises ClerkError: ``identifier_already_signed_in``, which names that session.
    """
    for session in client_sessions(clerk, client):
        if session.user_id == user.id:
            message = "You're already signed in."
            meta = {"session_id": session.id}
            raise ClerkError("identifier_already_signed_in", message, 400, meta=meta)


def touch_session(
    clerk: LocalClerk, client: Client, session: Session, organization_id: str | None
) -> None:
    """Make it the browser's active session, as after sign-in and when a tab gets the focus.

    :param organization_id: the organization to make active; empty: the personal account; None: as
        it was.
    :raises ClerkError: 404 for an organization that the user does not belong to.
    """
    if organization_id is not None:
        _activate_organization(clerk, session, organization_id)
    use_session(clerk, session)
    client.last_active_session_id = session.id
    forget_finished(clerk, client)
    clerk.store.put(client)


def _activate_organization(clerk: LocalClerk, session: Session, id_or_slug: str) -> None:
    """The user's next session begins in it, too. Who impersonates them leaves no such trace."""
    active = active_organization_id(clerk, session.user_id, id_or_slug)
    session.last_active_organization_id = active
    user = clerk.store.get(User, session.user_id)
    if user is not None and session.actor is None:
        user.last_active_organization_id = active
        clerk.store.put(user)


def use_session(clerk: LocalClerk, session: Session) -> None:
    """Put off the time at which a session that nobody uses ends; do its tasks count as done?"""
    now = clerk.now
    session.last_active_at = now
    session.abandon_at = now + _inactivity_ms(clerk, session.actor)
    clerk.store.put(session)
    settle(clerk, session)
    user = clerk.store.get(User, session.user_id)
    if user is not None:
        user.last_active_at = now
        clerk.store.put(user)


def settle(clerk: LocalClerk, session: Session) -> Session:
    """Bring the status up to date: time may have passed, tasks may have been done or come up."""
    if session.status not in LIVE:
        return session
    user = clerk.store.get(User, session.user_id)
    if session.expire_at <= clerk.now:
        status = "expired"
    elif session.abandon_at <= clerk.now:
        status = "abandoned"
    else:
        status = PENDING if user and session_tasks(clerk, session, user) else ACTIVE
    if status != session.status:
        session.status = status
        session.updated_at = clerk.now
        clerk.store.put(session)
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
    """The browser's sessions in which somebody is signed in, oldest first."""
    return _live(clerk, clerk.store.find(Session, client_id=client.id))


def active_session(clerk: LocalClerk, client: Client) -> Session | None:
    """The session that the browser used last, else its newest one."""
    sessions = client_sessions(clerk, client)
    last = (session for session in sessions if session.id == client.last_active_session_id)
    return next(last, sessions[-1] if sessions else None)


def user_sessions(clerk: LocalClerk, user: User) -> list[Session]:
    """A user's sessions in all browsers in which they are signed in, newest first."""
    return _live(clerk, clerk.store.find(Session, user_id=user.id, newest_first=True))


def _live(clerk: LocalClerk, sessions: list[Session]) -> list[Session]:
    return [session for session in sessions if settle(clerk, session).status in LIVE]


def end_session(clerk: LocalClerk, session: Session, status: str) -> None:
    """End a live session and tell the app; a session that has ended stays as it is.

    :param status: ``ended``, ``removed`` or ``revoked``.
    """
    if session.status not in LIVE:
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
    record_event(clerk, f"session.{status}", session_event_json(clerk, session))


def end_client_sessions(clerk: LocalClerk, client: Client, status: str) -> None:
    """Sign a browser out of everything."""
    for session in clerk.store.find(Session, client_id=client.id):
        end_session(clerk, session, status)


def end_user_sessions(
    clerk: LocalClerk, user: User, status: str, keep: Session | None = None
) -> None:
    """Sign a user out of all browsers, except from the session to ``keep``."""
    for session in clerk.store.find(Session, user_id=user.id):
        if keep is None or session.id != keep.id:
            end_session(clerk, session, status)


def close_account(clerk: LocalClerk, user: User) -> dict[str, object]:
    """End a user's sessions and delete the account.

    :returns: the deleted object, as the APIs answer it.
    """
    end_user_sessions(clerk, user, "removed")
    forget_member(clerk, user)
    return delete_user(clerk, user)
