"""All workloads of one source: read, fitted and forecast, turn by turn.

A turn does what is due and little more, so that no kind of work keeps another waiting: the newest
step of all workloads in shared requests, one history or earlier occasion, the start of one fit. Fits
run elsewhere.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

import numpy as np

from autoscaler.controller.forecasts.earlier import Earlier, kept_as
from autoscaler.controller.forecasts.fan import Fan
from autoscaler.controller.forecasts.fits_together import FitsTogether
from autoscaler.controller.forecasts.fitting import Fitted
from autoscaler.controller.forecasts.messages import Told
from autoscaler.controller.forecasts.model_in_use import ModelInUse
from autoscaler.controller.forecasts.predicting import forecast_rows, outlook_so_far
from autoscaler.controller.forecasts.reader import OpenReader, Reader, Unreadable, forget_load, read_load
from autoscaler.controller.forecasts.recent import Reach, Recent
from autoscaler.controller.forecasts.rehearsing import rehearse, rehearse_record
from autoscaler.controller.forecasts.request import ForecastRequest
from autoscaler.controller.forecasts.schedule import (
    Pace,
    regular_fit_s,
    seconds_to_next_fit,
)
from autoscaler.controller.forecasts.workload import Workload
from autoscaler.forecasting.peaks.learned_peaks import LEARNED
from autoscaler.series import Reading, State
from autoscaler.signals.errors import InputError
from autoscaler.signals.instant import InstantQuery
from autoscaler.signals.settings import ConnectionSettings

_SETTLING_S = 3.0
_SETTLING_SHARE = 10
"""A step is read a little after it is over: until then its samples may still be on their way."""
_AHEAD_OF_TIME = 0.1
"""Share of the time between two fits by which a fit may be early, to go along with another one."""
_MOST_TOLD = 100
"""Fans in one message: messages are held in memory as a whole, on both sides."""
_GAP_RETRY_S = 300.0
_LONGEST_REST_S = 5.0
_BUSY_REST_S = 0.2


class _Errand(enum.IntEnum):
    """Why something is read, the most urgent first."""

    FIRST = enum.auto()
    GAP = enum.auto()
    OCCASION = enum.auto()
    REFIT = enum.auto()
    NONE = enum.auto()


class Feed:
    """The workloads of one source. For one thread; the executors may use others.

    tell: takes what is to be told of workloads, and may wait. fast, slow: where models are fitted.
    folder: where histories are kept between two fits, or None. model: which shared model is fitted with.
    """

    def __init__(
        self,
        source: ConnectionSettings,
        open_reader: OpenReader,
        folder: Path | None,
        fast: Executor,
        slow: Executor,
        tell: Callable[[Told], None],
        model: ModelInUse,
    ) -> None:
        self._source = source
        self._open_reader = open_reader
        self._folder = folder
        self._tell = tell
        self._model = model
        self._workloads: dict[str, Workload] = {}
        self._fits = FitsTogether(fast, slow, model)
        self._reader: Reader | None = None
        self._open_at_s = 0.0
        self._pace = Pace.of_histories()

    def want(self, key: str, revision: int, request: ForecastRequest) -> None:
        """Forecast `key` from now on, in place of what was wanted of it before."""
        before = self._workloads.get(key)
        if before is not None and before.turned_to(request, revision):
            return
        self.drop(key, unless=request)
        self._workloads[key] = made = Workload(request, revision)
        if before is not None and before.complete and request.same_load(before.request):
            # Its load goes on being seen, and its history is on disk: no need to begin with a part of it.
            made.recent = before.recent
        if before is not None and request.same_load(before.request):
            made.earlier = Earlier(request.settings.repeats, before.earlier)

    def drop(self, key: str, unless: ForecastRequest | None = None) -> None:
        """Forecast `key` no longer. unless: forget nothing that this request still needs."""
        gone = self._workloads.pop(key, None)
        if gone is None or self._reader is None:
            return
        query, step_s = gone.request.query, gone.request.step_s
        same = [
            one
            for one in (unless, *(other.request for other in self._workloads.values()))
            if one and (one.query, one.step_s) == (query, step_s)
        ]
        if not same:
            forget_load(self._reader, self._folder, query, step_s)
        still = {kept_as(repeat) for one in same for repeat in one.settings.repeats}
        for name in {kept_as(repeat) for repeat in gone.request.settings.repeats} - still:
            forget_load(self._reader, self._folder, query, step_s, name)

    def close(self) -> None:
        """Close the connections."""
        if self._reader is not None:
            self._reader.close()

    def turn(self, now_s: float) -> float:
        """Do what is due at `now_s`, epoch seconds; returns for how many seconds nothing else is."""
        if not self._workloads:
            return _LONGEST_REST_S
        reader = self._opened(now_s)
        if reader is None:
            return _LONGEST_REST_S
        self._take_fits(now_s)
        self._see_newest(reader, now_s)
        self._read_one(reader, now_s)
        self._fits.start(now_s, more=self._next_to_read(now_s)[0] in (_Errand.FIRST, _Errand.REFIT))
        self._draw_one()
        return self._rest_s(now_s)

    def _opened(self, now_s: float) -> Reader | None:
        if self._reader is None and now_s >= self._open_at_s:
            try:
                self._reader = self._open_reader(self._source)
            except InputError as error:
                self._open_at_s = now_s + 30.0
                self._tell_failures(self._workloads.values(), str(error))
        return self._reader

    # The newest step of every workload.

    def _see_newest(self, reader: Reader, now_s: float) -> None:
        due: dict[int, list[Workload]] = {}
        for workload in self._workloads.values():
            at_s = _newest_step_s(now_s, workload.request.step_s)
            if workload.recent is not None and max(workload.recent.end_s, workload.tried_s) < at_s:
                workload.tried_s = at_s
                due.setdefault(at_s, []).append(workload)
        for at_s, workloads in due.items():
            queries = [InstantQuery(workload.request.query) for workload in workloads]
            readings = reader.read_now(queries, float(at_s))
            self._take_readings(at_s, workloads, readings)

    def _take_readings(self, at_s: int, workloads: Sequence[Workload], readings: Sequence[Reading]) -> None:
        known, silent = [], []
        for workload, reading in zip(workloads, readings, strict=True):
            if workload.recent is None:
                continue
            if reading.known and reading.value >= 0:
                workload.seen(workload.recent, at_s, reading.value)
                known.append(workload)
            else:
                if reading.state in (State.EMPTY, State.NOT_A_NUMBER):
                    workload.seen(workload.recent, at_s, float("nan"))
                silent.append((workload, reading.detail or "the load is negative"))
        self._forecast([workload for workload in known if workload.fitted is not None])
        for workload, detail in silent:
            self._tell_failures([workload], detail)

    def _forecast(self, workloads: Sequence[Workload]) -> None:
        fans, failed = forecast_rows(workloads, self._workloads)
        for workload in workloads:
            if workload.request.key in fans:
                workload.failure = ""
        revisions = {workload.request.key: workload.revision for workload in workloads}
        told = [(key, (revisions[key], self._remarked(fan))) for key, fan in fans.items()]
        for first in range(0, len(told), _MOST_TOLD):
            self._tell(Told(fans=dict(told[first : first + _MOST_TOLD])))
        for workload, reason in failed:
            self._tell_failures([workload], reason)

    def _remarked(self, fan: Fan) -> Fan:
        """The fan, which says so where its model is not the one it should be."""
        problem = self._model.problem
        return replace(fan, note=f"{fan.note}; {problem}") if problem and fan.model == LEARNED else fan

    # Curves of objectives.

    def _draw_one(self) -> None:
        workload = self._next_to_draw()
        if workload is None:
            return
        if not workload.rehearsed_record:
            rehearse_record(workload)
        workload.draw_curve()

    def _next_to_draw(self) -> Workload | None:
        ready = (one for one in self._workloads.values() if one.complete and one.curve_due())
        return next(ready, None)

    # Histories: for a first fit, to fill a gap, for the next fit.

    def _read_one(self, reader: Reader, now_s: float) -> None:
        if self._pace.wait_s(now_s) > 0:
            return
        errand, workload = self._next_to_read(now_s)
        if workload is None:
            return
        try:
            if errand is _Errand.OCCASION:
                self._read_occasion(reader, workload, now_s)
            elif errand is _Errand.GAP:
                self._fill_gap(reader, workload)
            else:
                self._read_history(reader, workload, now_s)
        except (Unreadable, InputError) as error:
            if errand is _Errand.GAP:
                workload.gap_due_s = now_s + _GAP_RETRY_S
            else:
                workload.failed(now_s)
            self._tell_failures([workload], str(error))

    def _next_to_read(self, now_s: float) -> tuple[_Errand, Workload | None]:
        """What to read next, and of whom: in the order of errands, and then of what is due longest."""
        waiting, full = self._fits.renewing, self._fits.full
        errands = []
        for workload in self._workloads.values():
            early_s = _AHEAD_OF_TIME * workload.request.refit_s if waiting and workload.complete else 0.0
            if not (workload.pending or full) and workload.due_s - early_s <= now_s:
                errand = _Errand.FIRST if workload.fitted is None else _Errand.REFIT
                errands.append((errand, workload.due_s, workload))
            elif workload.gap_s is not None and workload.gap_due_s <= now_s:
                errands.append((_Errand.GAP, workload.gap_due_s, workload))
            elif (occasion := workload.earlier.due(now_s)) is not None:
                errands.append((_Errand.OCCASION, occasion[0], workload))
        if not errands:
            return _Errand.NONE, None
        errand, _, workload = min(errands, key=lambda item: item[:2])
        return errand, workload

    def _read_history(self, reader: Reader, workload: Workload, now_s: float) -> None:
        request = workload.request
        end_s = _newest_step_s(now_s, request.step_s)
        steps, folder = request.width, self._folder
        most = self._source.max_points
        brief = workload.recent is None and steps > 2 * most
        if brief:
            # What one request gives is enough to begin with; the rest is read when all have begun.
            steps, folder = most, None
        self._pace.spend(-(-steps // most))
        start_s = end_s - (steps - 1) * request.step_s
        values, said = read_load(reader, folder, request.query, start_s, end_s, request.step_s)
        known = np.flatnonzero(np.isfinite(values))
        history = values[known[0] :] if len(known) else values[-2:]
        ahead_s = 2.0 * regular_fit_s(request.refit_s, request.step_s)
        reach = Reach.of(request.settings, request.step_s, request.width, ahead_s)
        workload.recent = Recent(values, end_s, request.step_s, reach)
        workload.complete, workload.pending, workload.gap_s = not brief, True, None
        workload.age_s = float(len(history) * request.step_s if len(known) else 0)
        workload.failure = ""
        if said:
            self._tell_failures([workload], said)
        self._fits.gather(workload, history, end_s, now_s)

    def _fill_gap(self, reader: Reader, workload: Workload) -> None:
        request, recent = workload.request, workload.recent
        if recent is None or workload.gap_s is None:
            return
        start_s = max(workload.gap_s, recent.end_s - (request.width - 1) * request.step_s)
        self._pace.spend(-(-((recent.end_s - start_s) // request.step_s + 1) // self._source.max_points))
        values, _ = read_load(reader, None, request.query, start_s, recent.end_s, request.step_s)
        recent.fill(start_s, values)
        workload.gap_s = None

    def _read_occasion(self, reader: Reader, workload: Workload, now_s: float) -> None:
        request = workload.request
        steps = workload.earlier.read_next(reader, self._folder, request.query, request.step_s, now_s)
        self._pace.spend(-(-steps // self._source.max_points))

    # Fits.

    def _take_fits(self, now_s: float) -> None:
        for answers in self._fits.done():
            begun = []
            for workload, answer in answers:
                if self._workloads.get(workload.request.key) is not workload:
                    continue
                if isinstance(answer, str):
                    workload.failed(now_s)
                    self._tell_failures([workload], answer)
                    continue
                if workload.fitted is None:
                    begun.append(workload)
                self._take_fit(workload, answer, now_s)
            outlook_so_far(begun)
            for workload in begun:
                rehearse(workload)
            self._forecast(begun)

    def _take_fit(self, workload: Workload, fitted: Fitted, now_s: float) -> None:
        request = workload.request
        workload.fitted, workload.pending, workload.failures = fitted, False, 0
        wait_s = seconds_to_next_fit(request.key, workload.age_s, request.refit_s, request.step_s)
        workload.due_s = now_s + wait_s if workload.complete else now_s

    def _rest_s(self, now_s: float) -> float:
        rest_s = _BUSY_REST_S if self._fits.busy else _LONGEST_REST_S
        for step_s in {workload.request.step_s for workload in self._workloads.values()}:
            rest_s = min(rest_s, _newest_step_s(now_s, step_s) + step_s + _settling_s(step_s) - now_s)
        if self._next_to_draw() is not None:
            return 0.0
        if self._next_to_read(now_s)[1] is not None:
            rest_s = min(rest_s, self._pace.wait_s(now_s))
        return max(0.0, rest_s)

    def _tell_failures(self, workloads: Iterable[Workload], reason: str) -> None:
        """Say what is wrong, once for as long as it stays the same."""
        news = {}
        for workload in workloads:
            if workload.failure != reason:
                workload.failure = reason
                news[workload.request.key] = (workload.revision, reason)
        if news:
            self._tell(Told(failures=news))


def _settling_s(step_s: int) -> float:
    return min(_SETTLING_S, step_s / _SETTLING_SHARE)


def _newest_step_s(now_s: float, step_s: int) -> int:
    """The newest grid instant whose samples have had time to arrive."""
    return int((now_s - _settling_s(step_s)) // step_s) * step_s
