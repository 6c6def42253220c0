"""Forgetting: what is older than its time goes, single observations become hours, and a limit on size holds.

Everything works in steps of limited size, each a transaction of its own, so that writing never waits long.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, delete, exists, func, select

from autoscaler.store import schema
from autoscaler.store.answered_keys import forget
from autoscaler.store.ids import first_number
from autoscaler.store.reach import oldest_decision_s, oldest_s
from autoscaler.store.sizing import used_bytes
from autoscaler.store.writing import conflict_insert

_DAY_S = 86_400.0
_HOUR_S = 3600
_SHARE = 0.05
"""Of the time that is stored, how much goes in one step when the store is too large."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept, in seconds, and how large the store may grow.

    states_s: of workloads of which nothing was heard since; one that is known to be gone goes at once.
    max_bytes: of tables and indexes; beyond it the oldest rows go whatever their age, in the order that
    `_sooner_cuts` tells. None: no limit. step_rows: most decisions removed in one transaction;
    step_workloads: most workloads whose observations and forecasts are.
    """

    decisions_s: float = 30 * _DAY_S
    observations_s: float = 14 * _DAY_S
    hours_s: float = 400 * _DAY_S
    forecasts_s: float = 7 * _DAY_S
    audit_s: float = 400 * _DAY_S
    states_s: float = 7 * _DAY_S
    max_bytes: int | None = 1536 * 1024**2
    step_rows: int = 5_000
    step_workloads: int = 50


@dataclass(frozen=True, slots=True)
class Pruned:
    """What one step removed. more: whether another step would find something to remove. outgrown: whether
    rows went for the store's size, before their time."""

    decisions: int
    observations: int
    forecasts: int
    more: bool
    outgrown: bool = False


@dataclass(frozen=True, slots=True)
class _Cuts:
    """What is older than these times goes, in epoch seconds."""

    decisions_s: float
    observations_s: float
    hours_s: float
    forecasts_s: float


def prune_step(connection: Connection, retention: Retention, now_s: float) -> Pruned:
    """One step, in the connection's transaction."""
    most = retention.max_bytes
    too_large = most is not None and used_bytes(connection, most) > most
    cuts = _Cuts(
        now_s - retention.decisions_s,
        now_s - retention.observations_s,
        now_s - retention.hours_s,
        now_s - retention.forecasts_s,
    )
    if too_large:
        cuts = _sooner_cuts(connection, cuts, now_s)
    decisions = _prune_decisions(connection, cuts.decisions_s, retention.step_rows)
    observed, more_observed = _roll_up(connection, cuts.observations_s, retention.step_workloads)
    forecasts, more_forecasts = _prune_forecasts(connection, cuts.forecasts_s, retention.step_workloads)
    more = decisions == retention.step_rows or more_observed or more_forecasts
    hours = 0
    if not more:
        hours = _prune_hours(connection, cuts.hours_s)
        _prune_rare(connection, retention, now_s)
    outgrown = too_large and decisions + observed + hours + forecasts > 0
    return Pruned(decisions, observed, forecasts, more or outgrown, outgrown)


def _sooner_cuts(connection: Connection, cuts: _Cuts, now_s: float) -> _Cuts:
    """Cuts that take a share more than age alone asks for, of what is missed least: forecasts, then decisions
    and observations of before the last day; decisions and forecasts of the last day; then all the rest."""
    recent_s, last_s = now_s - _DAY_S, now_s - _HOUR_S
    forecast_s = oldest_s(connection, schema.Forecast.made_at_s)
    decision_s = oldest_decision_s(connection)
    observation_s = oldest_s(connection, schema.Observation.at_s)
    sooner = _Cuts(
        decisions_s=_sooner(cuts.decisions_s, decision_s, now_s),
        # An hour more, since only whole hours are rolled up.
        observations_s=_sooner(cuts.observations_s, observation_s, now_s) + _HOUR_S,
        hours_s=_sooner(cuts.hours_s, oldest_s(connection, schema.ObservationHour.at_s), now_s),
        forecasts_s=_sooner(cuts.forecasts_s, forecast_s, now_s),
    )
    if _is_before(forecast_s, recent_s):
        return replace(cuts, forecasts_s=sooner.forecasts_s)
    if _is_before(decision_s, recent_s) or _is_before(observation_s, recent_s - _HOUR_S):
        observations_s = max(cuts.observations_s, min(sooner.observations_s, recent_s))
        return replace(cuts, decisions_s=sooner.decisions_s, observations_s=observations_s)
    if _is_before(decision_s, last_s) or _is_before(forecast_s, last_s):
        return replace(cuts, decisions_s=sooner.decisions_s, forecasts_s=sooner.forecasts_s)
    return sooner


def _is_before(oldest_s: float | None, moment_s: float) -> bool:
    return oldest_s is not None and oldest_s <= moment_s


def _sooner(before_s: float, oldest_s: float | None, now_s: float) -> float:
    """A later cut than age alone asks for."""
    return before_s if oldest_s is None else max(before_s, oldest_s + _SHARE * (now_s - oldest_s))


def _prune_decisions(connection: Connection, before_s: float, most: int) -> int:
    """Remove the oldest decisions, and what finds them by reason. The number of decisions removed."""
    model, link = schema.Decision, schema.DecisionReason
    oldest = select(model.id).where(model.id < first_number(before_s)).order_by(model.id).limit(most)
    last = connection.execute(select(func.max(oldest.subquery().c.id))).scalar_one()
    if last is None:
        return 0
    # Reason by reason: so the primary key finds the rows.
    for reason_id in connection.execute(select(schema.Reason.id)).scalars().all():
        connection.execute(delete(link).where(link.reason_id == reason_id, link.decision_id <= last))
    return connection.execute(delete(model).where(model.id <= last)).rowcount


def _having(connection: Connection, column: Any, before: float, most: int) -> list[int]:
    """Workloads with rows older than that, one more than asked for if there are."""
    model = column.class_
    older = exists().where(model.workload_id == schema.Workload.id, column < before)
    query = select(schema.Workload.id).where(older).order_by(schema.Workload.id).limit(most + 1)
    return list(connection.execute(query).scalars())


def _roll_up(connection: Connection, before_s: float, most: int) -> tuple[int, bool]:
    """Turn whole hours of single observations into one row each. How many went, and whether more wait."""
    model, hours = schema.Observation, schema.ObservationHour
    cut = int(before_s) // _HOUR_S * _HOUR_S
    found = _having(connection, model.at_s, cut, most)
    workloads = found[:most]
    if not workloads:
        return 0, False
    due = (model.workload_id.in_(workloads), model.at_s < cut)
    hour = (model.at_s - model.at_s % _HOUR_S).label("hour")
    summed = (
        select(
            model.workload_id,
            hour,
            func.count(),
            func.avg(model.load),
            func.max(model.load),
            func.min(model.ready),
            func.avg(model.asked),
            func.max(model.asked),
        )
        .where(*due)
        .group_by(model.workload_id, hour)
    )
    insert = conflict_insert(connection, hours).from_select(_HOUR_COLUMNS, summed).on_conflict_do_nothing()
    connection.execute(insert)
    return connection.execute(delete(model).where(*due)).rowcount, len(found) > most


_HOUR_COLUMNS = [
    "workload_id",
    "at_s",
    "rows",
    "load_mean",
    "load_max",
    "ready_min",
    "asked_mean",
    "asked_max",
]


def _prune_forecasts(connection: Connection, before_s: float, most: int) -> tuple[int, bool]:
    model = schema.Forecast
    found = _having(connection, model.made_at_s, before_s, most)
    if not found:
        return 0, False
    old = (model.workload_id.in_(found[:most]), model.made_at_s < before_s)
    return connection.execute(delete(model).where(*old)).rowcount, len(found) > most


def _prune_hours(connection: Connection, before_s: float) -> int:
    model = schema.ObservationHour
    return connection.execute(delete(model).where(model.at_s < int(before_s))).rowcount


def _prune_rare(connection: Connection, retention: Retention, now_s: float) -> None:
    """Small tables, whole. A document goes only when no decision that names it can be left."""
    decided_s = now_s - retention.decisions_s
    document, memory, override = schema.Document, schema.Memory, schema.Override
    audit = schema.AuditEntry
    connection.execute(delete(document).where(document.used_s < decided_s - 2 * _DAY_S))
    connection.execute(delete(memory).where(memory.at_s < decided_s))
    connection.execute(delete(override).where(override.expires_s < now_s - retention.audit_s))
    connection.execute(delete(audit).where(audit.id < first_number(now_s - retention.audit_s)))
    forget(connection, now_s)
    _prune_shown(connection, now_s - retention.states_s)


def _prune_shown(connection: Connection, before_s: float) -> None:
    """States that nobody writes any more, and manifests without a state."""
    state, manifest = schema.State, schema.Manifest
    connection.execute(delete(state).where(state.changed_s < before_s))
    shown = exists().where(state.workload_id == manifest.workload_id)
    connection.execute(delete(manifest).where(manifest.at_s < before_s, ~shown))
