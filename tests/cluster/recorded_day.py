"""A recorded day at three hundred times its speed: five recorded minutes are one second, a day 288 s."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from importlib.resources import as_file, files

import numpy as np
import requests
from live_prometheus import LivePrometheus, Past, Sample

from autoscaler.series import Floats, Series
from autoscaler.signals.recorded import read_recorded

_SAMPLE = "ms_mongo_machine_01_1min.csv.gz"
_MINUTES_A_STEP = 5
STEPS_A_DAY = 24 * 60 // _MINUTES_A_STEP
_AHEAD_S = 0.5
"""Samples are written so long before their time, so that a busy machine is never late. No query
sees one before its time: Prometheus looks back from the instant it is asked for."""


@dataclass(frozen=True, slots=True)
class RecordedLoad:
    """Means of five recorded minutes, one a second. origin_s: when step 0 begins, whole epoch seconds."""

    name: str
    origin_s: int
    values: Floats

    def past(self, until: int) -> Past:
        """The steps before `until`, for a Prometheus that is about to start."""
        return Past(self.name, self.origin_s, 1, self.values[:until].tolist())

    def series(self, first: int, until: int) -> Series:
        """The steps from `first` up to, not including, `until`, as a backtest takes them."""
        return Series(self.name, self.origin_s + first, 1, self.values[first:until])

    def step_at(self, now_s: float) -> int:
        """The step that lasts at `now_s`, epoch seconds."""
        return int(now_s - self.origin_s)


def five_minute_means() -> Floats:
    """The shipped query rate of one database machine: 14 days with a steep rise every morning."""
    with as_file(files("autoscaler.backtest") / "samples" / _SAMPLE) as path:
        minutes = read_recorded(path).values
    whole = len(minutes) // _MINUTES_A_STEP * _MINUTES_A_STEP
    means: Floats = np.asarray(minutes[:whole].reshape(-1, _MINUTES_A_STEP).mean(axis=1))
    return means


class Playing:
    """Writes each step of a load into Prometheus when its time comes, from step `first` until it is left.

    Steps that are over already are written at once.
    """

    def __init__(self, prometheus: LivePrometheus, load: RecordedLoad, first: int) -> None:
        self._prometheus = prometheus
        self._load = load
        self._next = first
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)
        self._failed: Exception | None = None

    def __enter__(self) -> Playing:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)

    def check(self) -> None:
        """Raise what ended the writing, if anything has."""
        if self._failed is not None:
            raise self._failed

    def _run(self) -> None:
        try:
            while not self._stop.is_set() and self._next < len(self._load.values):
                time_s = self._load.origin_s + self._next
                if self._stop.wait(max(0.0, time_s - _AHEAD_S - time.time())):
                    return
                value = float(self._load.values[self._next])
                self._prometheus.push(Sample(self._load.name, {}, value, time_s))
                self._next += 1
        except (requests.RequestException, AssertionError) as error:
            self._failed = error
