"""Users, organizations and memberships: SQLAlchemy models for you to extend.

The columns of the three mixins hold what Clerk knows. Change them in Clerk, not here: the next
webhook or ``flask clerk sync`` overwrites them. Columns of your own are never changed. Each needs a
default, since webhooks insert rows without a value for it::

    plan: Mapped[str] = mapped_column(default="free", server_default="free")
"""

from __future__ import annotations

from flask_login import UserMixin
from sqlalchemy.orm import Mapped, relationship

from app.clerk_sync import MembershipColumns, OrganizationColumns, UserColumns
from app.database import Base


class User(UserMixin, UserColumns, Base):  # type: ignore[misc] # Flask-Login has no types
    """A person who uses the product."""

    __tablename__ = "users"

    memberships: Mapped[list[Membership]] = relationship(
        primaryjoin="and_(User.id == Membership.user_id, Membership.deleted_at.is_(None))",
        order_by="Membership.created_at",
        viewonly=True,
    )
    """The user's memberships, loaded together with their organizations."""

    organizations: Mapped[list[Organization]] = relationship(
        secondary="memberships",
        secondaryjoin="and_(Organization.id == Membership.organization_id,"
        " Membership.deleted_at.is_(None))",
        order_by="Organization.name",
        viewonly=True,
    )

    @property
    def name(self) -> str:
        """The name to show: the full name, or else the username or email address."""
        full_name = " ".join(part for part in (self.first_name, self.last_name) if part)
        return full_name or self.username or self.email or "you"


class Organization(OrganizationColumns, Base):
    """A company or a team."""

    __tablename__ = "organizations"

    memberships: Mapped[list[Membership]] = relationship(
        primaryjoin="and_(Organization.id == Membership.organization_id,"
        " Membership.deleted_at.is_(None))",
        order_by="Membership.created_at",
        viewonly=True,
    )
    """The organization's memberships, loaded together with their users."""

    members: Mapped[list[User]] = relationship(
        secondary="memberships",
        secondaryjoin="and_(User.id == Membership.user_id, Membership.deleted_at.is_(None))",
        order_by="Membership.created_at",
        viewonly=True,
    )


class Membership(MembershipColumns, Base):
    """A user's membership in an organization, with a role."""

    __tablename__ = "memberships"

    # Joined, so that a loop over memberships needs no further queries.
    organization: Mapped[Organization] = relationship(lazy="joined", innerjoin=True, viewonly=True)
    user: Mapped[User] = relationship(lazy="joined", innerjoin=True, viewonly=True)
