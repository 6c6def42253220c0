"""Predictive Horizontal Pod Autoscaler: HPA, and Holt-Winters on HPA's own replica counts.

At every sync HPA's wish is computed; a Holt-Winters model with fixed coefficients, fitted to the
history of those wishes, predicts the next one; the larger of the two goes through HPA's behavior.

Source: jthomperoo/predictive-horizontal-pod-autoscaler v0.13, user guide ("Models") and reference.
Where this is deliberately kinder than the original is listed in docs/rivals.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from autoscaler.backtest.result import Kind
from autoscaler.backtest.rivals.behavior_form import DOCUMENTED
from autoscaler.backtest.rivals.controller import Controller
from autoscaler.backtest.rivals.hpa import CpuRule
from autoscaler.backtest.rivals.rival import RivalContext
from autoscaler.backtest.rivals.settings import MOST_REPLICAS, check_bounds, number, setting, whole
from autoscaler.backtest.scaler import Moment
from autoscaler.planning.hpa import TOLERANCE

_SHARE = number(0, 1)


@dataclass(frozen=True, slots=True)
class PhpaSettings:
    """target, min, max: as HPA's. alpha, beta, gamma: smoothing of level, trend and season; PHPA
    has no defaults for them. season: its length, and sample: time between two points of the
    history, seconds. seasons: `storedSeasons`."""

    target: int = setting(80, whole(1, 1000))
    min: int = setting(1, whole(1))
    max: int = setting(MOST_REPLICAS, whole(1))
    alpha: float = setting(0.3, _SHARE)
    beta: float = setting(0.01, _SHARE)
    gamma: float = setting(0.3, _SHARE)
    season: float = setting(86_400.0, number(0, 31 * 86_400.0, above=True))
    sample: float = setting(1800.0, number(0, 86_400, above=True))
    seasons: int = setting(4, whole(2, 60))

    def __post_init__(self) -> None:
        check_bounds(self.min, self.max)
        if self.season < 2 * self.sample:
            raise ValueError(f"season={self.season:g} is shorter than two samples of {self.sample:g} s")


class PhpaRival:
    """decisionType maximum: the larger of HPA's wish and the prediction."""

    kind = Kind.BASELINE

    def __init__(self, name: str, settings: PhpaSettings, context: RivalContext) -> None:
        self.name = name
        self._bounds = (settings.min, settings.max)
        self._rule = CpuRule(settings.target, context.per_replica, (TOLERANCE, TOLERANCE))
        self._controller = Controller(settings.min, settings.max, DOCUMENTED)
        self._model = HoltWinters(settings, max(settings.sample, float(context.series.step_s)))
        self.note = (
            f"Predictive HPA: HPA at {settings.target} % CPU and Holt-Winters "
            f"({settings.alpha:g}/{settings.beta:g}/{settings.gamma:g}, season {settings.season / 3600:g} h) "
            "on its replica counts, the larger of the two"
        )

    def start(self, first_load: float) -> int:
        """As HPA."""
        return self._rule.start(first_load, *self._bounds)

    def decide(self, moment: Moment) -> int:
        """HPA's wish, raised to the prediction."""
        if not self._controller.due(moment.now_s, moment.asked):
            return moment.asked
        wish = self._rule.wish(moment)
        if wish is not None:
            wish = max(wish, self._model.predict(moment.now_s, wish))
            wish = min(max(wish, self._bounds[0]), self._bounds[1])
        return self._controller.sync(moment.now_s, moment.asked, wish)


class HoltWinters:
    """Additive trend and season over samples on a fixed clock, fitted anew for each sample.

    A sample is the largest wish of its time. One without any repeats the one before, so that the
    season keeps its phase. Until two seasons are stored the prediction is 0.
    """

    def __init__(self, settings: PhpaSettings, sample_s: float) -> None:
        self._settings = settings
        self._sample_s = sample_s
        self._period = max(2, round(settings.season / sample_s))
        self._history: list[float] = []
        self._sample: int | None = None
        self._largest = 0
        self._prediction = 0

    def predict(self, now_s: float, wish: int) -> int:
        """Takes in HPA's wish of now; the prediction for the sample now is in."""
        sample = math.floor(now_s / self._sample_s)
        if self._sample is None:
            self._sample = sample
        if sample > self._sample:
            self._history += [float(self._largest)] * (sample - self._sample)
            self._drop_old_seasons()
            self._sample, self._largest = sample, 0
            self._prediction = self._one_ahead()
        self._largest = max(self._largest, wish)
        return self._prediction

    def _drop_old_seasons(self) -> None:
        """Whole seasons only, as the original does."""
        surplus = len(self._history) // self._period - self._settings.seasons
        if surplus > 0:
            del self._history[: surplus * self._period]

    def _one_ahead(self) -> int:
        least = max(2 * self._period, 10 + 2 * (self._period // 2))
        if len(self._history) < least:
            return 0
        # Importing statsmodels takes more than a second, which other rivals should not pay for.
        from statsmodels.tsa.holtwinters import ExponentialSmoothing

        model = ExponentialSmoothing(
            self._history,
            trend="add",
            seasonal="add",
            seasonal_periods=self._period,
            initialization_method="legacy-heuristic",
        )
        # A history without any residual has no logarithm for the information criteria, unused here.
        with np.errstate(divide="ignore"):
            fit = model.fit(
                smoothing_level=self._settings.alpha,
                smoothing_trend=self._settings.beta,
                smoothing_seasonal=self._settings.gamma,
                optimized=False,
            )
            ahead = float(fit.forecast(1)[0])
        return math.ceil(ahead - 1e-9) if math.isfinite(ahead) else 0
