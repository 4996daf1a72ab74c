"""Our own record of people, to join against."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from flask_login import UserMixin
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base


class User(UserMixin, Base):  # type: ignore[misc]
    """A person, as Clerk knows them."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    """Clerk's user id, ``user_…``."""
    email: Mapped[str | None] = mapped_column(sa.String(320), index=True)
    """Primary e-mail address."""
    first_name: Mapped[str | None] = mapped_column(sa.String(255))
    last_name: Mapped[str | None] = mapped_column(sa.String(255))
    image_url: Mapped[str | None] = mapped_column(sa.String(2048))
    clerk_updated_at: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    """Clerk's version of this record: unix milliseconds. Older news is ignored."""
    created_at: Mapped[datetime] = mapped_column(
        sa.DateTime(timezone=True), default=lambda: datetime.now(UTC)
    )

    @property
    def name(self) -> str:
        """What to call them."""
        full = " ".join(part for part in (self.first_name, self.last_name) if part)
        return full or self.email or "you"
