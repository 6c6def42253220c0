"""Forecasts of the played workloads, by the code that the operator's forecasting process runs.

What that process reads step by step from Prometheus is known here beforehand, so a model is asked for some
hours of forecasts in one call. Each is still made from what had arrived by its own moment: the rows of
`Batch.rolling` hold nothing later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autoscaler.controller.deciding import NOT_MADE_YET, no_outlook
from autoscaler.controller.forecasts.fan import Fan
from autoscaler.controller.forecasts.fitting import Alike, Fitted, fit
from autoscaler.controller.forecasts.predicting import outlook_so_far, state_peaks
from autoscaler.controller.forecasts.recent import Reach, Recent
from autoscaler.controller.forecasts.rehearsing import rehearse
from autoscaler.controller.forecasts.request import ForecastRequest
from autoscaler.controller.forecasts.schedule import seconds_to_next_fit
from autoscaler.controller.forecasts.workload import Workload
from autoscaler.demo.traffic import Traffic
from autoscaler.planning.observation import Outlook
from autoscaler.series import Batch, Forecast, Series

_AT_ONCE = 240
"""Steps that are forecast in one call."""


@dataclass(slots=True, eq=False)
class _Foreseen:
    """One workload with the forecasts of the steps from `first_s` on, one row each."""

    workload: Workload
    recent: Recent
    forecast: Forecast | None = None
    first_s: int = 0

    def row(self, at_s: int) -> int | None:
        """Where the forecast of the step `at_s` is; None where it is still to be made."""
        if self.forecast is None:
            return None
        row = (at_s - self.first_s) // self.recent.step_s
        return row if row < len(self.forecast.made_at_s) else None


class Forecasts:
    """The newest fan of every workload. For one thread. traffic: by key, `namespace/name`."""

    def __init__(self, traffic: Mapping[str, Traffic]) -> None:
        self._traffic = traffic
        self._foreseen: dict[str, _Foreseen] = {}
        self._fans: dict[str, Fan] = {}
        self._failures: dict[str, str] = {}

    def see(self, at_s: int, requests: Mapping[str, ForecastRequest]) -> None:
        """The load of the step `at_s` is known: forecast what is asked for, fitting models that are due."""
        for key, request in requests.items():
            before = self._foreseen.get(key)
            if before is None or before.workload.request != request:
                self._foreseen[key] = self._begun(request, at_s)
        wanted = [self._foreseen[key] for key in requests]
        for one in wanted:
            one.workload.seen(one.recent, at_s, self._traffic[one.workload.request.key].at(at_s))
        self._fit([one for one in wanted if one.workload.due_s <= at_s], at_s)
        for one in wanted:
            self._forecast(one, at_s)

    def fan(self, key: str) -> Fan | None:
        """The newest fan of a workload; None before the first."""
        return self._fans.get(key)

    def outlook(
        self, key: str, now_s: float, lead_time_s: float, quantile: float, headroom: float = 1.0
    ) -> Outlook:
        """What the newest fan says for a decision now."""
        fan = self._fans.get(key)
        if fan is None:
            return no_outlook(self._failures.get(key, NOT_MADE_YET))
        return fan.outlook(now_s, lead_time_s, quantile, headroom)

    def _begun(self, request: ForecastRequest, at_s: int) -> _Foreseen:
        """A workload whose model is to be fitted at `at_s`."""
        step_s, width = request.step_s, request.width
        history = self._traffic[request.key].between(at_s - width * step_s, at_s - step_s)
        recent = Recent(history, at_s - step_s, step_s, Reach(width, width, ()))
        return _Foreseen(Workload(request, revision=1, due_s=at_s, recent=recent), recent)

    def _fit(self, due: Sequence[_Foreseen], at_s: int) -> None:
        alike: dict[Alike, list[_Foreseen]] = {}
        histories = {}
        for one in due:
            request = one.workload.request
            start_s = at_s - (request.width - 1) * request.step_s
            histories[request.key] = history = self._traffic[request.key].between(start_s, at_s)
            alike.setdefault(Alike.of(request, history), []).append(one)
        for kind, group in alike.items():
            answers = fit(kind, [histories[one.workload.request.key] for one in group], at_s)
            begun = [one.workload for one in group if one.workload.fitted is None]
            for one, answer in zip(group, answers, strict=True):
                self._take_fit(one, answer, at_s)
            outlook_so_far(begun)
            for workload in begun:
                rehearse(workload)

    def _take_fit(self, one: _Foreseen, answer: Fitted | str, at_s: int) -> None:
        workload, request = one.workload, one.workload.request
        if isinstance(answer, str):
            workload.failed(at_s)
            self._failures[request.key] = answer
            return
        workload.fitted, one.forecast = answer, None
        age_s = request.width * request.step_s
        workload.due_s = at_s + seconds_to_next_fit(request.key, age_s, request.refit_s, request.step_s)

    def _forecast(self, one: _Foreseen, at_s: int) -> None:
        fitted, request = one.workload.fitted, one.workload.request
        if fitted is None:
            return
        row = one.row(at_s)
        if row is None:
            step_s, width = request.step_s, request.width
            start_s, end_s = at_s - (width - 1) * step_s, at_s + (_AT_ONCE - 1) * step_s
            series = Series(request.key, start_s, step_s, self._traffic[request.key].between(start_s, end_s))
            batch = Batch.rolling(series, width - 1, len(series), width)
            one.forecast = fitted.predictor.predict(batch, np.full(_AT_ONCE, fitted.row, np.int64))
            one.first_s, row = at_s, 0
        assert one.forecast is not None  # made above where it was not
        peaks = state_peaks(one.forecast, [row], [one.workload])[0]
        self._fans[request.key] = one.workload.fan(one.forecast, row, peaks)
