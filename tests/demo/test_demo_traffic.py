"""The load that is played."""

from __future__ import annotations

import numpy as np

from autoscaler.demo.clock import STEP_S
from autoscaler.demo.traffic import Part, Traffic, read_recordings

BEGIN_S = 1_000_000_020
RECORDINGS = {"machine": np.array([1.0, 2.0, 3.0]), "app": np.array([10.0, 20.0, 30.0, 40.0])}


def test_a_recording_goes_round() -> None:
    traffic = Traffic((Part("machine", 1.0),), RECORDINGS, BEGIN_S)
    assert traffic.between(BEGIN_S - STEP_S, BEGIN_S + 3 * STEP_S).tolist() == [3.0, 1.0, 2.0, 3.0, 1.0]


def test_parts_are_shifted_scaled_and_summed() -> None:
    ahead_h = STEP_S / 3600
    traffic = Traffic((Part("machine", 2.0), Part("app", 1.0, ahead_h)), RECORDINGS, BEGIN_S)
    assert traffic.between(BEGIN_S, BEGIN_S + 2 * STEP_S).tolist() == [22.0, 34.0, 46.0]


def test_a_single_step_is_the_one_of_the_range_wherever_one_asks_first() -> None:
    begun = Traffic((Part("machine", 1.0), Part("app", 0.5)), RECORDINGS, BEGIN_S)
    whole = begun.between(BEGIN_S, BEGIN_S + 4000 * STEP_S)
    for index in (7, 8, 1500, 1446, 3, 4000):
        assert begun.at(BEGIN_S + index * STEP_S) == whole[index]


def test_the_shipped_recordings_are_whole_days_without_a_gap() -> None:
    for values in read_recordings().values():
        assert np.isfinite(values).all()
        assert len(values) % (86_400 // STEP_S) == 0
