"""The SQL that reads, and rows as they come back."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Select, select

from autoscaler.store import schema
from autoscaler.store.ids import first_number, id_number, id_text
from autoscaler.store.payload import unpacked
from autoscaler.store.rows import (
    Audited,
    DaySpend,
    ForecastMade,
    FoundDecision,
    HourObserved,
    MemoryKept,
    Observed,
    OverrideMade,
    Page,
    WholeDecision,
    WorkloadSeen,
)

_Query = TypeVar("_Query", bound="Select[*tuple[Any, ...]]")

_Workload = schema.Workload
_Decision = schema.Decision
_SUMMARY = (
    _Workload.namespace,
    _Workload.name,
    _Decision.id,
    _Decision.at_s,
    _Decision.before,
    _Decision.after,
    _Decision.reasons,
    _Decision.outcome,
    _Decision.sentence,
)


def _named(query: _Query, workload: str | None, namespace: str | None = None) -> _Query:
    """Limit a query that joins workloads."""
    if workload is not None:
        space, _, name = workload.partition("/")
        query = query.where(_Workload.namespace == space, _Workload.name == name)
    if namespace is not None:
        query = query.where(_Workload.namespace == namespace)
    return query


def find_decisions(
    connection: Connection,
    *,
    workload: str | None,
    namespace: str | None,
    reason: str | None,
    since_s: float | None,
    until_s: float | None,
    before: str | None,
    limit: int,
) -> Page:
    """Newest first; see `Store.decisions`."""
    query = _named(
        select(*_SUMMARY).join(_Workload, _Workload.id == _Decision.workload_id), workload, namespace
    )
    number = _Decision.id
    if reason is not None:
        link = schema.DecisionReason
        query = query.join(link, link.decision_id == _Decision.id)
        query = query.where(
            link.reason_id == select(schema.Reason.id).where(schema.Reason.name == reason).scalar_subquery()
        )
        number = link.decision_id
    if since_s is not None:
        query = query.where(number >= first_number(since_s))
    if until_s is not None:
        query = query.where(number < first_number(until_s))
    if before is not None:
        query = query.where(number < id_number(before))
    # One more than asked for tells whether there is another page.
    found = connection.execute(query.order_by(number.desc()).limit(limit + 1)).all()
    decisions = tuple(_summary(row) for row in found[:limit])
    return Page(decisions, decisions[-1].id if len(found) > limit else None)


def _summary(row: Row[*tuple[Any, ...]]) -> FoundDecision:
    return FoundDecision(
        workload=f"{row.namespace}/{row.name}",
        id=id_text(row.id),
        at_s=row.at_s,
        before=row.before,
        after=row.after,
        reasons=tuple(filter(None, row.reasons.split(","))),
        outcome=row.outcome,
        sentence=row.sentence,
    )


def find_decision(connection: Connection, number: int) -> WholeDecision | None:
    """One decision with its payload, shared parts included."""
    document = schema.Document
    query = (
        select(*_SUMMARY, _Decision.payload, document.payload.label("document"))
        .join(_Workload, _Workload.id == _Decision.workload_id)
        .outerjoin(document, document.id == _Decision.document_id)
        .where(_Decision.id == number)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    payload: Mapping[str, Any] = unpacked(row.payload)
    if row.document is not None:
        payload = {**unpacked(row.document), **payload}
    return WholeDecision(_summary(row), payload)


def find_memories(connection: Connection, workload: str | None) -> list[MemoryKept]:
    """The newest memory of one workload or of all."""
    model = schema.Memory
    query = select(_Workload.namespace, _Workload.name, model.at_s, model.payload)
    query = _named(query.join(_Workload, _Workload.id == model.workload_id), workload)
    return [
        MemoryKept(f"{space}/{name}", at_s, unpacked(payload))
        for space, name, at_s, payload in connection.execute(query)
    ]


def find_workloads(connection: Connection) -> list[WorkloadSeen]:
    """Every workload there ever was, by key."""
    query = select(_Workload).with_only_columns(
        _Workload.namespace, _Workload.name, _Workload.uid, _Workload.seen_s
    )
    found = connection.execute(query.order_by(_Workload.namespace, _Workload.name))
    return [WorkloadSeen(f"{space}/{name}", uid, seen_s) for space, name, uid, seen_s in found]


def find_observations(
    connection: Connection, workload: str, since_s: float, until_s: float
) -> list[Observed]:
    """Oldest first, since inclusive, until exclusive."""
    model = schema.Observation
    query = select(model.at_s, model.load, model.ready, model.asked)
    query = _named(query.join(_Workload, _Workload.id == model.workload_id), workload)
    query = query.where(model.at_s >= math.ceil(since_s), model.at_s < math.ceil(until_s))
    return [_observed(workload, row) for row in connection.execute(query.order_by(model.at_s))]


def find_latest_observation(connection: Connection, workload: str) -> Observed | None:
    """The newest single observation."""
    model = schema.Observation
    query = select(model.at_s, model.load, model.ready, model.asked)
    query = _named(query.join(_Workload, _Workload.id == model.workload_id), workload)
    row = connection.execute(query.order_by(model.at_s.desc()).limit(1)).one_or_none()
    return None if row is None else _observed(workload, row)


def _observed(workload: str, row: Row[*tuple[Any, ...]]) -> Observed:
    return Observed(workload, float(row.at_s), _unknown(row.load), row.ready, row.asked)


def _unknown(value: float | None) -> float:
    return math.nan if value is None else float(value)


def find_hours(connection: Connection, workload: str, since_s: float, until_s: float) -> list[HourObserved]:
    """Hours rolled up, oldest first."""
    model = schema.ObservationHour
    query = select(model).with_only_columns(
        model.at_s,
        model.rows,
        model.load_mean,
        model.load_max,
        model.ready_min,
        model.asked_mean,
        model.asked_max,
    )
    query = _named(query.join(_Workload, _Workload.id == model.workload_id), workload)
    query = query.where(model.at_s >= math.ceil(since_s), model.at_s < math.ceil(until_s))
    return [
        HourObserved(
            workload=workload,
            at_s=float(row.at_s),
            rows=row.rows,
            load_mean=_unknown(row.load_mean),
            load_max=_unknown(row.load_max),
            ready_min=row.ready_min,
            asked_mean=float(row.asked_mean),
            asked_max=row.asked_max,
        )
        for row in connection.execute(query.order_by(model.at_s))
    ]


def find_forecasts(
    connection: Connection, workload: str, since_s: float, until_s: float, limit: int
) -> list[ForecastMade]:
    """Newest first, by when they were made."""
    model = schema.Forecast
    query = select(model.made_at_s, model.payload)
    query = _named(query.join(_Workload, _Workload.id == model.workload_id), workload)
    query = query.where(model.made_at_s >= math.ceil(since_s), model.made_at_s < math.ceil(until_s))
    found = connection.execute(query.order_by(model.made_at_s.desc()).limit(limit))
    return [ForecastMade(workload, float(made_at_s), unpacked(payload)) for made_at_s, payload in found]


def find_spend(
    connection: Connection,
    workload: str | None,
    namespace: str | None,
    since: datetime.date | None,
    until: datetime.date | None,
) -> list[DaySpend]:
    """By day, then workload; both days inclusive."""
    model = schema.Spend
    query = select(_Workload.namespace, _Workload.name, model.day, model.amount)
    query = _named(query.join(_Workload, _Workload.id == model.workload_id), workload, namespace)
    if since is not None:
        query = query.where(model.day >= since)
    if until is not None:
        query = query.where(model.day <= until)
    found = connection.execute(query.order_by(model.day, _Workload.namespace, _Workload.name))
    return [DaySpend(f"{space}/{name}", day, amount) for space, name, day, amount in found]


def find_overrides(connection: Connection, workload: str | None, at_s: float) -> list[OverrideMade]:
    """Those in force at `at_s`, oldest first."""
    model = schema.Override
    query = select(model, _Workload).with_only_columns(
        _Workload.namespace,
        _Workload.name,
        model.id,
        model.made_s,
        model.expires_s,
        model.ended_s,
        model.made_by,
        model.payload,
    )
    query = _named(query.join(_Workload, _Workload.id == model.workload_id), workload)
    query = query.where(model.made_s <= at_s, model.expires_s > at_s)
    query = query.where(model.ended_s.is_(None) | (model.ended_s > at_s))
    return [
        OverrideMade(
            workload=f"{row.namespace}/{row.name}",
            id=id_text(row.id),
            made_s=row.made_s,
            expires_s=row.expires_s,
            made_by=row.made_by,
            payload=unpacked(row.payload),
            ended_s=row.ended_s,
        )
        for row in connection.execute(query.order_by(model.id))
    ]


def find_audit(connection: Connection, before: str | None, limit: int) -> list[Audited]:
    """Newest first."""
    model = schema.AuditEntry
    query = select(
        model.id, model.at_s, model.actor, model.action, model.target, model.allowed, model.payload
    )
    if before is not None:
        query = query.where(model.id < id_number(before))
    return [
        Audited(id_text(number), at_s, actor, action, target, allowed, unpacked(payload))
        for number, at_s, actor, action, target, allowed, payload in connection.execute(
            query.order_by(model.id.desc()).limit(limit)
        )
    ]
