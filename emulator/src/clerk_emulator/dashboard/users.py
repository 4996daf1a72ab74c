"""``/dashboard/users``: accounts, and signing in as any of them."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug import Response

from ..clerk import current_clerk
from ..dev_browser import PARAMETER, current_visitor
from ..errors import ClerkError, not_found
from ..hosted.pages import browser
from ..lockouts import switch_state
from ..resources import (
    EmailAddress,
    ExternalAccount,
    Organization,
    OrganizationMembership,
    PhoneNumber,
    Session,
    User,
)
from ..sessions import (
    client_sessions,
    close_account,
    end_user_sessions,
    start_session,
    touch_session,
    user_sessions,
)
from ..urls import with_query
from ..user_search import UserSearch, find_users, load_users
from ..users import save_user
from .pages import PER_PAGE, Page, addresses_of, go, offset_of, page_number, render

blueprint = Blueprint("users", __name__, url_prefix="/dashboard/users")

DONE = {
    "ban": "banned: the user is signed out and can't sign in",
    "unban": "no longer banned",
    "lock": "locked",
    "unlock": "unlocked",
}


@blueprint.get("")
def index() -> Response:
    """Accounts, newest first; ``query`` looks for a part of a name, address or id."""
    query = request.args.get("query", "").strip().lower()
    number = page_number()
    page = _search(query, number) if query else _all(number)
    return render(
        "users.html", section="Users", page=page, query=query, addresses=addresses_of(page.rows)
    )


def _all(number: int) -> Page[User]:
    store = current_clerk().store
    rows = store.find(User, newest_first=True, limit=PER_PAGE, offset=offset_of(number))
    return Page(rows, number, store.count(User))


def _search(query: str, number: int) -> Page[User]:
    clerk = current_clerk()
    found = find_users(clerk, UserSearch(parts={"anything": query}))
    page = found[offset_of(number) :][:PER_PAGE]
    return Page(load_users(clerk, page), number, len(found))


@blueprint.get("/<id>")
def show(id: str) -> Response:
    """Everything about one account."""
    clerk = current_clerk()
    user = _user(id)
    memberships = clerk.store.find(OrganizationMembership, user_id=user.id)
    organizations = clerk.store.get_many(
        Organization, [membership.organization_id for membership in memberships]
    )
    return render(
        "user.html",
        section="Users",
        user=user,
        emails=clerk.store.find(EmailAddress, user_id=user.id),
        phones=clerk.store.find(PhoneNumber, user_id=user.id),
        accounts=clerk.store.find(ExternalAccount, user_id=user.id),
        sessions=user_sessions(clerk, user),
        memberships=memberships,
        organizations=organizations,
    )


@blueprint.post("/<id>/sign-in")
def sign_in(id: str) -> Response:
    """Let this browser into the app as that user.

    The browser's token goes along, as from Clerk's hosted pages.
    """
    clerk, user, client = current_clerk(), _user(id), browser()
    if user.banned or user.is_locked(clerk.now):
        raise ClerkError("user_banned", "The user is banned or locked. Undo that first.", 403)
    session = _session_of(user) or start_session(clerk, client, user, "ticket", current_visitor())
    touch_session(clerk, client, session, None)
    target = clerk.app_page(clerk.config.after_sign_in_path)
    return redirect(with_query(target, **{PARAMETER: client.dev_browser}), 303)


def _session_of(user: User) -> Session | None:
    sessions = client_sessions(current_clerk(), browser())
    return next((session for session in sessions if session.user_id == user.id), None)


@blueprint.post("/<id>/<any(ban, unban, lock, unlock):what>")
def switch(id: str, what: str) -> Response:
    """Ban or lock an account, or let it in again."""
    clerk, user = current_clerk(), _user(id)
    if what == "ban":
        end_user_sessions(clerk, user, "revoked")
    switch_state(clerk, user, what)
    save_user(clerk, user)
    return go("dashboard.users.show", f"The account is {DONE[what]}.", id=id)


@blueprint.post("/<id>/delete")
def delete(id: str) -> Response:
    """Delete an account."""
    close_account(current_clerk(), _user(id))
    return go("dashboard.users.index", "The account was deleted.")


def _user(id: str) -> User:
    user = current_clerk().store.get(User, id)
    if user is None:
        raise not_found("User")
    return user
