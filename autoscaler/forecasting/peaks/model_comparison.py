"""Two shared models of the peak on the newest part of a load, which neither has learned from.

Each is used as it would have been: fitted anew every day to what had come by then, corrected by trees of
the workload's own, and asked at many moments for the quantile that decisions take. What counts is the
pinball loss of that answer against the highest load that came.
"""

from __future__ import annotations

import math

import numpy as np

from autoscaler.forecasting.accuracy import peak_ahead, pinball_loss
from autoscaler.forecasting.cleaning import clean
from autoscaler.forecasting.forecaster import DAY_S, WEEK_S, ForecastSettings
from autoscaler.forecasting.origins import spread
from autoscaler.forecasting.peaks.learned_peaks import LearnedPeaks, ModelFor
from autoscaler.series import Batch, Floats, Series

LEADS_S = {"short": 300, "middle": 900, "long": 3600}
"""The lead time that each part of a model is compared at."""

_HELD_OUT_S = WEEK_S
_HELD_OUT_SHARE = 3
_LEAST_HELD_OUT_S = DAY_S // 4
_HISTORY_S = 28 * DAY_S
_MOMENTS_A_DAY = 144
_LEAST_LOSS = 1e-4
"""Share of the mean load that is added to both losses, so that two nearly perfect models count as equal."""


def held_out_from(series: Series) -> int | None:
    """First step of the newest part, to be kept from the model that is judged: a week, or a third of a
    shorter load. None where that is too little to judge by."""
    held = int(min(_HELD_OUT_S // series.step_s, len(series) // _HELD_OUT_SHARE))
    return len(series) - held if held * series.step_s >= _LEAST_HELD_OUT_S else None


def loss_ratios(
    series: Series, first: int, quantile: float, new: ModelFor, old: ModelFor
) -> dict[str, float]:
    """Loss of `new` over that of `old` from step `first` on, by part; NaN where nothing can be judged.

    Below 1 is better.
    """
    floor = _LEAST_LOSS * float(np.nanmean(series.values))
    ratios = {}
    for part, lead_s in LEADS_S.items():
        came, answers = _answers(series, first, max(1, round(lead_s / series.step_s)), quantile, (new, old))
        losses = [pinball_loss(came, answer, quantile) for answer in answers]
        ratios[part] = (
            (losses[0] + floor) / (losses[1] + floor) if all(map(math.isfinite, losses)) else math.nan
        )
    return ratios


def _answers(
    series: Series, first: int, lead: int, quantile: float, models: tuple[ModelFor, ...]
) -> tuple[Floats, list[Floats]]:
    """What came after each judged moment, and what each model said of it; only where all of them know."""
    seasons = tuple(season for season in (DAY_S, WEEK_S) if season >= 2 * series.step_s)
    settings = ForecastSettings(horizon=lead, levels=(quantile,), seasons_s=seasons, quantile=quantile)
    sources = [LearnedPeaks(model) for model in models]
    width = max(2, _HISTORY_S // series.step_s)
    day = max(1, DAY_S // series.step_s)
    peaks = peak_ahead(series.values, lead)
    came, said = [np.empty(0)], [[np.empty(0)] for _ in models]
    for begin in range(first, len(series) - lead, day):
        history = Batch.of(series.between(max(0, begin + 1 - width), begin + 1))
        cleaned = clean(history, settings).history
        at = spread(begin, min(begin + day, len(series) - lead), _MOMENTS_A_DAY)
        every = Batch.rolling(series, at[0], at[-1] + 1, width)
        recent = Batch(every.values[:: at.step], every.end_s[:: at.step], series.step_s)
        came.append(peaks[at.start : at.stop : at.step])
        for source, parts in zip(sources, said, strict=True):
            parts.append(source.fit(cleaned, settings).peaks(recent, np.zeros(len(at), np.int64))[:, 0])
    answers = [np.concatenate(parts) for parts in said]
    known = np.isfinite(answers).all(axis=0)
    return np.concatenate(came)[known], [answer[known] for answer in answers]
