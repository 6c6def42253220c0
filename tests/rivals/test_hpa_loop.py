"""The HPA rival against closed loops recorded with the real controller's own code."""

from __future__ import annotations

import csv
import gzip
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from autoscaler.backtest.rivals.behavior_form import CALM
from autoscaler.backtest.rivals.hpa import HpaRival, HpaSettings
from autoscaler.backtest.rivals.rival import RivalContext
from autoscaler.backtest.simulation import World, simulate
from autoscaler.series import Series

LOOPS = Path(__file__).parents[1] / "data" / "hpa-reference" / "loop"
PER_REPLICA = {"mongo04": 8.0, "worldcup": 2500.0, "crane10": 0.05}
NAMES = [
    f"{trace}.target70.startup{start_up_s}.{behavior}"
    for trace in PER_REPLICA
    for start_up_s in (60, 300)
    for behavior in ("default", "calm")
]


def recorded(name: str) -> tuple[Series, np.ndarray, np.ndarray]:
    with gzip.open(LOOPS / f"{name}.csv.gz", "rt") as lines:
        rows = list(csv.DictReader(lines))
    start_s = int(datetime.fromisoformat(rows[0]["timestamp"]).timestamp())
    series = Series(name, start_s, 15, np.array([float(row["value"]) for row in rows]))
    return (
        series,
        np.array([int(row["desired"]) for row in rows]),
        np.array([int(row["ready"]) for row in rows]),
    )


@pytest.mark.parametrize("name", NAMES)
def test_three_days_of_the_real_controller_are_reproduced_step_by_step(name: str) -> None:
    trace, target, start_up, behavior = name.split(".")
    series, desired, ready = recorded(name)
    assert len(series) > 17_000
    per_replica, start_up_s = PER_REPLICA[trace], float(start_up.removeprefix("startup"))
    settings = HpaSettings(
        target=int(target.removeprefix("target")), max=1000, behavior=CALM if behavior == "calm" else None
    )
    rival = HpaRival("hpa", settings, RivalContext(series, 0, per_replica, start_up_s))
    course = simulate(series, World(per_replica, start_up_s), rival)
    different = np.flatnonzero((course.desired != desired) | (course.ready != ready))
    assert len(different) == 0, (
        f"{len(different)} of {len(series)} steps differ, the first at {different[0]}: "
        f"asked {course.desired[different[0]]}, recorded {desired[different[0]]}"
    )
    assert len(np.unique(desired)) > 5
