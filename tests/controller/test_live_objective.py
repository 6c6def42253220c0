"""The dial of an objective in the operator: what it reads, counts and tells, and what survives a restart."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from test_live_state import FAN
from workload_making import NOW_S, known, pods, running, setting, unknown, workload

from autoscaler.api.shapes.objectives import ObjectiveNow
from autoscaler.controller.acting.overrides import ANNOTATION
from autoscaler.controller.deciding import Planned, Seen, plan
from autoscaler.controller.forecasts.fan import Fan
from autoscaler.controller.outcome import Outcome, Write
from autoscaler.controller.running import Running, recollected
from autoscaler.controller.telling.live_state import live_state
from autoscaler.controller.telling.metrics import figures
from autoscaler.controller.telling.status import document, status_of
from autoscaler.planning.curve import LADDER, Curve
from autoscaler.planning.explain import explain
from autoscaler.planning.observation import Outlook
from autoscaler.planning.record import memory_from_json, memory_to_json, recorded, replayed
from autoscaler.spec.status import Status

OBJECTIVE = {"unserved": "0.1%"}
CURVE = Curve(
    start_s=NOW_S - 3 * 86_400.0,
    end_s=NOW_S,
    replica_hours=tuple(200.0 + 10.0 * rung for rung in range(len(LADDER))),
    unserved=tuple(0.02 * 0.6**rung for rung in range(len(LADDER))),
    short_minutes=tuple(400.0 * 0.6**rung for rung in range(len(LADDER))),
)
CHOSEN = LADDER.index(next(p for p, left in zip(LADDER, CURVE.unserved, strict=True) if left <= 0.0005))


class Forecast:
    """A peak of 120 at every quantile, and the curve; keeps what it was asked for."""

    def __init__(self, curve: Curve | None = CURVE) -> None:
        self.read: list[tuple[float, float]] = []
        self._curve = curve

    def outlook(
        self, key: str, now_s: float, lead_time_s: float, quantile: float, headroom: float
    ) -> Outlook:
        self.read.append((quantile, headroom))
        return Outlook(120.0 * headroom, 100.0, 1.0, "auto")

    def curve(self, key: str) -> Curve | None:
        return self._curve


def planned(
    one: Running, now_s: float = NOW_S, ready: int = 12, forecast: Forecast | None = None, **seen: Any
) -> Planned:
    asked = forecast or Forecast()
    given = {"load": known(100.0), "pods": pods(ready), "signals": (), "rival": "", **seen}
    found = plan(one, Seen(now_s, setting(12), **given), asked.outlook, asked.curve)
    assert isinstance(found, Planned)
    return found


def lived(one: Running, hours: float, ready: int = 12, **seen: Any) -> Planned:
    """Decisions a minute apart."""
    for minute in range(round(60 * hours) + 1):
        found = planned(one, NOW_S + 60.0 * minute, ready, **seen)
    return found


def test_what_the_dial_says_is_read_of_the_forecast() -> None:
    forecast, one = Forecast(), running(objective=OBJECTIVE)
    found = planned(one, forecast=forecast)
    place = LADDER[CHOSEN]
    assert forecast.read == [(place.quantile, place.headroom)]
    assert (found.policy.quantile, found.policy.headroom) == (place.quantile, place.headroom)
    assert f"at {place}, as the objective asks" in explain(found.decision)


def test_without_an_objective_the_quantile_as_given_is_read_and_no_dial_is_kept() -> None:
    forecast, one = Forecast(), running(forecast={"quantile": "0.9"})
    found = planned(one, forecast=forecast)
    assert forecast.read == [(0.9, 1.0)]
    assert found.decision.memory.dial is None
    assert "objective" not in explain(found.decision)


def test_a_dial_is_forgotten_with_its_objective() -> None:
    one = running(objective=OBJECTIVE)
    planned(one)
    one.workload = workload()
    assert planned(one, NOW_S + 15.0).decision.memory.dial is None


def test_a_stored_decision_replays_bit_for_bit() -> None:
    one = running(objective=OBJECTIVE)
    found = lived(one, 8, ready=9)
    assert found.memory.dial is not None and found.memory.dial.rung > CHOSEN
    data = json.loads(json.dumps(recorded(found.policy, found.memory, found.decision)))
    replay = replayed(data)
    assert replay.same
    assert replay.policy.quantile == found.memory.dial.place.quantile


def test_deciding_anew_on_a_fresh_look_counts_nothing_twice() -> None:
    one = running(objective=OBJECTIVE)
    planned(one)
    first = planned(one, NOW_S + 60.0)
    one.memory = first.memory  # as an evaluation does that looks again
    again = planned(one, NOW_S + 60.0)
    assert again.memory.dial == first.memory.dial


@pytest.mark.parametrize(
    ("spec", "seen", "why"),
    [
        ({"mode": "Recommend"}, {}, "nothing is written"),
        ({"annotations": {ANNOTATION: "12 until 2030-01-01T00:00:00Z"}}, {}, "a person set the count"),
        ({}, {"rival": "HorizontalPodAutoscaler web"}, "somebody else scales"),
        ({}, {"load": unknown()}, "the load is not known"),
        ({}, {"pods": None}, "the pods are not known"),
    ],
)
def test_what_the_policy_did_not_decide_or_see_is_not_held_against_it(
    spec: dict[str, Any], seen: dict[str, Any], why: str
) -> None:
    dial = lived(running(objective=OBJECTIVE, **spec), 2, ready=5, **seen).decision.memory.dial
    assert dial is not None
    assert (dial.rung, dial.everything.known_s) == (CHOSEN, 0.0), why


def test_pods_above_the_minimum_that_a_floor_is_serve_as_well() -> None:
    floor = {"kind": "HorizontalPodAutoscaler", "name": "web"}
    dial = lived(
        running(objective=OBJECTIVE, floor=floor), 2, ready=20, load=known(190.0)
    ).decision.memory.dial
    assert dial is not None and dial.everything.short == 0.0 and dial.everything.known_s > 3600.0


def outcome_of(found: Planned) -> Outcome:
    return found.outcome(Write.UNNEEDED)


def fan(curve: Curve | None = CURVE) -> Fan:
    return replace(FAN, curve=curve)


def test_status_condition_and_state_say_where_the_dial_stands() -> None:
    one = running(objective=OBJECTIVE)
    outcome = outcome_of(lived(one, 3))
    status = status_of(Status(), outcome, one, fan())
    assert status.objective is not None
    assert (status.objective.quantile, status.objective.headroom) == (f"{LADDER[CHOSEN].quantile:g}", "1")
    assert (status.objective.observed, status.objective.left) == ("0 % unserved", "100 %")
    kept = {condition.type: condition for condition in status.conditions or ()}["ObjectiveKept"]
    assert (kept.status, kept.reason) == ("True", "Kept")
    state = live_state(outcome, status, fan(), "")
    shown = ObjectiveNow.model_validate(state["objective"])
    assert len(shown.curve) == len(LADDER)
    assert shown.curve[CHOSEN].quantile == shown.quantile
    assert state["forecast"]["coverageQuantile"] == 0.95
    assert figures(outcome, one)["objective_quantile"] == LADDER[CHOSEN].quantile
    assert figures(outcome, one)["objective_budget_left"] == 1.0


def test_without_an_objective_nothing_is_said_of_one_any_more() -> None:
    one = running(objective=OBJECTIVE)
    before = status_of(Status(), outcome_of(planned(one)), one, fan())
    one.workload = workload()
    outcome = outcome_of(planned(one, NOW_S + 15.0))
    after = status_of(before, outcome, one, None)
    assert after.objective is None
    assert "ObjectiveKept" not in {condition.type for condition in after.conditions or ()}
    assert live_state(outcome, after, None, "")["objective"] is None
    assert not {name for name in figures(outcome, one) if name.startswith("objective")}


def test_an_objective_out_of_reach_is_told_with_the_best_that_could_be() -> None:
    hopeless = replace(CURVE, unserved=tuple(0.02 for _ in LADDER))
    one = running(objective=OBJECTIVE)
    outcome = outcome_of(planned(one, forecast=Forecast(hopeless)))
    status = status_of(Status(), outcome, one, fan(hopeless))
    kept = {condition.type: condition for condition in status.conditions or ()}["ObjectiveKept"]
    assert (kept.status, kept.reason) == ("False", "OutOfReach")
    assert (
        "cannot be kept: even p99.5 x 1.5 would have left 2 % unserved over the last 3 days" in kept.message
    )


def test_after_a_restart_the_dial_goes_on_from_the_store() -> None:
    one = running(objective=OBJECTIVE)
    lived(one, 8, ready=9)
    stored = memory_from_json(json.loads(json.dumps(memory_to_json(one.memory))))
    back = recollected(one.workload, stored, NOW_S + 8 * 3600.0)
    assert back.memory.dial == one.memory.dial


def test_without_a_store_the_dial_goes_on_from_the_status() -> None:
    one = running(objective=OBJECTIVE)
    found = lived(one, 8, ready=9)
    dial = found.decision.memory.dial
    assert dial is not None
    status = document(status_of(Status(), outcome_of(found), one, fan()))
    back = recollected(workload(objective=OBJECTIVE, status=status), None, NOW_S + 9 * 3600.0).memory.dial
    assert back is not None
    assert (back.rung, back.correction) == (dial.rung, dial.correction)
