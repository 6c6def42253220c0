"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_BIG_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", _BIG_INT, autoincrement=False, nullable=False),
        sa.Column("at_s", sa.Double(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_table(
        "documents",
        sa.Column("id", _BIG_INT, autoincrement=False, nullable=False),
        sa.Column("used_s", sa.Double(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_documents"),
    )
    op.create_table(
        "reasons",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=253), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reasons"),
    )
    op.create_index("uq_reasons_name", "reasons", ["name"], unique=True)

    op.create_table(
        "workloads",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("namespace", sa.String(length=253), nullable=False),
        sa.Column("name", sa.String(length=253), nullable=False),
        sa.Column("uid", sa.String(length=64), nullable=True),
        sa.Column("seen_s", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_workloads"),
    )
    op.create_index("uq_workloads_namespace_name", "workloads", ["namespace", "name"], unique=True)

    op.create_table(
        "decision_reasons",
        sa.Column("reason_id", sa.Integer(), nullable=False),
        sa.Column("decision_id", _BIG_INT, nullable=False),
        sa.ForeignKeyConstraint(["reason_id"], ["reasons.id"], name="fk_decision_reasons_reason_id"),
        sa.PrimaryKeyConstraint("reason_id", "decision_id", name="pk_decision_reasons"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "decisions",
        sa.Column("id", _BIG_INT, autoincrement=False, nullable=False),
        sa.Column("workload_id", sa.Integer(), nullable=False),
        sa.Column("at_s", sa.Double(), nullable=False),
        sa.Column("before", sa.Integer(), nullable=False),
        sa.Column("after", sa.Integer(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("document_id", _BIG_INT, nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["workload_id"], ["workloads.id"], name="fk_decisions_workload_id"),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
    )
    op.create_index("ix_decisions_workload_id_id", "decisions", ["workload_id", "id"])

    op.create_table(
        "forecasts",
        sa.Column("workload_id", sa.Integer(), nullable=False),
        sa.Column("made_at_s", _BIG_INT, nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["workload_id"], ["workloads.id"], name="fk_forecasts_workload_id"),
        sa.PrimaryKeyConstraint("workload_id", "made_at_s", name="pk_forecasts"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "memories",
        sa.Column("workload_id", sa.Integer(), nullable=False),
        sa.Column("at_s", sa.Double(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["workload_id"], ["workloads.id"], name="fk_memories_workload_id"),
        sa.PrimaryKeyConstraint("workload_id", name="pk_memories"),
    )
    op.create_table(
        "observation_hours",
        sa.Column("workload_id", sa.Integer(), nullable=False),
        sa.Column("at_s", _BIG_INT, nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("load_mean", sa.Double(), nullable=True),
        sa.Column("load_max", sa.Double(), nullable=True),
        sa.Column("ready_min", sa.Integer(), nullable=True),
        sa.Column("asked_mean", sa.Double(), nullable=False),
        sa.Column("asked_max", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["workload_id"], ["workloads.id"], name="fk_observation_hours_workload_id"),
        sa.PrimaryKeyConstraint("workload_id", "at_s", name="pk_observation_hours"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "observations",
        sa.Column("workload_id", sa.Integer(), nullable=False),
        sa.Column("at_s", _BIG_INT, nullable=False),
        sa.Column("load", sa.Double(), nullable=True),
        sa.Column("ready", sa.Integer(), nullable=True),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["workload_id"], ["workloads.id"], name="fk_observations_workload_id"),
        sa.PrimaryKeyConstraint("workload_id", "at_s", name="pk_observations"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "overrides",
        sa.Column("id", _BIG_INT, autoincrement=False, nullable=False),
        sa.Column("workload_id", sa.Integer(), nullable=False),
        sa.Column("made_s", sa.Double(), nullable=False),
        sa.Column("expires_s", sa.Double(), nullable=False),
        sa.Column("ended_s", sa.Double(), nullable=True),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["workload_id"], ["workloads.id"], name="fk_overrides_workload_id"),
        sa.PrimaryKeyConstraint("id", name="pk_overrides"),
    )
    op.create_index("ix_overrides_expires_s", "overrides", ["expires_s"])
    op.create_index("ix_overrides_workload_id", "overrides", ["workload_id"])

    op.create_table(
        "spend",
        sa.Column("workload_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("amount", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["workload_id"], ["workloads.id"], name="fk_spend_workload_id"),
        sa.PrimaryKeyConstraint("workload_id", "day", name="pk_spend"),
    )
    op.create_index("ix_spend_day", "spend", ["day"])


def downgrade() -> None:
    op.drop_index("ix_spend_day", "spend")

    op.drop_table("spend")
    op.drop_index("ix_overrides_workload_id", "overrides")
    op.drop_index("ix_overrides_expires_s", "overrides")

    op.drop_table("overrides")
    op.drop_table("observations")
    op.drop_table("observation_hours")
    op.drop_table("memories")
    op.drop_table("forecasts")
    op.drop_index("ix_decisions_workload_id_id", "decisions")

    op.drop_table("decisions")
    op.drop_table("decision_reasons")
    op.drop_index("uq_workloads_namespace_name", "workloads")

    op.drop_table("workloads")
    op.drop_index("uq_reasons_name", "reasons")

    op.drop_table("reasons")
    op.drop_table("documents")
    op.drop_table("audit")
