"""A source of load whose content is known, for tests; it can be opened in another process."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from autoscaler.controller.forecasts.request import ForecastRequest
from autoscaler.forecasting.forecaster import ForecastSettings
from autoscaler.series import Floats, Reading, Series, State
from autoscaler.signals.history import History
from autoscaler.signals.instant import InstantQuery
from autoscaler.signals.settings import ConnectionSettings

SOURCE = ConnectionSettings("http://127.0.0.1:9")
END_S = 1_700_000_040 + 30 * 86_400
LEAD, HORIZON = 3, 33


def request(key: str = "shop/web", query: str = "", **changes: object) -> ForecastRequest:
    """A request for `query`, or for a query named as the key."""
    made = ForecastRequest(
        key=key,
        source=SOURCE,
        query=query or key,
        model="auto",
        history_s=3 * 86_400.0,
        step_s=60,
        refit_s=6 * 3600.0,
        settings=ForecastSettings(horizon=HORIZON, lead=LEAD),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def wave(steps: int, step_s: int = 60, seed: int = 1) -> Floats:
    """A daily rhythm with noise."""
    day = 2 * np.pi * np.arange(steps) * step_s / 86_400
    return (100 + 60 * np.sin(day)) * np.random.default_rng(seed).lognormal(0, 0.05, steps)


@dataclass
class Known:
    """A source that holds `loads[query]`, one value per step, the last at `end_s`.

    failing: queries that fail, with the reason. down: whether nothing answers. ranges, instants: what
    was asked: (query, first step, last step), and the queries of each shared read.
    """

    loads: dict[str, Floats]
    end_s: int = END_S
    step_s: int = 60
    failing: dict[str, str] = field(default_factory=dict)
    down: bool = False
    ranges: list[tuple[str, int, int]] = field(default_factory=list)
    instants: list[list[str]] = field(default_factory=list)
    identity: str = "known"

    def __call__(self, settings: ConnectionSettings) -> Known:
        """Opening it gives itself."""
        return self

    def at(self, query: str, times_s: Sequence[int]) -> Floats:
        load = self.loads.get(query, np.empty(0))
        places = len(load) - 1 - (self.end_s - np.asarray(times_s)) // self.step_s
        inside = (places >= 0) & (places < len(load))
        if not len(load):
            return np.full(len(times_s), np.nan)
        return np.where(inside, load[np.clip(places, 0, len(load) - 1)], np.nan)

    def read_range(self, query: str, start_s: int, end_s: int, step_s: int) -> History:
        self.ranges.append((query, start_s, end_s))
        times = range(start_s, end_s + 1, step_s)
        reason = "the server is down" if self.down else self.failing.get(query, "")
        values = np.full(len(times), np.nan) if reason else self.at(query, times)
        series = Series(query, start_s, step_s, values)
        answered = np.full(len(times), not reason)
        state = State.FAILED if reason else State.VALUE if np.isfinite(values).any() else State.EMPTY
        return History(
            series, state, reason or "" if state is not State.EMPTY else "finds nothing", answered, {}
        )

    def read_now(self, queries: Sequence[InstantQuery], now_s: float) -> list[Reading]:
        self.instants.append([query.query for query in queries])
        readings = []
        for asked in queries:
            reason = "the server is down" if self.down else self.failing.get(asked.query, "")
            value = float(self.at(asked.query, [int(now_s)])[0])
            if reason:
                readings.append(Reading(State.FAILED, detail=reason))
            elif np.isnan(value):
                readings.append(Reading(State.EMPTY, detail="the query finds nothing"))
            else:
                readings.append(Reading(State.VALUE, value, 0.0))
        return readings

    def close(self) -> None:
        """Nothing to close."""


class Now:
    """A source in which every query has a daily rhythm up to the present moment."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self.identity = settings.url

    def read_range(self, query: str, start_s: int, end_s: int, step_s: int) -> History:
        times = np.arange(start_s, end_s + 1, step_s)
        values = 100 + 50 * np.sin(2 * np.pi * times / 86_400) + np.sin(times)
        return History(Series(query, start_s, step_s, values), State.VALUE, "", np.ones(len(times), bool), {})

    def read_now(self, queries: Sequence[InstantQuery], now_s: float) -> list[Reading]:
        value = 100 + 50 * np.sin(2 * np.pi * now_s / 86_400) + np.sin(now_s)
        return [Reading(State.VALUE, float(value), 0.0) for _ in queries]

    def close(self) -> None:
        """Nothing to close."""


class HangsForOne(Now):
    """As `Now`, but the server whose address holds `hangs` never answers."""

    def __init__(self, settings: ConnectionSettings) -> None:
        super().__init__(settings)
        self._hangs = "hangs" in settings.url

    def read_range(self, query: str, start_s: int, end_s: int, step_s: int) -> History:
        if self._hangs:
            time.sleep(3600)
        return super().read_range(query, start_s, end_s, step_s)
