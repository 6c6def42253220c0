"""Where the runs of a trace lie against the tuned reactive rival, all by the yardstick's rules.

The simulator is stricter than the yardstick by up to a step, so points taken from the scores must
not be drawn against the rival's front.
"""

from __future__ import annotations

from autoscaler.backtest import yardstick
from autoscaler.backtest.result import Run, TraceResult


def rival_front(trace: TraceResult) -> yardstick.Front:
    """The tuned reactive rival over the scored part of the trace."""
    series = trace.series
    return yardstick.reactive_front(
        series.values, trace.per_replica, series.step_s, _lead(trace), trace.scored_from
    )


def point_of(trace: TraceResult, run: Run) -> yardstick.Point:
    """One run's cost and overload in per cent."""
    return yardstick.measure(
        trace.series.values, run.desired, trace.per_replica, _lead(trace), trace.scored_from
    )


def _lead(trace: TraceResult) -> int:
    return yardstick.start_up_steps(trace.start_up_s, trace.series.step_s)
