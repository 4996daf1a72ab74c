"""No event data in webhook_events, since it may be personal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "1795861657"
down_revision = "1795847657"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the migration."""
    # PostgreSQL doesn't remove the values of a dropped column.
    op.execute("UPDATE webhook_events SET payload = NULL WHERE payload IS NOT NULL")
    op.drop_column("webhook_events", "payload")


def downgrade() -> None:
    """Take the migration back."""
    op.add_column("webhook_events", sa.Column("payload", sa.Text(), nullable=True))
