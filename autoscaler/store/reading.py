"""The SQL that reads, and rows as they come back."""

from __future__ import annotations

import datetime
import math
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Select, bindparam, false, func, or_, select

from autoscaler.store import schema
from autoscaler.store.ids import id_number, id_text
from autoscaler.store.payload import unpacked
from autoscaler.store.rows import (
    Audited,
    DaySpend,
    ForecastMade,
    HourObserved,
    ManifestKept,
    MemoryKept,
    Observed,
    OverrideMade,
    StateKept,
    WorkloadSeen,
)

_Query = TypeVar("_Query", bound="Select[*tuple[Any, ...]]")

_Workload = schema.Workload
_HOUR_S = 3600.0


def named(query: _Query, workload: str | None, namespaces: Collection[str] | None = None) -> _Query:
    """Limit a query that joins workloads to one of them, or to namespaces; None for no limit."""
    if workload is not None:
        space, _, name = workload.partition("/")
        query = query.where(_Workload.namespace == space, _Workload.name == name)
    if namespaces is not None:
        query = query.where(_Workload.namespace.in_(sorted(namespaces)))
    return query


# The queries below are put together once, since that takes as long as to carry them out. They name a workload
# by this and do not join it: only so does PostgreSQL walk the index by workload and time, and need not sort.
WORKLOAD_ID = (
    select(_Workload.id)
    .where(_Workload.namespace == bindparam("namespace"), _Workload.name == bindparam("name"))
    .scalar_subquery()
)


def values_of(workload: str, **others: float) -> dict[str, Any]:
    """Values for a query with `WORKLOAD_ID` in it."""
    namespace, _, name = workload.partition("/")
    return {"namespace": namespace, "name": name, **others}


def find_memories(connection: Connection, workload: str | None) -> list[MemoryKept]:
    """The newest memory of one workload or of all."""
    model = schema.Memory
    query = select(_Workload.namespace, _Workload.name, model.at_s, model.payload)
    query = named(query.join(_Workload, _Workload.id == model.workload_id), workload)
    return [
        MemoryKept(f"{space}/{name}", at_s, unpacked(payload))
        for space, name, at_s, payload in connection.execute(query)
    ]


def find_states(
    connection: Connection,
    changed_since_s: float | None,
    known: Mapping[str, tuple[float, float | None]],
) -> list[StateKept]:
    """Those written at that time or later, or all; the one longest unchanged first. See `Store.states`."""
    model = schema.State
    query = select(_Workload.namespace, _Workload.name, model.at_s, model.payload, model.changed_s)
    query = query.join(_Workload, _Workload.id == model.workload_id)
    if changed_since_s is not None:
        query = query.where(model.changed_s >= changed_since_s)
    return [
        StateKept(f"{space}/{name}", at_s, unpacked(payload), changed_s)
        for space, name, at_s, payload, changed_s in connection.execute(query.order_by(model.changed_s))
        # Most of the time goes into unpacking.
        if known.get(f"{space}/{name}") != (at_s, changed_s)
    ]


def find_state_keys(connection: Connection) -> frozenset[str]:
    """Workloads that have a state."""
    query = select(_Workload.namespace, _Workload.name)
    found = connection.execute(query.join(schema.State, schema.State.workload_id == _Workload.id))
    return frozenset(f"{space}/{name}" for space, name in found)


_MANIFEST = select(schema.Manifest.at_s, schema.Manifest.payload).where(
    schema.Manifest.workload_id == WORKLOAD_ID
)


def find_manifest(connection: Connection, workload: str) -> ManifestKept | None:
    """The newest manifest of a workload."""
    row = connection.execute(_MANIFEST, values_of(workload)).one_or_none()
    return None if row is None else ManifestKept(workload, row.at_s, unpacked(row.payload))


def find_workloads(connection: Connection) -> list[WorkloadSeen]:
    """Every workload there ever was, by key."""
    query = select(_Workload).with_only_columns(
        _Workload.namespace, _Workload.name, _Workload.uid, _Workload.seen_s
    )
    found = connection.execute(query.order_by(_Workload.namespace, _Workload.name))
    return [WorkloadSeen(f"{space}/{name}", uid, seen_s) for space, name, uid, seen_s in found]


_OBSERVED = select(
    schema.Observation.at_s, schema.Observation.load, schema.Observation.ready, schema.Observation.asked
).where(schema.Observation.workload_id == WORKLOAD_ID)
_OBSERVATIONS = _OBSERVED.where(
    schema.Observation.at_s >= bindparam("since"), schema.Observation.at_s < bindparam("until")
).order_by(schema.Observation.at_s)
_LATEST_OBSERVATION = _OBSERVED.order_by(schema.Observation.at_s.desc()).limit(1)


def find_observations(
    connection: Connection, workload: str, since_s: float, until_s: float
) -> list[Observed]:
    """Oldest first, since inclusive, until exclusive."""
    asked = values_of(workload, since=math.ceil(since_s), until=math.ceil(until_s))
    # Thousands of rows: to unpack them takes a third of the time that their attributes do.
    return [
        Observed(workload, float(at_s), _unknown(load), ready, asked)
        for at_s, load, ready, asked in connection.execute(_OBSERVATIONS, asked)
    ]


def find_latest_observation(connection: Connection, workload: str) -> Observed | None:
    """The newest single observation."""
    row = connection.execute(_LATEST_OBSERVATION, values_of(workload)).one_or_none()
    return None if row is None else _observed(workload, row)


def _observed(workload: str, row: Row[*tuple[Any, ...]]) -> Observed:
    return Observed(workload, float(row.at_s), _unknown(row.load), row.ready, row.asked)


def _unknown(value: float | None) -> float:
    return math.nan if value is None else float(value)


_END_OF_HOURS = select(func.max(schema.ObservationHour.at_s)).where(
    schema.ObservationHour.workload_id == WORKLOAD_ID
)


def find_end_of_hours(connection: Connection, workload: str) -> float:
    """Up to when observations have become hours; 0 where none have."""
    newest = connection.execute(_END_OF_HOURS, values_of(workload)).scalar_one()
    return 0.0 if newest is None else float(newest) + _HOUR_S


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
    query = query.where(model.workload_id == WORKLOAD_ID)
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
        for row in connection.execute(query.order_by(model.at_s), values_of(workload))
    ]


_FORECASTS = (
    select(schema.Forecast.made_at_s, schema.Forecast.payload)
    .where(schema.Forecast.workload_id == WORKLOAD_ID)
    .order_by(schema.Forecast.made_at_s.desc())
)
_FORECAST_AT = _FORECASTS.where(schema.Forecast.made_at_s <= bindparam("until")).limit(1)


def find_forecasts(
    connection: Connection, workload: str, since_s: float, until_s: float, limit: int
) -> list[ForecastMade]:
    """Newest first, by when they were made."""
    made_at_s = schema.Forecast.made_at_s
    query = _FORECASTS.where(made_at_s >= math.ceil(since_s), made_at_s < math.ceil(until_s)).limit(limit)
    found = connection.execute(query, values_of(workload))
    return [ForecastMade(workload, float(made_at_s), unpacked(payload)) for made_at_s, payload in found]


def find_forecast_at(connection: Connection, workload: str, at_s: float) -> ForecastMade | None:
    """The newest made at that second or before."""
    row = connection.execute(_FORECAST_AT, values_of(workload, until=math.floor(at_s))).one_or_none()
    return None if row is None else ForecastMade(workload, float(row.made_at_s), unpacked(row.payload))


def find_spend(
    connection: Connection,
    workload: str | None,
    namespaces: Collection[str] | None,
    since: datetime.date | None,
    until: datetime.date | None,
) -> list[DaySpend]:
    """By day, then workload; both days inclusive."""
    model = schema.Spend
    query = select(_Workload.namespace, _Workload.name, model.day, model.amount)
    query = named(query.join(_Workload, _Workload.id == model.workload_id), workload, namespaces)
    if since is not None:
        query = query.where(model.day >= since)
    if until is not None:
        query = query.where(model.day <= until)
    found = connection.execute(query.order_by(model.day, _Workload.namespace, _Workload.name))
    return [DaySpend(f"{space}/{name}", day, amount) for space, name, day, amount in found]


def find_overrides(connection: Connection, workload: str | None, at_s: float) -> list[OverrideMade]:
    """Those in force at `at_s`, oldest first."""
    model = schema.Override
    query = named(_OVERRIDES, workload).where(model.made_s <= at_s, model.expires_s > at_s)
    query = query.where(model.ended_s.is_(None) | (model.ended_s > at_s))
    return [_override(row) for row in connection.execute(query.order_by(model.id))]


def find_all_overrides(
    connection: Connection, workload: str, before: str | None, limit: int
) -> list[OverrideMade]:
    """Newest first, whether in force or not."""
    model = schema.Override
    query = named(_OVERRIDES, workload)
    if before is not None:
        query = query.where(model.id < id_number(before))
    return [_override(row) for row in connection.execute(query.order_by(model.id.desc()).limit(limit))]


_OVERRIDES = select(
    _Workload.namespace,
    _Workload.name,
    schema.Override.id,
    schema.Override.made_s,
    schema.Override.expires_s,
    schema.Override.ended_s,
    schema.Override.made_by,
    schema.Override.payload,
).join(_Workload, _Workload.id == schema.Override.workload_id)


def _override(row: Row[*tuple[Any, ...]]) -> OverrideMade:
    return OverrideMade(
        workload=f"{row.namespace}/{row.name}",
        id=id_text(row.id),
        made_s=row.made_s,
        expires_s=row.expires_s,
        made_by=row.made_by,
        payload=unpacked(row.payload),
        ended_s=row.ended_s,
    )


def find_audit(
    connection: Connection, namespaces: Collection[str] | None, before: str | None, limit: int
) -> list[Audited]:
    """Newest first; of targets in these namespaces, or of everything."""
    model = schema.AuditEntry
    query = select(
        model.id, model.at_s, model.actor, model.action, model.target, model.allowed, model.payload
    )
    if namespaces is not None:
        within = [model.target.startswith(f"{one}/", autoescape=True) for one in sorted(namespaces)]
        query = query.where(or_(false(), *within))
    if before is not None:
        query = query.where(model.id < id_number(before))
    return [
        Audited(id_text(number), at_s, actor, action, target, allowed, unpacked(payload))
        for number, at_s, actor, action, target, allowed, payload in connection.execute(
            query.order_by(model.id.desc()).limit(limit)
        )
    ]
