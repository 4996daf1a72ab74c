"""The columns that Clerk decides, as mixins for the models in ``app/accounts/models.py``.

The template keeps improving this file. Add columns of your own to the models instead.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.database import UtcDateTime

ID_LENGTH = 64
"""Characters of the longest Clerk ID that is accepted."""


def utc_now() -> datetime:
    """The current time, in UTC."""
    return datetime.now(UTC)


class ClerkColumns:
    """Columns that users, organizations and memberships share. Clerk's ID is the primary key."""

    id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), primary_key=True)
    clerk_updated_at: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    """Clerk's version of the record, in Unix milliseconds; older versions are ignored.

    0 means that the row is partial: any version from Clerk replaces it."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When Clerk deleted the record. Only set if ``CLERK_DELETIONS`` is ``soft``."""


class UserColumns(ClerkColumns):
    """A user, as stored in Clerk. The ID starts with ``user_``."""

    email: Mapped[str | None] = mapped_column(sa.String(320), index=True)
    """Primary email address."""
    phone_number: Mapped[str | None] = mapped_column(sa.String(32))
    """Primary phone number."""
    username: Mapped[str | None] = mapped_column(sa.String(255))
    first_name: Mapped[str | None] = mapped_column(sa.String(255))
    last_name: Mapped[str | None] = mapped_column(sa.String(255))
    image_url: Mapped[str | None] = mapped_column(sa.String(2048))
    banned: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """Whether Clerk rejects the user's sign-ins for good."""
    locked: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """Whether Clerk rejected sign-ins when it last sent the user. It's no reason to refuse a
    session: Clerk sends no event when the lock expires."""


class OrganizationColumns(ClerkColumns):
    """An organization, as stored in Clerk. The ID starts with ``org_``."""

    name: Mapped[str] = mapped_column(sa.String(255), default="")
    # Not unique: when two organizations swap slugs, their events arrive one after the other.
    slug: Mapped[str | None] = mapped_column(sa.String(255), index=True)
    image_url: Mapped[str | None] = mapped_column(sa.String(2048))


class MembershipColumns(ClerkColumns):
    """A user's membership in an organization. The ID starts with ``orgmem_``."""

    organization_id: Mapped[str] = mapped_column(
        sa.ForeignKey("organizations.id", ondelete="CASCADE"), index=True
    )
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(sa.String(255), default="")
    """The role with its prefix, such as ``org:admin``."""

    @declared_attr.directive
    def __table_args__(cls) -> tuple[sa.schema.SchemaItem, ...]:
        """A user has one current membership in an organization, and any number of deleted ones.

        A model with table arguments of its own includes these:
        ``(*MembershipColumns.__table_args__, …)``.
        """
        is_current = sa.text("deleted_at IS NULL")
        one_per_user = sa.Index(
            "uq_memberships_organization_id_user_id",
            "organization_id",
            "user_id",
            unique=True,
            sqlite_where=is_current,
            postgresql_where=is_current,
        )
        return (one_per_user,)
