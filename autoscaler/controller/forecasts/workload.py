"""One workload in the forecasting process: what is known of it, and what was said of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from autoscaler.controller.forecasts.coverage import Coverage
from autoscaler.controller.forecasts.fan import Fan, as_expected_earlier
from autoscaler.controller.forecasts.fitting import Fitted
from autoscaler.controller.forecasts.recent import Recent
from autoscaler.controller.forecasts.request import ForecastRequest
from autoscaler.controller.forecasts.schedule import seconds_to_retry
from autoscaler.series import Floats, Forecast


@dataclass(slots=True, eq=False)
class Workload:
    """revision: of the request, told with every answer. due_s: when its history is to be read and
    fitted next. pending: read, and waiting to be fitted. gap_s: first step that could not be read,
    until it is; gap_due_s: when to try that. tried_s: newest step that was asked for.
    """

    request: ForecastRequest
    revision: int
    due_s: float = 0.0
    pending: bool = False
    complete: bool = False
    recent: Recent | None = None
    fitted: Fitted | None = None
    age_s: float = 0.0
    failures: int = 0
    gap_s: int | None = None
    gap_due_s: float = 0.0
    tried_s: int = 0
    failure: str = ""
    _made_at_s: int | None = None
    _expected: Floats = field(default_factory=lambda: np.empty(0))
    _coverage: Coverage = field(init=False)

    def __post_init__(self) -> None:
        self._coverage = Coverage(self.request.lead, self.request.step_s)

    @property
    def forecast_at_s(self) -> int | None:
        """When it was last forecast; None for never."""
        return self._made_at_s

    def failed(self, now_s: float) -> None:
        """Its history could not be read or fitted: try again later, and more rarely each time."""
        self.pending = False
        self.failures += 1
        self.due_s = now_s + seconds_to_retry(self.failures)

    def seen(self, recent: Recent, at_s: int, value: float) -> None:
        """The load at the grid instant `at_s`; NaN where the source says that there is none."""
        step_s = self.request.step_s
        if at_s > recent.end_s + step_s and self.gap_s is None:
            self.gap_s = recent.end_s + step_s
        recent.append(at_s, value)
        self._coverage.judge(at_s, recent.newest(self.request.lead))

    def expects(self, forecast: Forecast, row: int) -> None:
        """Take over what `forecast` lets expect of steps at least a lead time away."""
        made_at_s = int(forecast.made_at_s[row])
        steps = (made_at_s - self._made_at_s) // self.request.step_s if self._made_at_s is not None else 0
        median = forecast.values[row, :, int(np.argmin(np.abs(forecast.levels - 0.5)))]
        self._expected = as_expected_earlier(self._expected, steps, self.request.lead, median)
        self._made_at_s = made_at_s

    def fan(self, forecast: Forecast, row: int) -> Fan:
        """What to tell of `forecast`, which is remembered, to be judged when its time has come."""
        self.expects(forecast, row)
        lead, made_at_s = self.request.lead, int(forecast.made_at_s[row])
        fan = Fan(
            made_at_s=float(made_at_s),
            step_s=self.request.step_s,
            lead=lead,
            levels=forecast.levels,
            values=forecast.values[row],
            peaks=forecast.peaks[row],
            expected=self._expected,
            model=forecast.models[row],
            grade=forecast.grades[row],
            note=forecast.notes[row],
            coverage=self._coverage.share,
            judged=self._coverage.judged,
        )
        stated = fan.outlook(made_at_s, lead * self.request.step_s, self.request.settings.quantile).peak
        self._coverage.state(made_at_s, stated if math.isfinite(stated) else math.nan)
        return fan
