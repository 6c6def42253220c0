"""The tables. Every change here needs a migration (see `migrations/`); a test compares the two.

Times are epoch seconds, UTC. Payloads are compressed JSON (see `payload`); what is searched by is a column.
"""

from __future__ import annotations

import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# SQLite has a compact row id only for a column declared INTEGER; it holds 64 bits like any other there.
BigInt = BigInteger().with_variant(Integer, "sqlite")


class Schema(DeclarativeBase):
    """All tables of the store."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {float: Double()}
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Workload(Schema):
    """What everything else is about. A workload made anew under the same name goes on with the row."""

    __tablename__ = "workloads"
    __table_args__ = (Index("uq_workloads_namespace_name", "namespace", "name", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    namespace: Mapped[str] = mapped_column(String(253))
    name: Mapped[str] = mapped_column(String(253))
    uid: Mapped[str | None] = mapped_column(String(64))
    seen_s: Mapped[float | None]


class Document(Schema):
    """What many decisions have in common, such as their policy: stored once, by content.

    used_s: to the day, when a decision last referred to it.
    """

    __tablename__ = "documents"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    used_s: Mapped[float]
    payload: Mapped[bytes] = mapped_column(LargeBinary)


class Decision(Schema):
    """One decision. The id begins with its time, so that the primary key finds by time too.

    document_id is no foreign key: it would cost an index as large as that by workload, and no document is
    removed before the decisions that name it.
    """

    __tablename__ = "decisions"
    __table_args__ = (Index("ix_decisions_workload_id_id", "workload_id", "id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    workload_id: Mapped[int] = mapped_column(ForeignKey("workloads.id"))
    at_s: Mapped[float]
    before: Mapped[int]
    after: Mapped[int]
    reasons: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(Text)
    sentence: Mapped[str] = mapped_column(Text)
    document_id: Mapped[int | None] = mapped_column(BigInt)
    payload: Mapped[bytes] = mapped_column(LargeBinary)


class Reason(Schema):
    """Every reason that was ever given, by name."""

    __tablename__ = "reasons"
    __table_args__ = (Index("uq_reasons_name", "name", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(253))


class DecisionReason(Schema):
    """Finds decisions by reason."""

    __tablename__ = "decision_reasons"
    __table_args__ = ({"sqlite_with_rowid": False},)

    reason_id: Mapped[int] = mapped_column(ForeignKey("reasons.id"), primary_key=True)
    decision_id: Mapped[int] = mapped_column(BigInt, primary_key=True)


class Memory(Schema):
    """The newest memory of each workload."""

    __tablename__ = "memories"

    workload_id: Mapped[int] = mapped_column(ForeignKey("workloads.id"), primary_key=True)
    at_s: Mapped[float]
    payload: Mapped[bytes] = mapped_column(LargeBinary)


class State(Schema):
    """The newest state of each workload that is there, as it is shown.

    changed_s: when the row was written, by the clock of whoever wrote it.
    """

    __tablename__ = "states"
    __table_args__ = (Index("ix_states_changed_s", "changed_s"),)

    workload_id: Mapped[int] = mapped_column(ForeignKey("workloads.id"), primary_key=True)
    at_s: Mapped[float]
    changed_s: Mapped[float]
    payload: Mapped[bytes] = mapped_column(LargeBinary)


class Manifest(Schema):
    """The newest manifest of each workload that is there."""

    __tablename__ = "manifests"

    workload_id: Mapped[int] = mapped_column(ForeignKey("workloads.id"), primary_key=True)
    at_s: Mapped[float]
    payload: Mapped[bytes] = mapped_column(LargeBinary)


class Observation(Schema):
    """What was seen: load (NULL where unknown), ready pods and the count asked for."""

    __tablename__ = "observations"
    __table_args__ = ({"sqlite_with_rowid": False},)

    workload_id: Mapped[int] = mapped_column(ForeignKey("workloads.id"), primary_key=True)
    at_s: Mapped[int] = mapped_column(BigInt, primary_key=True)
    load: Mapped[float | None]
    ready: Mapped[int | None]
    asked: Mapped[int]


class ObservationHour(Schema):
    """An hour of observations in one row, kept when the single ones are gone. rows: how many there were."""

    __tablename__ = "observation_hours"
    __table_args__ = ({"sqlite_with_rowid": False},)

    workload_id: Mapped[int] = mapped_column(ForeignKey("workloads.id"), primary_key=True)
    at_s: Mapped[int] = mapped_column(BigInt, primary_key=True)
    rows: Mapped[int]
    load_mean: Mapped[float | None]
    load_max: Mapped[float | None]
    ready_min: Mapped[int | None]
    asked_mean: Mapped[float]
    asked_max: Mapped[int]


class Forecast(Schema):
    """A forecast as it was made, to be held against what came.

    With row ids, unlike other tables of that shape: without them SQLite gives each payload beyond about a
    kilobyte a page of its own.
    """

    __tablename__ = "forecasts"

    workload_id: Mapped[int] = mapped_column(ForeignKey("workloads.id"), primary_key=True)
    made_at_s: Mapped[int] = mapped_column(BigInt, primary_key=True)
    payload: Mapped[bytes] = mapped_column(LargeBinary)


class Spend(Schema):
    """Money a workload's replicas cost on one UTC day, so far or in all."""

    __tablename__ = "spend"
    __table_args__ = (Index("ix_spend_day", "day"),)

    workload_id: Mapped[int] = mapped_column(ForeignKey("workloads.id"), primary_key=True)
    day: Mapped[datetime.date] = mapped_column(Date, primary_key=True)
    amount: Mapped[float]


class Override(Schema):
    """A count that a person put in force for a time. ended_s: when it was taken back early."""

    __tablename__ = "overrides"
    __table_args__ = (
        Index("ix_overrides_workload_id", "workload_id"),
        Index("ix_overrides_expires_s", "expires_s"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    workload_id: Mapped[int] = mapped_column(ForeignKey("workloads.id"))
    made_s: Mapped[float]
    expires_s: Mapped[float]
    ended_s: Mapped[float | None]
    made_by: Mapped[str] = mapped_column(Text)
    payload: Mapped[bytes] = mapped_column(LargeBinary)


class AuditEntry(Schema):
    """Who did what to what, and whether it was allowed."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    at_s: Mapped[float]
    actor: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    target: Mapped[str] = mapped_column(Text)
    allowed: Mapped[bool]
    payload: Mapped[bytes] = mapped_column(LargeBinary)


class AnsweredKey(Schema):
    """A change that was sent with an idempotency key. payload: its answer; NULL while there is none yet."""

    __tablename__ = "answered_keys"
    __table_args__ = (Index("ix_answered_keys_at_s", "at_s"),)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    asked: Mapped[str] = mapped_column(String(64))
    at_s: Mapped[float]
    payload: Mapped[bytes | None] = mapped_column(LargeBinary)
