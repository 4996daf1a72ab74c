"""Accounts: sign-in, sign-up, the profile, and the models of users and organizations."""

from __future__ import annotations

from flask import Flask

from app import clerk_sync
from app.settings import Settings

from .current import current_membership, current_organization, init_current
from .models import Membership, Organization, User
from .personal_data import erase, export
from .views import blueprint

__all__ = [
    "Membership",
    "Organization",
    "User",
    "current_membership",
    "current_organization",
    "init_app",
]


def init_app(app: Flask) -> None:
    """Register the views, and keep the models in sync with Clerk."""
    settings: Settings = app.config["SETTINGS"]
    clerk_sync.init_app(
        app,
        user=User,
        organization=Organization,
        membership=Membership,
        erase=erase,
        export=export,
        soft_deletion=settings.soft_deletion,
        webhook_secrets=settings.webhook_secrets,
    )
    init_current(app)
    app.register_blueprint(blueprint)
