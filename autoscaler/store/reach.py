"""How far back what is stored reaches: the oldest rows that are left, whatever made older ones go."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

from sqlalchemy import Connection, ScalarSelect, func, select

from autoscaler.store import schema


@dataclass(frozen=True, slots=True)
class Reach:
    """Times of the oldest decision, single observation, hour of observations and forecast, in epoch seconds.

    None where there is none.
    """

    decisions_s: float | None
    observations_s: float | None
    hours_s: float | None
    forecasts_s: float | None


KINDS = ("decisions", "observations", "hours", "forecasts")
"""Names of these, in their order."""

NOWHERE = Reach(None, None, None, None)
"""Of a store that is empty, or was not looked at yet."""


def ages_s(reach: Reach, now_s: float) -> dict[str, float]:
    """How old the oldest of each kind is, by kind; NaN where there is none."""
    oldest = zip(KINDS, astuple(reach), strict=True)
    return {kind: math.nan if at_s is None else max(0.0, now_s - at_s) for kind, at_s in oldest}


def find_reach(connection: Connection) -> Reach:
    """By one look into an index for decisions, and one for each workload for the others."""
    oldest = (_OLDEST_DECISION, *map(_oldest, _KEPT_BY_WORKLOAD))
    found: Sequence[Any] = connection.execute(select(*oldest)).one()
    return Reach(*found)


def oldest_decision_s(connection: Connection) -> float | None:
    """The time of the oldest decision."""
    return connection.execute(select(_OLDEST_DECISION)).scalar_one()


def oldest_s(connection: Connection, column: Any) -> float | None:
    """The least time over all workloads, by one look into the primary key for each."""
    return connection.execute(select(_oldest(column))).scalar_one()


def _oldest(column: Any) -> ScalarSelect[float | None]:
    model = column.class_
    own = select(func.min(column)).where(model.workload_id == schema.Workload.id).scalar_subquery()
    each = select(own.label("oldest")).select_from(schema.Workload).subquery()
    return select(func.min(each.c.oldest)).scalar_subquery()


_OLDEST_DECISION: ScalarSelect[float | None] = (
    select(schema.Decision.at_s).order_by(schema.Decision.id).limit(1).scalar_subquery()
)
_KEPT_BY_WORKLOAD = (schema.Observation.at_s, schema.ObservationHour.at_s, schema.Forecast.made_at_s)
