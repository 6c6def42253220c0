"""What is said to be wrong with a workload, and what is worse than what."""

from __future__ import annotations

from typing import Any

import pytest
from workload_state import NOON_S, state

from autoscaler.api.health import STALE_AFTER_S, WorkloadProblem, health

NO_FORECAST = [{"type": "ForecastReady", "status": "False", "reason": "NoForecast"}]
SWITCHED_OFF = [{"type": "ForecastReady", "status": "False", "reason": "Disabled"}]
RIVAL = [{"type": "Conflict", "status": "True", "reason": "RivalFound"}]
STALE_SIGNAL = [{"name": "cpu", "type": "CPU", "state": "Stale", "value": 61.0}]
UNREAD_SIGNAL = [{"name": "cpu", "type": "CPU", "state": None, "value": None}]


def problems(age_s: float = 0.0, **parts: Any) -> list[str]:
    """Of a state that is fine but for those parts. 8 replicas are ready, for 120 each."""
    return [str(one) for one in health(state(**parts), NOON_S, NOON_S + age_s).problems]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        pytest.param({}, [], id="nothing"),
        pytest.param({"load": {"value": 960.0}}, [], id="just served"),
        pytest.param({"load": {"value": 961.0}}, ["Short"], id="load above what is served"),
        pytest.param(
            {"load": {"value": 961.0, "state": "Partial"}}, ["Short", "UnhealthySignal"], id="partial"
        ),
        pytest.param({"forecast": {"peak": 961.0}}, ["WillBeShort"], id="peak above what is served"),
        pytest.param({"replicas": {"ready": 0}}, ["Short", "WillBeShort"], id="nothing is ready"),
        pytest.param({"replicas": {"ready": None}}, [], id="unknown pods are no shortage"),
        pytest.param({"perReplica": None}, [], id="unknown capacity is no shortage"),
        pytest.param(
            {"replicas": {"desired": 9, "max": 9}, "forecast": {"peak": 1090.0}},
            ["WillBeShort", "AtMax"],
            id="the forecast wants more than the maximum",
        ),
        pytest.param({"replicas": {"desired": 9, "max": 9}}, [], id="at the maximum and content"),
        pytest.param(
            {"replicas": {"desired": 9, "max": 9}, "reason": "TooManyReplicas"},
            ["AtMax"],
            id="a signal wants more",
        ),
        pytest.param({"load": None}, ["UnhealthySignal"], id="no load"),
        pytest.param({"load": {"value": None, "state": "Failed"}}, ["UnhealthySignal"], id="load failed"),
        pytest.param({"signals": STALE_SIGNAL}, ["UnhealthySignal"], id="a stale signal"),
        pytest.param({"signals": UNREAD_SIGNAL}, ["UnhealthySignal"], id="a signal that was not read"),
        pytest.param({"spend": {"today": "61"}}, ["OverBudget"], id="budget spent"),
        pytest.param({"spend": {"today": "36.5"}}, ["OverBudget"], id="more than a tenth ahead of the day"),
        pytest.param({"spend": {"today": "35.5"}}, [], id="a little ahead of the day"),
        pytest.param({"spend": {"today": "99", "dailyBudget": None}}, [], id="no budget"),
        pytest.param({"spend": None}, [], id="no price"),
        pytest.param({"conditions": RIVAL}, ["Conflict"], id="a rival"),
        pytest.param({"conditions": NO_FORECAST}, ["Fallback"], id="no usable forecast"),
        pytest.param({"conditions": SWITCHED_OFF}, [], id="no forecast wanted"),
        pytest.param({"age_s": STALE_AFTER_S + 1}, ["Stale"], id="not seen for long"),
        pytest.param({"age_s": STALE_AFTER_S - 1}, [], id="seen lately"),
        pytest.param(
            {"load": {"value": 350.0}, "forecast": {"peak": 350.0}}, ["Wasting"], id="8 where 3 would do"
        ),
        pytest.param(
            {"load": {"value": 350.0}, "forecast": {"peak": 600.0}}, [], id="the forecast needs 5 of them"
        ),
        pytest.param({"load": {"value": 350.0}, "forecast": None}, [], id="who knows what is to come"),
        pytest.param(
            {"load": {"value": 1.0}, "forecast": {"peak": 1.0}, "replicas": {"min": 8}},
            [],
            id="the minimum asks",
        ),
        pytest.param({"problem": "spec.load: is missing"}, ["Invalid"], id="an invalid spec"),
    ],
)
def test_each_problem_is_told_and_nothing_else(parts: dict[str, Any], expected: list[str]) -> None:
    assert problems(**parts) == expected


def test_a_state_in_which_nothing_is_known_is_no_error() -> None:
    bare = {"load": None, "forecast": None, "replicas": {}, "problem": ""}
    assert health(bare, NOON_S, NOON_S).problems == (WorkloadProblem.UNHEALTHY_SIGNAL,)


def severity(**parts: Any) -> float:
    return health(state(**parts), NOON_S, NOON_S).severity


def test_the_worst_comes_first() -> None:
    ordered = [
        severity(load={"value": 5000.0}),
        severity(load={"value": 1000.0}),
        severity(forecast={"peak": 5000.0}),
        severity(forecast={"peak": 1000.0}),
        severity(replicas={"desired": 9, "max": 9}, reason="TooManyReplicas"),
        severity(signals=STALE_SIGNAL),
        severity(spend={"today": "61"}),
        severity(conditions=RIVAL),
        severity(conditions=NO_FORECAST),
        severity(load={"value": 1.0}, forecast={"peak": 1.0}),
        severity(problem="bad"),
        severity(),
    ]
    assert ordered == sorted(ordered, reverse=True)
    assert len(set(ordered)) == len(ordered)
    assert ordered[-1] == 0.0


def test_several_problems_are_told_in_their_order_of_importance() -> None:
    told = problems(
        age_s=900.0,
        load={"value": 2000.0},
        forecast={"peak": 2000.0},
        conditions=[*RIVAL, *NO_FORECAST],
        problem="bad",
    )
    assert told == ["Short", "WillBeShort", "Conflict", "Fallback", "Stale", "Invalid"]
