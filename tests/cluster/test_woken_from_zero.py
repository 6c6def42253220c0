"""A workload that sleeps at no replicas is woken by its forecast, before the load that it is for."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import pytest
from control_plane import ControlPlane
from operator_process import Resources
from recorded_day import RecordedLoad
from recorded_run import every_second, operating, wait_until_forecast
from twins import Lookout

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.prometheus,
    pytest.mark.slow,
    pytest.mark.quiet,
    pytest.mark.timeout(300),
]

_DAY_S, _REST_S = 90, 60
"""A day that repeats itself: nothing for a minute, then half a minute of work."""
_DAYS = 24
_WORK, _PER_REPLICA, _NEEDED = 35.0, 10, 4
"""Four replicas is also what may be added at once to none."""
_SETTLING_S = 45
_FALLS_ASLEEP_S = 20
"""More than enough for the scale-down window of 3 s to pass."""
_WATCHED_S = 12
"""For so long the load is there."""
_LEAD_TIME_S = 8
_START_UP = "3s"
_AHEAD, _AFTER = "ahead", "after"
_FORECASTS = {
    _AHEAD: {"model": "stl", "quantile": "0.8", "seasons": [f"{_DAY_S}s"]},
    _AFTER: {"model": "none"},
}


def test_a_forecast_wakes_a_workload_from_zero_before_its_load_comes(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    day = np.where(np.arange(_DAY_S) < _REST_S, 0.0, _WORK)
    rest = (_DAYS - 2) * _DAY_S
    origin_s = math.ceil(time.time()) + _SETTLING_S - rest
    load = RecordedLoad("load", origin_s, np.tile(day, _DAYS))
    with operating(control_plane, tmp_path, load) as namespace:
        resources = Resources(control_plane, namespace)
        for name, forecast in _FORECASTS.items():
            control_plane.deployment(name, namespace, _NEEDED, start_up=_START_UP)
            resources.create(
                name,
                minReplicas=0,
                load={"query": "load", "perReplica": _PER_REPLICA, "maxAge": "5s"},
                forecast={"history": "20m", "step": "1s", "leadTime": f"{_LEAD_TIME_S}s", **forecast},
            )
        wait_until_forecast(resources, _AHEAD)
        assert load.step_at(time.time()) < rest, "the operator took too long to forecast"
        lookout = Lookout(control_plane, namespace, list(_FORECASTS))
        every_second(load, range(rest - 1, rest + _REST_S + _WATCHED_S), lookout.look)
    tracks = lookout.tracks()
    for name, track in tracks.items():
        print(f"\n{name}: asked {track.asked.tolist()}\n{name}: ready {track.ready.tolist()}")
    ahead, after = tracks[_AHEAD], tracks[_AFTER]
    asleep, works = slice(_FALLS_ASLEEP_S, _REST_S - 2 * _LEAD_TIME_S), slice(_REST_S, None)
    assert not ahead.asked[asleep].any(), "none while nothing comes, nor much earlier than pods take to start"
    assert ahead.ready[works].min() >= _NEEDED, "and all that the load needs from its first second"
    assert not after.asked[_FALLS_ASLEEP_S:_REST_S].any(), "without a forecast none until the load is there"
    assert not after.ready[_REST_S : _REST_S + 3].any(), "and none ready for as long as pods take to start"
