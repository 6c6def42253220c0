"""What following the tier in front brings on constructed tiers: `python -m tests.bench.related_load`.

For each pair of tiers, the shortage of the default policy that follows to that of the same policy without, at
equal cost: both run at several quantiles, and their fronts are read at the yardstick's costs. Eight days at a
minute, pods that start in five, scored after the first two days.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from autoscaler.backtest.candidate import default_candidate
from autoscaler.backtest.following import foresee_following
from autoscaler.backtest.foresight import Foresight, foresee
from autoscaler.backtest.predictive import PredictiveScaler
from autoscaler.backtest.simulation import World, simulate
from autoscaler.backtest.track import track
from autoscaler.backtest.yardstick import COSTS, Front, equal_cost_ratios, measure, start_up_steps
from autoscaler.forecasting.registry import forecaster
from autoscaler.forecasting.related.relation import Follows
from autoscaler.series import Series

sys.path.append(str(Path(__file__).parents[1] / "forecasting"))
from tiers import FRONT, NAMES, tiers

_DAYS, _SCORED_FROM = 8, 2 * 1440
_START_UP_S, _STATED = 300.0, 0.95
_LEVELS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995)


def main() -> None:
    """Print a table in Markdown."""
    print("| The follower's load | Shortage, alone | Shortage, following | At equal cost | Coverage of p95 |")
    print("|---|---|---|---|---|")
    for name in NAMES:
        series = tiers(name, _DAYS)
        world = World(float(np.mean(series.values)) / 20.0, _START_UP_S)
        one = default_candidate(series, world)
        how = (forecaster(one.model), one.settings, one.history_s, one.refit_s)
        alone = foresee(series, *how)
        following = foresee_following(alone, series, Follows(FRONT), *how)
        fronts = [_front(series, world, foresight) for foresight in (alone, following)]
        ratio = float(np.nanmedian(equal_cost_ratios(fronts[1], fronts[0], COSTS)))
        short = [float(front.at([1.22])[0]) for front in fronts]
        kept = track(following, series.values, _STATED, _SCORED_FROM).coverage
        print(f"| {name} | {short[0]:.2f} % | {short[1]:.2f} % | {ratio:.2f} | {kept:.3f} |", flush=True)


def _front(series: Series, world: World, foresight: Foresight) -> Front:
    lead = start_up_steps(_START_UP_S, series.step_s)
    points = []
    for level in _LEVELS:
        one = default_candidate(series, world).at_quantile(level)
        course = simulate(series, world, PredictiveScaler(one.name, one.policy, foresight, {}, 0))
        points.append(measure(series.values, course.desired, world.per_replica, lead, _SCORED_FROM))
    return Front.of(points)


if __name__ == "__main__":
    main()
