"""People: sign-in and sign-up, their profile, and our own record of them."""

from __future__ import annotations

from flask import Flask
from flask_login import LoginManager, current_user

from app.clerk import current_session

from .models import Membership, Organization, User
from .organizations import current_membership, current_organization
from .users import user_of
from .views import blueprint
from .webhooks import webhooks

__all__ = [
    "Membership",
    "Organization",
    "User",
    "current_membership",
    "current_organization",
    "init_app",
]

login_manager = LoginManager()


def init_app(app: Flask) -> None:
    """Register the views, and make Flask-Login's ``current_user`` the local user."""
    # Clerk keeps the session; Flask-Login only hands out the user, when somebody looks.
    login_manager.session_protection = None
    # Its context processor would load the user for every page, asked for or not.
    login_manager.init_app(app, add_context_processor=False)
    app.jinja_env.globals.update(
        current_user=current_user, current_organization=current_organization
    )
    app.register_blueprint(blueprint)
    app.register_blueprint(webhooks)


@login_manager.request_loader  # type: ignore[untyped-decorator]
def load_user(request: object) -> User | None:
    """The local user of the current session."""
    return user_of(current_session) if current_session else None
