"""How far an unfinished ``flask clerk sync`` has come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "1795636200"
down_revision = "1795634800"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database forward."""
    op.create_table(
        "sync_checkpoints",
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("is_done", sa.Boolean(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_sync_checkpoints")),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("sync_checkpoints")
