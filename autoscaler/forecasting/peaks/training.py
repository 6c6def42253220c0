"""Training the shared model of the peak, from recorded loads.

A recorded load is walked through as a live one would be: the workload's own ridge is fitted on a schedule
to what had come by then, and every moment is told to the model as it will be told in use. So what is
learned is what can be known. Short pieces of each load are walked through as well, as if the workload
had just begun. Recipe and measurements: docs/forecasting-learned.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoscaler.forecasting.cleaning import clean
from autoscaler.forecasting.forecaster import DAY_S, WEEK_S, ForecastSettings
from autoscaler.forecasting.origins import spread
from autoscaler.forecasting.peaks.model import Table, written_model
from autoscaler.forecasting.peaks.witness import Told, Witness
from autoscaler.series import Batch, Floats, Ints, Series

LEVELS = (0.1, 0.3, 0.5, 0.7, 0.85, 0.92, 0.95, 0.98, 0.995)
PARTS = {"short": (120, 300), "middle": (900,), "long": (3600,)}
"""Lead times in seconds that each part of the model learns from."""
SEED = 7
ROUNDS = 100

_FITS_S = (0, 600, 1800, 3600, 3 * 3600, 6 * 3600)
_REFIT_S = 6 * 3600
_HISTORY_S = 28 * DAY_S
_ROWS_AT_ONCE = 2048
_MOMENTS = 1500
"""Of each load and lead."""
_YOUNG_PIECES = 8
_YOUNG_S = DAY_S
_YOUNG_MOMENTS = 30
_FIRST_MOMENT_S = 600
_WEIGHTS = (0.2, 5.0)
_TREES: dict[str, Any] = {
    "objective": "quantile",
    "learning_rate": 0.1,
    "num_leaves": 31,
    "min_data_in_leaf": 60,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "max_bin": 63,
    "lambda_l2": 1.0,
    # The same numbers on every machine, whatever else it does.
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}


@dataclass(frozen=True, slots=True)
class Walked:
    """Moments of one load, oldest first. at: [moment], step of the load. told: what was known then.
    rise: [moment], what the peak after it was, NaN where that was not recorded."""

    at: Ints
    told: Told
    rise: Floats


@dataclass(frozen=True, slots=True)
class Lessons:
    """names, table: [moment, clue]. surplus: [moment], rise beyond what the ridge expected.
    weight: [moment]. known_s: [moment], when the peak after it was over, epoch seconds."""

    names: tuple[str, ...]
    table: Table
    surplus: Floats
    weight: Floats
    known_s: Ints

    def until(self, end_s: float) -> Lessons:
        """Those that could have been learned by then."""
        then = self.known_s <= end_s
        return Lessons(
            self.names, self.table[then], self.surplus[then], self.weight[then], self.known_s[then]
        )


_NOTHING = Lessons((), np.empty((0, 0), np.float32), np.empty(0), np.empty(0), np.empty(0, np.int64))


def walk(series: Series, lead: int, moments: range) -> Iterator[Walked]:
    """What was known at these steps of a load, and what came within the `lead` steps after each."""
    seasons = tuple(season for season in (DAY_S, WEEK_S) if season >= 2 * series.step_s)
    settings = ForecastSettings(horizon=lead, seasons_s=seasons)
    width = max(2, _HISTORY_S // series.step_s)
    ahead = np.full(len(series) - 1 + lead, np.nan)
    ahead[: len(series) - 1] = series.values[1:]
    peak = np.fmax.reduce(np.lib.stride_tricks.sliding_window_view(ahead, lead), axis=1)
    peak = np.append(peak, np.nan)[: len(series)]
    fits = _fit_steps(len(series), series.step_s)
    for first, until in zip(fits, [*fits[1:], len(series)], strict=True):
        at = np.array([step for step in moments if first <= step < until], np.int64)
        if len(at) == 0:
            continue
        history = Batch.of(series.between(max(0, first + 1 - width), first + 1))
        witness = Witness.fit(clean(history, settings).history, settings)
        for begin in range(0, len(at), _ROWS_AT_ONCE):
            some = at[begin : begin + _ROWS_AT_ONCE]
            every = Batch.rolling(series, int(some[0]), int(some[-1]) + 1, width)
            recent = Batch(every.values[:: moments.step], every.end_s[:: moments.step], series.step_s)
            told = witness.tell(recent, np.zeros(len(some), np.int64))
            yield Walked(some, told, told.view.rise(peak[some]))


def lessons(series: Series, leads_s: Sequence[int]) -> Lessons:
    """What one load teaches about these leads, each at least a step of it."""
    found = []
    for lead_s in sorted({max(series.step_s, lead_s) for lead_s in leads_s}):
        lead = round(lead_s / series.step_s)
        first = -(-_FIRST_MOMENT_S // series.step_s)
        found.append(_lessons(series, lead, spread(first, len(series), _MOMENTS)))
        piece = _YOUNG_S // series.step_s
        if len(series) < 2 * piece:
            continue
        for start in np.linspace(0, len(series) - piece, _YOUNG_PIECES).astype(int).tolist():
            young = series.between(start, start + piece)
            found.append(_lessons(young, lead, spread(first, piece, _YOUNG_MOMENTS)))
    return joined(found)


def joined(parts: Sequence[Lessons]) -> Lessons:
    """All lessons together; none when there are none."""
    some = [part for part in parts if len(part.weight)]
    if not some:
        return _NOTHING
    return Lessons(
        some[0].names,
        np.concatenate([part.table for part in some]),
        np.concatenate([part.surplus for part in some]),
        np.concatenate([part.weight for part in some]),
        np.concatenate([part.known_s for part in some]),
    )


def train(taught: Lessons, about: dict[str, Any], seed: int = SEED, rounds: int = ROUNDS) -> dict[str, bytes]:
    """The files of a model that learned from `taught`; the same lessons and seed give the same bytes.

    about: what the manifest says besides. rounds: trees for each level.
    """
    import lightgbm

    data = lightgbm.Dataset(
        taught.table, taught.surplus, weight=taught.weight, params=_TREES, free_raw_data=False
    )
    forests = {}
    for level in LEVELS:
        settings = {**_TREES, "alpha": level, "seed": seed}
        forests[level] = lightgbm.train(settings, data, rounds).model_to_string()
    return written_model(taught.names, forests, about)


def _lessons(series: Series, lead: int, moments: range) -> Lessons:
    walked = list(walk(series, lead, moments))
    if not walked:
        return _NOTHING
    names = walked[0].told.names
    table = np.concatenate([part.told.table for part in walked])
    surplus = np.concatenate([part.rise - part.told.expected for part in walked])
    level = np.concatenate([part.told.view.level for part in walked])
    known = np.isfinite(surplus)
    if not known.any():
        return _NOTHING
    # Where the mean is zero every moment weighs as much as one may.
    with np.errstate(divide="ignore"):
        high = np.sqrt(np.clip(level[known] / np.nanmean(series.values), *_WEIGHTS))
    over_s = series.start_s + (np.concatenate([part.at for part in walked]) + lead) * series.step_s
    return Lessons(names, table[known], surplus[known], high / high.mean(), over_s[known])


def _fit_steps(steps: int, step_s: int) -> list[int]:
    early = [at_s // step_s for at_s in _FITS_S]
    every = max(_REFIT_S // step_s, 1)
    return sorted({step for step in [*early, *range(every, steps, every)] if step < steps})
