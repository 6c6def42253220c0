"""The forecasts a policy would have had at every step of a trace, made as the live loop makes them.

Forecasts do not depend on replicas, so they are made once per trace, stretch by stretch, and shared by all
policies that use the same model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from autoscaler.backtest.stretches import Modelled, modelled, stretches
from autoscaler.forecasting.accuracy import peak_ahead
from autoscaler.forecasting.easing import eased
from autoscaler.forecasting.forecaster import Forecaster, ForecastSettings
from autoscaler.forecasting.known.occasions import Occasion, known_peaks
from autoscaler.forecasting.known.spans import untold
from autoscaler.forecasting.promises import recalibrated
from autoscaler.series import Floats, Series


@dataclass(frozen=True, slots=True)
class Foresight:
    """peaks[t, level]: quantiles of the maximum load over the `lead_steps` steps after step t, as
    forecast at step t; NaN where there was no usable forecast. expected[t]: median of the load of
    step t as forecast `lead_steps` before it. model: the one that served most steps; note: why it
    was last used. known[t]: the maximum over the same steps that known occasions let expect, else NaN.
    untold[t]: whether what came after step t says nothing of the model.
    """

    levels: Floats
    lead_steps: int
    peaks: Floats
    expected: Floats
    model: str
    note: str
    known: Floats
    untold: NDArray[np.bool_]

    def at_quantile(self, quantile: float) -> Floats:
        """The model's `quantile` of the peak at every step, interpolated between levels, shape [time]."""
        position = float(np.interp(quantile, self.levels, np.arange(len(self.levels))))
        low = int(position)
        high = min(low + 1, len(self.levels) - 1)
        peak: Floats = self.peaks[:, low] + (position - low) * (self.peaks[:, high] - self.peaks[:, low])
        return peak


def foresee(
    series: Series, forecaster: Forecaster, settings: ForecastSettings, history_s: float, refit_s: float
) -> Foresight:
    """Forecast every step of `series`, each from what had arrived by then.

    settings.horizon is the lead time in steps. The quantiles are those of the model, eased and
    read by its record.
    """
    parts = stretches(series, history_s, refit_s)
    return as_stated(series, settings, [modelled(part, forecaster, settings, history_s) for part in parts])


def as_stated(series: Series, settings: ForecastSettings, parts: Iterable[Modelled]) -> Foresight:
    """What was said of all stretches of `series`, eased and read by its record."""
    made = as_modelled(series, settings, parts)
    came = np.where(made.untold, np.nan, peak_ahead(series.values, made.lead_steps))
    stated = eased(made.peaks, made.lead_steps, series.step_s)
    kept = recalibrated(stated, made.levels, came, made.lead_steps, series.start_s, series.step_s)
    occasions = [Occasion.of(repeat, series) for repeat in settings.repeats]
    lacking = [
        occasion.lacking
        for occasion in occasions
        if occasion.repeat.start_s < series.end_s and series.start_s < occasion.repeat.end_s
    ]
    return replace(
        made,
        peaks=kept,
        note="; ".join([made.note, *filter(None, lacking)]),
        known=known_peaks(occasions, series, made.lead_steps),
    )


def as_modelled(series: Series, settings: ForecastSettings, parts: Iterable[Modelled]) -> Foresight:
    """The same with the model's own quantiles."""
    steps, lead = len(series), settings.horizon
    levels = np.asarray(settings.levels)
    peaks = np.full((steps, len(levels)), np.nan)
    expected = np.full(steps, np.nan)
    served: Counter[str] = Counter()
    notes: dict[str, str] = {}
    for part in parts:
        peaks[part.first : part.first + len(part.peaks)] = part.peaks
        ahead = part.median[: max(0, steps - lead - part.first)]
        expected[part.first + lead : part.first + lead + len(ahead)] = ahead
        served.update(part.served)
        notes.update(part.notes)
    model = served.most_common(1)[0][0] if served else "no"
    note = notes.get(model, "no usable history")
    untold_of = untold(series.times_s, lead, series.step_s, settings.excluded)
    return Foresight(levels, lead, peaks, expected, model, note, np.full(steps, np.nan), untold_of)


def blind(steps: int, settings: ForecastSettings) -> Foresight:
    """No forecast at all: the policy lives on its reactive signals."""
    unknown = np.full((steps, len(settings.levels)), np.nan)
    levels = np.asarray(settings.levels)
    every = np.ones(steps, np.bool_)
    return Foresight(levels, settings.horizon, unknown, unknown[:, 0], "no", "", unknown[:, 0], every)
