"""The first table: users."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "1795474930"
down_revision = None
branch_labels = ("default",)
depends_on = None


def upgrade() -> None:
    """Bring the database forward."""
    op.create_table(
        "users",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("first_name", sa.String(length=255), nullable=True),
        sa.Column("last_name", sa.String(length=255), nullable=True),
        sa.Column("image_url", sa.String(length=2048), nullable=True),
        sa.Column("clerk_updated_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    )
    op.create_index(op.f("ix_users_email"), "users", ["email"], unique=False)


def downgrade() -> None:
    """Take it back."""
    op.drop_index(op.f("ix_users_email"), table_name="users")
    op.drop_table("users")
