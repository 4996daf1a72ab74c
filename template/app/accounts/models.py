"""Our own record of people and organizations, to join against. Yours to extend."""

from __future__ import annotations

from app.database import Base

from .clerk_models import ClerkMembership, ClerkOrganization, ClerkUser, Tombstone, WebhookEvent

__all__ = ["Membership", "Organization", "Tombstone", "User", "WebhookEvent"]

# What Clerk knows is kept true to Clerk, and must not be changed here. Columns of your own stand
# beside it and are left alone. Each needs a default, as Clerk's news makes rows without asking you:
#
#     plan: Mapped[str] = mapped_column(default="free", server_default="free")


class User(ClerkUser, Base):
    """A person who uses the product."""


class Organization(ClerkOrganization, Base):
    """A company or a team."""


class Membership(ClerkMembership, Base):
    """That a user belongs to an organization."""
