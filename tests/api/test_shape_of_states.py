"""What the operator keeps of a workload is what the service says it shows, however an evaluation ends."""

from __future__ import annotations

from typing import Any

import pytest
from filled_store import END_S, SCENES, made_up_workload

from autoscaler.api.health import health
from autoscaler.api.shapes.workloads import Workload as Shape
from autoscaler.controller.acting.foreign import ForeignWrites
from autoscaler.controller.acting.overrides import ANNOTATION, asked_for
from autoscaler.controller.acting.verdict import Hold
from autoscaler.controller.observing.workload import Workload
from autoscaler.controller.outcome import Fault, Outcome, Write
from autoscaler.controller.running import Running
from autoscaler.controller.telling.live_state import live_state
from autoscaler.controller.telling.status import status_of
from autoscaler.planning.memory import Memory
from autoscaler.spec.status import Status


def shown(outcome: Outcome) -> dict[str, Any]:
    """As it is listed."""
    running = Running(outcome.workload, Memory(), ForeignWrites(), lead_time_s=180.0)
    state = live_state(outcome, status_of(Status(), outcome, running, None), None, "")
    judged = health(state, END_S, END_S)
    return {**state, "problems": judged.problems, "severity": judged.severity}


def workload(**spec: Any) -> Workload:
    return made_up_workload(SCENES[0], END_S, END_S, **spec)


def outcomes() -> dict[str, Outcome]:
    """Every way in which an evaluation ends before a decision."""
    fine = workload()
    annotations = {ANNOTATION: "at least 12 until 2026-11-27T20:00:00Z because of a test"}
    return {
        "a fault before a decision": Outcome(fine, END_S, fault=Fault("TargetNotFound", "there is none")),
        "an invalid spec": Outcome(workload(minReplicas=-1), END_S, fault=Fault("InvalidSpec", "not valid")),
        "held": Outcome(fine, END_S, hold=Hold("Deleting", "it is being deleted"), write=Write.HELD),
        "an override": Outcome(fine, END_S, asked=asked_for(annotations, END_S), count=12),
    }


@pytest.mark.parametrize("name", outcomes())
def test_a_state_is_of_the_shape_that_is_described(name: str) -> None:
    Shape.model_validate(shown(outcomes()[name]))


def test_an_invalid_spec_is_told_as_a_problem() -> None:
    told = shown(outcomes()["an invalid spec"])
    assert "Invalid" in told["problems"]
    assert told["mode"] is None and told["target"] is None


def test_a_fault_leaves_what_is_not_known_null() -> None:
    told = shown(outcomes()["a fault before a decision"])
    assert (told["load"], told["forecast"], told["decision"]) == (None, None, None)
    assert list(map(str, told["problems"])) == ["UnhealthySignal"]
