"""What a workload without any past costs and leaves unserved in its first two hours, by model.

python tests/bench/first_hours.py --traces ../shared/traces [--pieces 4] [--start-up 300]

Of each recorded one-minute load some pieces of two hours, from random moments on, each run through the whole
default policy as if nothing had come before.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from autoscaler.backtest.candidate import default_candidate
from autoscaler.backtest.foresight import blind, foresee
from autoscaler.backtest.predictive import PredictiveScaler
from autoscaler.backtest.scores import unserved_share
from autoscaler.backtest.simulation import World, simulate
from autoscaler.forecasting.registry import forecaster
from autoscaler.series import Series
from autoscaler.signals.recorded import read_recorded

_PIECE_S = 7200
_FLEET = 20
_MODELS = ("auto", "trend", None)
_Found = tuple[float, float]
"""Share unserved, and replicas over those that the load needed on average."""


def main() -> None:
    """Measure and print, each load as the mean over its pieces."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--traces", type=Path, required=True)
    parser.add_argument("--pieces", type=int, default=4)
    parser.add_argument("--start-up", type=float, default=300.0)
    options = parser.parse_args()
    everywhere: dict[str | None, list[_Found]] = {model: [] for model in _MODELS}
    print(f"{'unserved, replicas over those needed':36}" + "".join(f"{model!s:>18}" for model in _MODELS))
    for file in sorted(options.traces.glob("*_1min.csv.gz")):
        series = read_recorded(file)
        world = World(float(np.nanmean(series.values)) / _FLEET, options.start_up)
        pieces = list(_pieces(series, options.pieces))
        for model, found in everywhere.items():
            of_pieces = [_first_hours(piece, world, model) for piece in pieces]
            found.append((_mean(one for one, _ in of_pieces), _mean(one for _, one in of_pieces)))
        print(f"{series.name:36}" + "".join(_told(found[-1]) for found in everywhere.values()), flush=True)
    for name, of_all in (("mean", statistics.fmean), ("median", statistics.median)):
        of_models = (
            (of_all(one for one, _ in found), of_all(one for _, one in found))
            for found in everywhere.values()
        )
        print(f"{name:36}" + "".join(map(_told, of_models)))


def _pieces(series: Series, count: int) -> Iterator[Series]:
    steps = _PIECE_S // series.step_s
    chosen = random.Random(5)
    for _ in range(count):
        start = chosen.randrange(len(series) - steps)
        piece = series.between(start, start + steps)
        if np.isfinite(piece.values).mean() > 0.9 and np.nansum(piece.values) > 0.0:
            yield piece


def _first_hours(piece: Series, world: World, model: str | None) -> _Found:
    made = default_candidate(piece, world)
    if model is None:
        foresight = blind(len(piece), made.settings)
    else:
        foresight = foresee(piece, forecaster(model), made.settings, made.history_s, made.refit_s)
    course = simulate(piece, world, PredictiveScaler("first hours", made.policy, foresight, {}, 0))
    needed = np.maximum(np.nan_to_num(piece.values) / world.per_replica, 1.0)
    unserved = unserved_share(piece.values, course.ready, world.per_replica)
    return unserved, float(course.desired.sum() / needed.sum())


def _mean(values: Iterator[float]) -> float:
    return statistics.fmean(values)


def _told(found: _Found) -> str:
    unserved, over = found
    return f"{unserved:11.2%}{over:7.2f}"


if __name__ == "__main__":
    main()
