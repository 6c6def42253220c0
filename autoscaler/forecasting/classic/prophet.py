"""Prophet (Taylor and Letham, 2018): piecewise trend, Fourier seasons and known events.

An optional part: `pip install 'predictive-autoscaler[prophet]'`. Fitted per workload to the log load in
local time on a grid of up to half an hour; about a second per workload.
"""

from __future__ import annotations

import importlib.util
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autoscaler.forecasting.classic.level import negligible
from autoscaler.forecasting.classic.profile import ProfilePath, TableCourse
from autoscaler.forecasting.classic.seasonal_naive import ceiling
from autoscaler.forecasting.forecaster import DAY_S, WEEK_S, ForecastSettings, Interval, PathPredictor
from autoscaler.forecasting.grid import Coarse, coarse, visible_seasons
from autoscaler.forecasting.localtime import Clock, follows_the_clock
from autoscaler.series import Batch, Floats, Ints

if TYPE_CHECKING:
    import pandas as pd

_CELL_S = 1800
_CELLS_PER_SEASON = 48
_LONGEST_S = 56 * DAY_S
_AHEAD_S = 8 * DAY_S
_HARMONICS = {DAY_S: 10, WEEK_S: 4}
_OTHER_HARMONICS = 6
_LOGGERS = ("prophet", "cmdstanpy")


def installed() -> bool:
    """Whether the optional packages are there."""
    return importlib.util.find_spec("prophet") is not None


@dataclass(slots=True)
class ProphetModel:
    """Prophet for every row. Raises ImportError from `fit_path` when it is not installed."""

    name: str = "prophet"

    def fit_path(self, history: Batch, settings: ForecastSettings) -> PathPredictor:
        """Fit every row that has seen its shortest season twice; other rows have no path."""
        seasons = visible_seasons(settings, history.step_s)
        eps = negligible(history.values)
        newest = Batch(
            history.values[:, -max(2, _LONGEST_S // history.step_s) :], history.end_s, history.step_s
        )
        cells = coarse(newest, min(_CELL_S, min(seasons, default=DAY_S) // _CELLS_PER_SEASON))
        ahead = max(_AHEAD_S, 2 * max(seasons, default=0)) // cells.cell_s
        times = cells.middles_s[0] + cells.cell_s * np.arange(len(cells.middles_s) + ahead)
        frame, regressors = _frame(times, cells, seasons, settings)
        table = np.full((len(history), len(times)), np.nan)
        with _quiet():
            for row in range(len(history)):
                table[row] = _fitted(frame, regressors, cells.values[row], float(eps[row]), seasons)
        course = TableCourse(
            values=table,
            first_s=float(times[0]),
            cell_s=cells.cell_s,
            season_s=seasons[-1] if seasons else 0,
            step_s=history.step_s,
            time_zone=settings.time_zone,
        )
        return ProfilePath(course, eps, ceiling(history.values))


def _frame(
    times: Ints, cells: Coarse, seasons: tuple[int, ...], settings: ForecastSettings
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Local time and the regressors for every instant: events, and seasons that ignore the calendar.

    An event is a regressor only when it has happened before: otherwise there is nothing to learn.
    """
    import pandas as pd

    clock = Clock.of(settings.time_zone, int(times[0]), int(times[-1]))
    columns: dict[str, Any] = {"ds": pd.to_datetime(clock.local_s(times), unit="s")}
    for season_s in seasons:
        if not follows_the_clock(season_s):
            for harmonic in range(1, _OTHER_HARMONICS + 1):
                angle = 2 * np.pi * harmonic * (times % season_s) / season_s
                columns[f"sin_{season_s}_{harmonic}"] = np.sin(angle)
                columns[f"cos_{season_s}_{harmonic}"] = np.cos(angle)
    for name in sorted({event.name for event in settings.events}):
        share = sum(_overlap(times, cells.cell_s, event) for event in settings.events if event.name == name)
        if isinstance(share, np.ndarray) and share[: len(cells.middles_s)].any():
            columns[f"event_{name}"] = share
    return pd.DataFrame(columns), tuple(name for name in columns if name != "ds")


def _overlap(middles_s: Ints, cell_s: int, event: Interval) -> Floats:
    """Share of every cell that lies within an event."""
    begin = middles_s - cell_s / 2
    inside: Floats = np.minimum(begin + cell_s, event.end_s) - np.maximum(begin, event.start_s)
    return np.clip(inside / cell_s, 0.0, 1.0)


def _fitted(
    frame: pd.DataFrame,
    regressors: tuple[str, ...],
    load: Floats,
    eps: float,
    seasons: tuple[int, ...],
) -> Floats:
    """Expected load at every instant of the frame; NaN where there is too little to fit."""
    unknown = np.full(len(frame), np.nan)
    known = np.flatnonzero(np.isfinite(load))
    if not seasons or len(known) < 2 * _CELLS_PER_SEASON:
        return unknown
    past = frame.iloc[known].assign(y=np.log(load[known] + eps))
    model = _model(seasons, regressors)
    try:
        model.fit(past)
        answer = np.asarray(model.predict(frame)["yhat"], dtype=np.float64)
    except (RuntimeError, ValueError, ArithmeticError):
        return unknown
    highest = float(np.max(load[known])) + eps
    bounded = np.clip(answer, np.log(eps), np.log(highest) + np.log(1000.0))
    return np.maximum(np.exp(bounded) - eps, 0.0)


def _model(seasons: tuple[int, ...], regressors: tuple[str, ...]) -> Any:
    from prophet import Prophet

    model = Prophet(
        yearly_seasonality=False,
        weekly_seasonality=False,
        daily_seasonality=False,
        uncertainty_samples=0,
        changepoint_prior_scale=0.02,
    )
    for season_s in seasons:
        if follows_the_clock(season_s):
            order = _HARMONICS.get(season_s, _OTHER_HARMONICS)
            model.add_seasonality(f"season_{season_s}", period=season_s / DAY_S, fourier_order=order)
    for name in regressors:
        model.add_regressor(name, standardize=False)
    return model


@contextmanager
def _quiet() -> Iterator[None]:
    """Neither Prophet nor Stan write to the caller's log, nor does Prophet warn of its own use of pandas."""
    import prophet  # noqa: F401 - importing sets the loggers up, which would undo the silence

    before = {name: logging.getLogger(name).level for name in _LOGGERS}
    try:
        for name in _LOGGERS:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
