"""Answers to changes that were sent with an idempotency key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "answered_keys",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("asked", sa.String(length=64), nullable=False),
        sa.Column("at_s", sa.Double(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("key", name="pk_answered_keys"),
    )
    op.create_index("ix_answered_keys_at_s", "answered_keys", ["at_s"])


def downgrade() -> None:
    op.drop_index("ix_answered_keys_at_s", "answered_keys")

    op.drop_table("answered_keys")
