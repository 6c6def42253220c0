"""A workload's own past on a regular grid: its load, the replicas it had and those that were asked for.

What was seen is kept about once a minute and not on the minute. So each step of the grid takes the
newest that had been seen by then, unless that is too old.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autoscaler.series import Floats, Ints, Series
from autoscaler.store.rows import Observed

STEP_S = 60
DAY_S = 86_400
_REACH_S = 150
"""A step without anything newer is a gap: two observations in a row are missing."""
_LEAST_SCORED_S = 3600


class Unanswerable(Exception):
    """What has been recorded does not allow an answer; the message says why, to whoever asked."""


@dataclass(frozen=True, slots=True)
class History:
    """series: the load, one step a minute, NaN where it was not known. asked: the count last asked for,
    taken to have stayed through a gap. ready: NaN where unknown. All [time]. scored_from: first step that
    policies are judged by; those before are what they learn from.
    """

    series: Series
    asked: Ints
    ready: Floats
    scored_from: int

    @property
    def judged_load(self) -> Floats:
        """Load where load and ready pods are known, NaN elsewhere: all policies are judged by the same."""
        return np.where(np.isnan(self.ready), np.nan, self.series.values)


def history_of(workload: str, observed: Sequence[Observed], days: float) -> History:
    """What was observed, oldest first, of which the last `days` are to be judged.

    Policies learn from at least a day before, or a quarter of what there is. Raises Unanswerable.
    """
    if not observed:
        raise Unanswerable(f"nothing has been recorded of {workload} yet")
    at_s = np.array([row.at_s for row in observed])
    first_s = int(np.ceil(at_s[0] / STEP_S)) * STEP_S
    grid_s = np.arange(first_s, at_s[-1] + 1, STEP_S, dtype=np.int64)
    newest = np.searchsorted(at_s, grid_s, side="right") - 1
    fresh = grid_s - at_s[newest] <= _REACH_S
    load = np.array([row.load for row in observed])
    ready = np.array([np.nan if row.ready is None else row.ready for row in observed])
    asked = np.array([row.asked for row in observed], np.int64)
    history = History(
        series=Series(workload, first_s, STEP_S, np.where(fresh, load[newest], np.nan)),
        asked=asked[newest],
        ready=np.where(fresh, ready[newest], np.nan),
        scored_from=_scored_from(len(grid_s), days),
    )
    known_s = int(np.isfinite(history.judged_load[history.scored_from :]).sum()) * STEP_S
    if known_s < _LEAST_SCORED_S:
        raise Unanswerable(
            f"{known_s // 60} minutes of known load have been recorded of {workload} that policies could be "
            f"judged by; at least {_LEAST_SCORED_S // 60} are needed"
        )
    return history


def _scored_from(steps: int, days: float) -> int:
    learnt_from = min(DAY_S // STEP_S, steps // 4)
    return max(steps - int(days * DAY_S) // STEP_S, learnt_from)
