"""The newest state and the newest manifest of each workload; forecasts in a table with row ids.

Forecasts can be made anew, since none were written before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_BIG_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _create_forecasts(**options: bool) -> None:
    op.create_table(
        "forecasts",
        sa.Column("workload_id", sa.Integer(), nullable=False),
        sa.Column("made_at_s", _BIG_INT, nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["workload_id"], ["workloads.id"], name="fk_forecasts_workload_id"),
        sa.PrimaryKeyConstraint("workload_id", "made_at_s", name="pk_forecasts"),
        **options,
    )


def upgrade() -> None:
    op.drop_table("forecasts")
    _create_forecasts()
    op.create_table(
        "manifests",
        sa.Column("workload_id", sa.Integer(), nullable=False),
        sa.Column("at_s", sa.Double(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["workload_id"], ["workloads.id"], name="fk_manifests_workload_id"),
        sa.PrimaryKeyConstraint("workload_id", name="pk_manifests"),
    )
    op.create_table(
        "states",
        sa.Column("workload_id", sa.Integer(), nullable=False),
        sa.Column("at_s", sa.Double(), nullable=False),
        sa.Column("changed_s", sa.Double(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["workload_id"], ["workloads.id"], name="fk_states_workload_id"),
        sa.PrimaryKeyConstraint("workload_id", name="pk_states"),
    )
    op.create_index("ix_states_changed_s", "states", ["changed_s"])


def downgrade() -> None:
    op.drop_index("ix_states_changed_s", "states")

    op.drop_table("states")
    op.drop_table("manifests")
    op.drop_table("forecasts")
    _create_forecasts(sqlite_with_rowid=False)
