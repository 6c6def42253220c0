"""A recorded day through the whole operator: twin Deployments, one scaled ahead of its load, one after it.

Five recorded minutes are one second, so a day takes 288 s and a pod that is ready within five
seconds stands for one that takes 25 minutes. What counts is read from the API server.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from control_plane import ControlPlane
from operator_process import Resources
from recorded_day import STEPS_A_DAY, RecordedLoad, five_minute_means
from recorded_run import (
    FORECAST,
    NO_FORECAST,
    SETTLING_S,
    START_UP,
    backtested,
    every_second,
    operating,
    spec,
    wait_until_forecast,
)
from twins import Agreement, Lookout, Track, needed, outcome

from autoscaler.series import Floats

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.prometheus,
    pytest.mark.slow,
    pytest.mark.quiet,
    pytest.mark.timeout(600),
]

_FIRST = 13 * STEPS_A_DAY + 16
"""01:20 on the last recorded day."""
_STEPS = range(_FIRST, _FIRST + 180)
_RISE = slice(32, 62)
"""From 04:00 to 06:30, while the load grows to two and a half times what it was."""
_PER_REPLICA = 60.0
_AHEAD, _AFTER = "ahead", "after"
_FORECASTS = {_AHEAD: FORECAST, _AFTER: NO_FORECAST}


@dataclass(frozen=True, slots=True)
class _Day:
    """load: of the steps looked at. live, backtested: by twin."""

    load: Floats
    live: Mapping[str, Track]
    backtested: Mapping[str, Track]


@pytest.fixture(scope="module")
def day(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> _Day:
    load = RecordedLoad("load", math.ceil(time.time()) + SETTLING_S - _FIRST, five_minute_means())
    with operating(control_plane, tmp_path_factory.mktemp("recorded"), load) as namespace:
        resources = Resources(control_plane, namespace)
        wanted = load.step_at(time.time())
        start = int(needed(load.values[wanted : wanted + 1], _PER_REPLICA)[0])
        for name, forecast in _FORECASTS.items():
            control_plane.deployment(name, namespace, start, start_up=START_UP)
            resources.create(name, **spec(forecast, _PER_REPLICA))
        wait_until_forecast(resources, _AHEAD)
        assert load.step_at(time.time()) < _FIRST, "the operator took too long to forecast"
        lookout = Lookout(control_plane, namespace, list(_FORECASTS))
        late_s = every_second(load, range(_FIRST - 1, _STEPS.stop), lookout.look)
    day = _Day(
        load.values[_STEPS.start : _STEPS.stop],
        lookout.tracks(),
        {
            name: backtested(forecast, _PER_REPLICA, load, wanted, _STEPS)
            for name, forecast in _FORECASTS.items()
        },
    )
    _show(day, late_s)
    return day


def _show(day: _Day, late_s: float) -> None:
    """The figures, seen with `pytest -s`."""
    need = needed(day.load, _PER_REPLICA)
    print(f"\n{'':16} {'unserved':>11} {'steps short':>12} {'in the rise':>12} {'cost':>6}")
    for where, tracks in (("live", day.live), ("backtest", day.backtested)):
        for name, track in tracks.items():
            found = outcome(day.load, track, _PER_REPLICA)
            rise = int((track.ready < need)[_RISE].sum())
            print(
                f"{name + ', ' + where:16} {100 * found.unserved:9.2f} % {found.short:12d} {rise:12d} "
                f"{found.cost:6.2f}"
            )
    for name, track in day.live.items():
        print(f"{name}, live from backtest: {Agreement.of(track.asked, day.backtested[name].asked)}")
    print(f"{len(day.load)} steps; the latest look was {late_s:.2f} s late")


def test_a_forecast_spares_most_of_the_shortage_at_a_modest_cost(day: _Day) -> None:
    ahead, after = (outcome(day.load, day.live[name], _PER_REPLICA) for name in (_AHEAD, _AFTER))
    assert after.unserved > 0.02
    assert ahead.unserved < 0.25 * after.unserved
    assert ahead.cost < 1.4 * after.cost


def test_pods_are_ready_when_the_rise_comes(day: _Day) -> None:
    need = needed(day.load, _PER_REPLICA)[_RISE]
    served = {name: float((track.ready[_RISE] >= need).mean()) for name, track in day.live.items()}
    assert served[_AHEAD] >= 0.8
    assert served[_AFTER] <= 0.2


@pytest.mark.parametrize("name", [_AHEAD, _AFTER])
def test_the_operator_asks_for_what_the_backtest_says(day: _Day, name: str) -> None:
    agreement = Agreement.of(day.live[name].asked, day.backtested[name].asked)
    assert agreement.near >= 0.85
    assert agreement.difference < 1.0
