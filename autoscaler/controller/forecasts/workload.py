"""One workload in the forecasting process: what is known of it, and what was said of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from autoscaler.controller.forecasts.coverage import Coverage
from autoscaler.controller.forecasts.earlier import Earlier
from autoscaler.controller.forecasts.fan import Fan, as_expected_earlier
from autoscaler.controller.forecasts.fitting import Fitted
from autoscaler.controller.forecasts.follower import Follower
from autoscaler.controller.forecasts.recent import Recent
from autoscaler.controller.forecasts.request import ForecastRequest
from autoscaler.controller.forecasts.schedule import seconds_to_retry
from autoscaler.controller.forecasts.stated_record import StatedRecord
from autoscaler.forecasting.accuracy import peak_ahead
from autoscaler.forecasting.easing import Easing
from autoscaler.forecasting.known.spans import untold
from autoscaler.forecasting.promises import Promises, read_at
from autoscaler.forecasting.related.relation import FOLLOWS
from autoscaler.forecasting.worth import Trial, judged_steps
from autoscaler.planning.curve import RENEWED_S, Curve, curve_of
from autoscaler.series import Floats, Forecast, Ints


@dataclass(slots=True, eq=False)
class Workload:
    """revision: of the request, told with every answer. due_s: when its history is to be read and
    fitted next. pending: read, and waiting to be fitted. gap_s: first step that could not be read,
    until it is; gap_due_s: when to try that. tried_s: newest step that was asked for. record: of what was
    stated, where there is an objective; rehearsed_record: whether it began with what the model says of
    earlier moments.
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
    earlier: Earlier = field(init=False)
    follower: Follower | None = field(init=False)
    record: StatedRecord | None = None
    rehearsed_record: bool = False
    _ahead: tuple[int, Floats] | None = None
    _curve: Curve | None = None
    _drawn: int = -1
    _made_at_s: int | None = None
    _expected: Floats = field(default_factory=lambda: np.empty(0))
    _coverage: Coverage = field(init=False)
    _easing: Easing = field(init=False)
    _promises: Promises = field(init=False)
    _trial: Trial = field(init=False)

    def __post_init__(self) -> None:
        lead, step_s, settings = self.request.lead, self.request.step_s, self.request.settings
        self.earlier = Earlier(settings.repeats)
        self._coverage = Coverage(lead, step_s)
        self._easing = Easing(lead, step_s)
        self._promises = Promises(np.array(sorted(settings.levels)), lead, step_s)
        self._trial = Trial(settings.quantile, lead, step_s)
        follows = self.request.follows
        self.follower = (
            None if follows is None else Follower(self.request.key, follows, settings, lead, step_s)
        )
        self._keep_record()

    @property
    def forecast_at_s(self) -> int | None:
        """When it was last forecast; None for never."""
        return self._made_at_s

    @property
    def front_key(self) -> str:
        """Key of the workload that this one follows; empty for none."""
        return "" if self.follower is None else self.request.beside(self.follower.follows.front)

    def goes_ahead(self, forecast: Forecast, row: int) -> None:
        """Keep what was forecast for those that follow this workload."""
        self._ahead = int(forecast.made_at_s[row]), forecast.peaks[row].copy()

    def ahead_from(self, made_at_s: int) -> Floats | None:
        """The peaks forecast at `made_at_s`, [horizon, level]; None if there are none from then."""
        return self._ahead[1] if self._ahead is not None and self._ahead[0] == made_at_s else None

    def turned_to(self, request: ForecastRequest, revision: int) -> bool:
        """Take over a request that differs in the terms of its objective alone; whether it does."""
        if replace(self.request, terms=request.terms) != request:
            return False
        if self.request.terms != request.terms:
            self.request, self._drawn = request, -1
            self._keep_record()
        self.revision = revision
        return True

    def curve_due(self) -> bool:
        """Whether the curve of an objective is to be drawn anew."""
        made_at_s = self._made_at_s
        return self.record is not None and made_at_s is not None and made_at_s // RENEWED_S != self._drawn

    def draw_curve(self) -> None:
        """Draw the curve of an objective from what was stated so far."""
        terms, made_at_s = self.request.terms, self._made_at_s
        if self.record is None or terms is None or made_at_s is None:
            return
        self._drawn = made_at_s // RENEWED_S
        self._curve = curve_of(self.record.stated(made_at_s), terms)

    def _keep_record(self) -> None:
        if self.request.terms is None:
            self.record, self._curve = None, None
        elif self.record is None:
            levels = np.array(sorted(self.request.settings.levels))
            self.record, self.rehearsed_record = StatedRecord(levels, self.request.step_s), False

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
        lately = recent.newest(self.request.lead)
        self._coverage.judge(at_s, lately)
        came = float(lately.max()) if len(lately) == self.request.lead else math.nan
        self._promises.judge(at_s, came)
        if self.follower is not None:
            self.follower.judge(
                at_s, math.nan if self._is_untold(at_s - self.request.lead * step_s) else came
            )

    def expects(self, forecast: Forecast, row: int) -> None:
        """Take over what `forecast` lets expect of steps at least a lead time away."""
        made_at_s = int(forecast.made_at_s[row])
        steps = (made_at_s - self._made_at_s) // self.request.step_s if self._made_at_s is not None else 0
        median = forecast.values[row, :, int(np.argmin(np.abs(forecast.levels - 0.5)))]
        self._expected = as_expected_earlier(self._expected, steps, self.request.lead, median)
        self._made_at_s = made_at_s

    def states(self, made_at_s: int, peaks: Floats) -> Floats:
        """What is stated at `made_at_s`, [horizon, level], which the record will hold against what comes.

        peaks: [horizon, level], as modelled.
        """
        stated = self._easing.eased(made_at_s, peaks)
        if not self._is_untold(made_at_s):
            self._promises.state(made_at_s, stated[self.request.lead - 1])
        return stated

    def places(self, now_s: int) -> Floats:
        """Where to read each level of a forecast made at `now_s`, by the record of this workload."""
        return self._promises.places(now_s)

    def rehearsed(self, earlier: Forecast, loads: Floats, at: Ints) -> None:
        """Begin the record with what the model says of earlier moments.

        loads: [time], every step up to the newest. earlier: a row for each of the moments `at`, steps of
        `loads`, oldest first.
        """
        lead, step_s = self.request.lead, self.request.step_s
        silent = untold(earlier.made_at_s, lead, step_s, self.request.settings.excluded)
        stated, came = earlier.peaks[:, lead - 1], np.where(silent, np.nan, peak_ahead(loads, lead)[at])
        made_at_s = earlier.made_at_s.tolist()
        for at_s, quantiles, peak in zip(made_at_s, stated, came.tolist(), strict=True):
            self._promises.state(at_s, quantiles)
            self._promises.judge(at_s + lead * step_s, peak)
        newest_s = made_at_s[-1] + (len(loads) - 1 - int(at[-1])) * step_s
        kept = read_at(stated, earlier.levels, np.tile(self.places(newest_s), (len(stated), 1)))
        upper = np.full((len(loads), 2), np.nan)
        quantiles = self._trial.judged, self._trial.wanted
        upper[at] = [np.interp(quantiles, earlier.levels, row) for row in kept]
        upper[at[silent]] = np.nan
        for back in range(min(len(loads), judged_steps(step_s)) - 1, -1, -1):
            self._trial.note(newest_s - back * step_s, float(loads[-1 - back]), *upper[-1 - back].tolist())

    def fan(self, forecast: Forecast, row: int, peaks: Floats, followed: bool = False) -> Fan:
        """What to tell of `forecast`, which is remembered, to be judged when its time has come.

        peaks: [horizon, level], those stated as the record says that they are to be read, or, if `followed`,
        those by the workload's front.
        """
        self.expects(forecast, row)
        request, made_at_s = self.request, int(forecast.made_at_s[row])
        fan = Fan(
            made_at_s=float(made_at_s),
            step_s=request.step_s,
            lead=request.lead,
            levels=forecast.levels,
            values=np.minimum(forecast.values[row], peaks),
            peaks=peaks,
            expected=self._expected,
            model=FOLLOWS if followed else forecast.models[row],
            grade=forecast.grades[row],
            note=forecast.notes[row],
            relation="" if self.follower is None else self.follower.words,
            coverage=self._coverage.share,
            judged=self._coverage.judged,
        )
        judged, wanted = (fan.peak(request.lead, level) for level in (self._trial.judged, self._trial.wanted))
        load = float(self.recent.newest(1)[0]) if self.recent is not None else math.nan
        is_untold = self._is_untold(made_at_s)
        if is_untold:
            self._trial.note(made_at_s, load, math.nan, math.nan)
        else:
            self._coverage.state(made_at_s, wanted)
            self._trial.note(made_at_s, load, judged, wanted)
        limit = self._trial.limit(wanted)
        if self.record is not None:
            over_lead = peaks[np.newaxis, request.lead - 1]
            telling = math.nan if is_untold else load
            self.record.note(np.array([made_at_s]), np.array([telling]), over_lead, np.array([limit]))
        limited = replace(fan, limit=limit, doubt=self._trial.why, curve=self._curve)
        return self._with_occasions(limited) if request.settings.repeats else limited

    def _is_untold(self, made_at_s: int) -> bool:
        """Whether what comes after a forecast made then says nothing of it."""
        request = self.request
        spans = request.settings.excluded
        return bool(spans) and bool(untold(np.array([made_at_s]), request.lead, request.step_s, spans)[0])

    def _with_occasions(self, fan: Fan) -> Fan:
        """With the load that known occasions bring: no part of the model's quantiles, nor of its record."""
        times_s = int(fan.made_at_s) + fan.step_s * np.arange(1, fan.horizon + 1, dtype=np.int64)
        lacking = self.earlier.lacking(fan.made_at_s)
        known = self.earlier.known_load(times_s)
        if not np.isfinite(known).any():
            return replace(fan, lacking=lacking)
        told = self.earlier.expected(float(times_s[0]), float(times_s[-1]))
        return replace(
            fan,
            known=known,
            note=f"{fan.note}; {told}" if fan.note else told,
            lacking=lacking,
        )
