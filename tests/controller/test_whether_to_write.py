"""Whether a count may be written, and which reason is told first where several hold."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from workload_making import NOW_S, running

from autoscaler.controller.acting.overrides import Kind, Override
from autoscaler.controller.acting.verdict import held
from autoscaler.controller.running import Running

Change = Callable[[Running], None]


def zero(one: Running) -> None:
    one.foreign.zero_by_hand = True


def undone(one: Running) -> None:
    one.foreign.undone_s = [NOW_S - 3.0, NOW_S - 2.0, NOW_S - 1.0]


def changed(one: Running) -> None:
    one.foreign.changed_s = NOW_S - 100.0


def reason(
    one: Running,
    *changes: Change,
    override: Override | None = None,
    rival: str = "",
    blind: str = "",
    current: int = 3,
) -> str:
    for change in changes:
        change(one)
    hold = held(one, current, override, rival, blind, NOW_S)
    return "" if hold is None else hold.reason


def test_nothing_is_held_where_nothing_speaks_against_it() -> None:
    assert reason(running()) == ""
    assert reason(running(mode="ScaleOutOnly")) == ""


def test_the_first_of_all_reasons_is_told() -> None:
    """Each row leaves out what the row before was held for."""
    everything = (zero, undone, changed)
    table = [
        ("Deleting", running(mode="Paused", deleting=True), everything, "HPA web", "not listed"),
        ("Paused", running(mode="Paused"), everything, "HPA web", "not listed"),
        ("RivalFound", running(mode="Recommend"), everything, "HPA web", "not listed"),
        ("Recommend", running(mode="Recommend"), everything, "", "not listed"),
        ("RivalsUnknown", running(), everything, "", "not listed"),
        ("ScaledToZero", running(), everything, "", ""),
        ("WritesUndone", running(), (undone, changed), "", ""),
        ("ManualGrace", running(), (changed,), "", ""),
        ("", running(), (), "", ""),
    ]
    for expected, one, changes, rival, blind in table:
        assert reason(one, *changes, rival=rival, blind=blind, current=0) == expected


def test_a_spec_that_was_never_valid_writes_nothing() -> None:
    assert reason(running(maxReplicas=0)) == "Deleting"


@pytest.mark.parametrize(
    ("changes", "current", "expected"),
    [((zero,), 0, "ScaledToZero"), ((zero,), 1, ""), ((), 0, "")],
)
def test_only_a_target_that_somebody_scaled_to_zero_is_left_at_zero(
    changes: tuple[Change, ...], current: int, expected: str
) -> None:
    assert reason(running(), *changes, current=current) == expected


def test_a_floor_of_zero_stops_nothing() -> None:
    floor = {"kind": "ScaledObject", "name": "web"}
    assert reason(running(floor=floor), zero, current=0) == ""


@pytest.mark.parametrize(("grace", "expected"), [("10m", "ManualGrace"), ("100s", ""), ("0s", "")])
def test_the_grace_is_the_resources_own(grace: str, expected: str) -> None:
    assert reason(running(manualGrace=grace), changed) == expected


def test_an_override_waits_for_no_grace_but_for_everything_else() -> None:
    asked = Override(5, NOW_S + 60.0)
    assert reason(running(), changed, override=asked) == ""
    assert reason(running(), undone, override=asked) == "WritesUndone"
    assert reason(running(mode="Paused"), override=asked) == "Paused"


@pytest.mark.parametrize(
    ("least", "current", "expected"), [(5, 4, ""), (5, 5, "ManualGrace"), (5, 20, "ManualGrace")]
)
def test_a_minimum_leaves_a_count_set_by_hand_alone_where_that_is_enough(
    least: int, current: int, expected: str
) -> None:
    asked = Override(least, NOW_S + 60.0, Kind.MINIMUM)
    assert reason(running(), changed, override=asked, current=current) == expected


def test_a_freeze_waits_for_no_grace() -> None:
    asked = Override(None, NOW_S + 60.0, Kind.FREEZE)
    assert reason(running(), changed, override=asked) == ""
