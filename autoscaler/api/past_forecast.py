"""One forecast as it was made, as a table against what came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autoscaler.api.columns import TIMESTAMP, Table, rounded
from autoscaler.api.times import shown_time
from autoscaler.series import Floats, Ints
from autoscaler.store.rows import ForecastMade, Observed
from autoscaler.store.store import Store


def in_a_line(made: ForecastMade) -> dict[str, Any]:
    """That it was made, when, and by which model."""
    payload = made.payload
    return {
        "madeAt": shown_time(made.made_at_s),
        "model": payload.get("model") or "",
        "grade": payload.get("grade") or "",
        "note": payload.get("note") or "",
    }


def read_forecast(store: Store, workload: str, at_s: float) -> Table | None:
    """The newest that was made at that time or before; None where none was."""
    made = store.forecast_at(workload, at_s)
    if made is None:
        return None
    step_s = float(made.payload.get("stepSeconds") or 0.0)
    times_s = _times_s(made, step_s)
    observed = store.observations(workload, made.made_at_s, times_s[-1] + step_s) if len(times_s) else []
    return _table(made, step_s, times_s, observed)


def _table(made: ForecastMade, step_s: float, times_s: Ints, observed: Sequence[Observed]) -> Table:
    payload = made.payload
    levels = payload.get("levels") or []
    return Table(
        {
            TIMESTAMP: times_s,
            **_by_level("q", payload, "values", levels),
            **_by_level("peak", payload, "peaks", levels),
            "actual": rounded(_nearest(times_s, observed, step_s)),
        },
        {
            **in_a_line(made),
            "leadSeconds": (payload.get("leadSteps") or 0) * step_s or None,
            "stepSeconds": step_s or None,
            "levels": levels,
        },
    )


def _times_s(made: ForecastMade, step_s: float) -> Ints:
    """When each step is: step h, from 0, of a forecast is `h + 1` steps after it was made."""
    ahead = np.arange(1, len(made.payload.get("values") or ()) + 1)
    return np.asarray(made.made_at_s + ahead * step_s, dtype=np.int64)


def _by_level(
    prefix: str, payload: Mapping[str, Any], name: str, levels: Sequence[float]
) -> dict[str, list[float | None]]:
    """Columns of a table that is kept by step. Its numbers are short as they are."""
    rows = payload.get(name) or []
    return {f"{prefix}{level:g}": [row[at] for row in rows] for at, level in enumerate(levels)}


def _nearest(times_s: Ints, observed: Sequence[Observed], step_s: float) -> Floats:
    """The load observed nearest to each moment, no further away than one step; NaN where there is none."""
    if not observed:
        return np.full(len(times_s), np.nan)
    seen_s = np.array([one.at_s for one in observed])
    away_s = np.abs(seen_s - times_s[:, np.newaxis])
    loads: Floats = np.array([one.load for one in observed])[away_s.argmin(axis=1)]
    loads[away_s.min(axis=1) > step_s] = np.nan
    return loads
