"""The user, organization and membership of the current request, loaded on first access."""

from __future__ import annotations

from typing import cast

from flask import Flask, g
from flask_login import LoginManager, current_user
from werkzeug.local import LocalProxy

from app.clerk import admitted_session, clerk_of, unauthenticated
from app.clerk_sync import local_membership, local_organization, local_user

from .models import Membership, Organization, User

login_manager = LoginManager()


def init_current(app: Flask) -> None:
    """Make Flask-Login's ``current_user`` the local user, also in templates."""
    # Clerk keeps the session; Flask-Login only loads the user.
    login_manager.session_protection = None
    # Flask-Login's context processor would load the user on every page, even if unused.
    login_manager.init_app(app, add_context_processor=False)
    # So that @login_required and @session_required accept the same users, and refuse alike.
    login_manager.unauthorized_handler(unauthenticated)
    clerk_of(app).admits = admits_user
    app.jinja_env.globals.update(
        current_user=current_user, current_organization=current_organization
    )


def admits_user(user_id: str) -> bool:
    """Whether a user may use the app: not one who is banned, or whose account has been deleted."""
    return _load_user(user_id) is not None


@login_manager.request_loader  # type: ignore[untyped-decorator]
def load_user(request: object) -> User | None:
    """The local user of the current session."""
    session = admitted_session()
    return _load_user(session.user_id) if session else None


def _load_user(user_id: str) -> User | None:
    if "user" not in g or g.user[0] != user_id:
        g.user = (user_id, local_user(user_id))
    return cast("User | None", g.user[1])


def _load_organization() -> Organization | None:
    if "organization" not in g:
        session = admitted_session()
        g.organization = local_organization(session) if session else None
    return cast("Organization | None", g.organization)


def _load_membership() -> Membership | None:
    if "membership" not in g:
        session = admitted_session()
        g.membership = local_membership(session) if session else None
    return cast("Membership | None", g.membership)


current_organization = cast(Organization, LocalProxy(_load_organization))
"""The session's active :class:`~.models.Organization`. False if there is none."""

current_membership = cast(Membership, LocalProxy(_load_membership))
"""The user's :class:`~.models.Membership` in the active organization. False if there is none."""
