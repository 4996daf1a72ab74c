"""What we keep of Clerk's users, organizations and memberships, and of what it told us.

Ours: the template keeps improving this file. Your own columns go into ``models.py``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from flask_login import UserMixin
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from app.database import Base, UtcDateTime

if TYPE_CHECKING:
    from .models import Membership, Organization, User

ID_LENGTH = 64


def _now() -> datetime:
    return datetime.now(UTC)


class ClerkRecord:
    """What all three have in common. Clerk's id is the primary key."""

    id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), primary_key=True)
    clerk_updated_at: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    """Clerk's version of this record: unix milliseconds. Older news is ignored. With 0 it is known
    from hearsay only, and any news completes it."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it was deleted, with ``CLERK_DELETIONS=soft``; else the row would be gone."""


class ClerkUser(UserMixin, ClerkRecord):  # type: ignore[misc]
    """A person, as Clerk knows them. The id is Clerk's, ``user_…``."""

    __tablename__ = "users"

    email: Mapped[str | None] = mapped_column(sa.String(320), index=True)
    """Primary e-mail address."""
    phone_number: Mapped[str | None] = mapped_column(sa.String(32))
    """Primary phone number."""
    username: Mapped[str | None] = mapped_column(sa.String(255))
    first_name: Mapped[str | None] = mapped_column(sa.String(255))
    last_name: Mapped[str | None] = mapped_column(sa.String(255))
    image_url: Mapped[str | None] = mapped_column(sa.String(2048))
    banned: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """May not sign in any more."""
    locked: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """May not sign in for now, after too many wrong passwords."""

    @declared_attr
    def memberships(cls) -> Mapped[list[Membership]]:
        """With their organizations, in one query."""
        return relationship(
            "Membership",
            primaryjoin="and_(User.id == Membership.user_id, Membership.deleted_at == None)",
            order_by="Membership.created_at",
            viewonly=True,
        )

    @declared_attr
    def organizations(cls) -> Mapped[list[Organization]]:
        """All that they belong to, in one query."""
        return relationship(
            "Organization",
            secondary="memberships",
            secondaryjoin="and_(Organization.id == Membership.organization_id, "
            "Membership.deleted_at == None)",
            order_by="Organization.name",
            viewonly=True,
        )

    @property
    def name(self) -> str:
        """What to call them."""
        full = " ".join(part for part in (self.first_name, self.last_name) if part)
        return full or self.username or self.email or "you"


class ClerkOrganization(ClerkRecord):
    """An organization, as Clerk knows it. The id is Clerk's, ``org_…``."""

    __tablename__ = "organizations"

    name: Mapped[str] = mapped_column(sa.String(255), default="")
    # Not unique: two that swap their slugs are told of one after the other.
    slug: Mapped[str | None] = mapped_column(sa.String(255), index=True)
    image_url: Mapped[str | None] = mapped_column(sa.String(2048))

    @declared_attr
    def memberships(cls) -> Mapped[list[Membership]]:
        """With their users, in one query."""
        return relationship(
            "Membership",
            primaryjoin="and_(Organization.id == Membership.organization_id, "
            "Membership.deleted_at == None)",
            order_by="Membership.created_at",
            viewonly=True,
        )

    @declared_attr
    def members(cls) -> Mapped[list[User]]:
        """Everybody who belongs to it, in one query."""
        return relationship(
            "User",
            secondary="memberships",
            secondaryjoin="and_(User.id == Membership.user_id, Membership.deleted_at == None)",
            order_by="Membership.created_at",
            viewonly=True,
        )


class ClerkMembership(ClerkRecord):
    """That a user belongs to an organization. The id is Clerk's, ``orgmem_…``."""

    __tablename__ = "memberships"

    @declared_attr.directive
    def __table_args__(cls) -> tuple[sa.Index, ...]:
        current = sa.text("deleted_at IS NULL")
        one_a_pair = sa.Index(
            "uq_memberships_organization_id_user_id",
            "organization_id",
            "user_id",
            unique=True,
            sqlite_where=current,
            postgresql_where=current,
        )
        return (one_a_pair,)

    @declared_attr
    def organization_id(cls) -> Mapped[str]:
        """The organization; the row goes with it."""
        target = sa.ForeignKey("organizations.id", ondelete="CASCADE")
        return mapped_column(target, index=True)

    @declared_attr
    def user_id(cls) -> Mapped[str]:
        """The user; the row goes with them."""
        return mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)

    role: Mapped[str] = mapped_column(sa.String(255), default="")
    """With its prefix: ``org:admin``."""

    # Joined, so that a loop over memberships asks for nothing more.
    @declared_attr
    def organization(cls) -> Mapped[Organization]:
        """The organization, loaded with the membership."""
        return relationship("Organization", lazy="joined", innerjoin=True, viewonly=True)

    @declared_attr
    def user(cls) -> Mapped[User]:
        """The user, loaded with the membership."""
        return relationship("User", lazy="joined", innerjoin=True, viewonly=True)


class WebhookEvent(Base):
    """A delivery of Clerk's, so that a repeated one changes nothing."""

    __tablename__ = "webhook_events"

    id: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    """The delivery's id, the header ``svix-id``: the same for every attempt."""
    type: Mapped[str] = mapped_column(sa.String(255))
    """Such as ``user.created``."""
    outcome: Mapped[str] = mapped_column(sa.String(16))
    """An :class:`~app.accounts.records.Outcome`."""
    payload: Mapped[str | None] = mapped_column(sa.Text)
    """The JSON that came, where nothing was made of it: ``unknown`` and ``invalid``."""
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, default=_now, index=True)
    signal_claimed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When a worker began to send the signal."""
    signal_handled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When all receivers were through, or it was found that there is nothing to send."""


class Tombstone(Base):
    """The id of something deleted. What comes late does not bring it back, ever."""

    __tablename__ = "tombstones"

    id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), primary_key=True)
    deleted_at: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)


class SyncCheckpoint(Base):
    """How far an unfinished ``flask clerk sync`` has come in one of Clerk's lists."""

    __tablename__ = "sync_checkpoints"

    kind: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    """Such as ``users``."""
    offset: Mapped[int] = mapped_column(sa.BigInteger)
    """How many of the list are behind us."""
    since: Mapped[int] = mapped_column(sa.BigInteger)
    """When the last of them was created: unix milliseconds."""
    is_done: Mapped[bool]
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime, default=_now, onupdate=_now)
