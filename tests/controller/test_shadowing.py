"""A shadow beside the live loop: scored without acting, acted by where it has won, never in the way."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from workload_making import NOW_S, known, pods, resource_item, running, setting, unknown, workload

from autoscaler.controller import shadowing
from autoscaler.controller.deciding import Planned, Seen, plan
from autoscaler.controller.observing.workload import parse_workload, superseding
from autoscaler.controller.outcome import Outcome, Write
from autoscaler.controller.running import Running, recollected, turned_to
from autoscaler.controller.shadow_record import from_status, newer, record_of
from autoscaler.controller.shadowing import ShadowMemory
from autoscaler.controller.telling.events import worth_telling
from autoscaler.controller.telling.ledger import _kept as kept_row
from autoscaler.controller.telling.live_state import live_state
from autoscaler.controller.telling.metrics import figures
from autoscaler.controller.telling.status import document, status_of
from autoscaler.planning.contest.standing import Stage, Standing
from autoscaler.planning.contest.tally import SPANS, Side, Span
from autoscaler.planning.memory import Memory
from autoscaler.planning.observation import Outlook
from autoscaler.planning.record import part_from_json, part_to_json
from autoscaler.series import Reading
from autoscaler.spec.status import Status

HOUR_S = 3600.0
BOLD: dict[str, Any] = {"name": "bold", "policy": {"load": {"perReplica": 20}}, "window": "12h"}
AUTOMATIC = {**BOLD, "promotion": "Automatic"}
PAST_EVENT = {
    "name": "past",
    "start": "2026-01-01T00:00:00Z",
    "end": "2026-01-02T00:00:00Z",
    "minReplicas": 5,
}
FREELY = {
    "scaleUp": {"policies": [{"type": "Pods", "value": 1000, "periodSeconds": 15}]},
    "scaleDown": {"stabilizationWindowSeconds": 0},
}


def with_shadow(shadow: dict[str, Any] | None = BOLD, **changes: Any) -> Running:
    return running(shadow=shadow, **{"behavior": FREELY, **changes})


def evaluated(
    one: Running, now_s: float = NOW_S, load: Reading | None = None, replicas: int = 10, peak: float = 100.0
) -> Planned:
    """One evaluation of a target whose pods are all ready and whose forecast is known."""
    seen = Seen(now_s, setting(replicas), pods(replicas), load or known(100.0), (), "")
    planned = plan(one, seen, lambda *_: Outlook(peak, 50.0, 0.0, "ridge"))
    assert isinstance(planned, Planned)
    return planned


def outcome(planned: Planned) -> Outcome:
    return planned.outcome(Write.UNNEEDED)


def status_after(planned: Planned, before: Status | None = None) -> Status:
    return status_of(before or Status(), outcome(planned), planned.running, None)


def ahead(one: Running, hours: int = 12, stage: Stage = Stage.COMPARED, load: float = 100.0) -> Running:
    """With so many hours behind it in which the shadow made do with half of the replicas."""
    planned = one.workload.shadow
    assert planned is not None
    spans = tuple(
        Span(
            NOW_S - (hours - hour) * HOUR_S,
            HOUR_S,
            load * HOUR_S,
            Side(10 * HOUR_S),
            Side(5 * HOUR_S),
            Side(10 * HOUR_S),
        )
        for hour in range(hours)
    )
    standing = Standing(stage, NOW_S - hours * HOUR_S)
    one.shadow_memory = ShadowMemory(planned.identity, planned.comparison, standing, spans=spans)
    return one


def conditions(status: Status) -> dict[str, tuple[str, str]]:
    return {
        one.type: (one.status, one.reason) for one in status.conditions or () if one.type.startswith("Shadow")
    }


# -- without acting


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([1.0, 15.0, 15.0, 15.0, 120.0, 900.0]),
            st.floats(0, 2000),
            st.sampled_from([True, True, True, False]),
            st.one_of(st.floats(0, 3000), st.just(float("nan"))),
        ),
        min_size=1,
        max_size=25,
    ),
    st.sampled_from(
        [
            {"load": {"perReplica": 5}},
            {"forecast": {"quantile": "0.5"}, "minReplicas": 4},
            {"maxReplicas": 3, "pendingCap": 1},
            {"behavior": {"scaleDown": {"selectPolicy": "Disabled"}}, "cooldown": {"scaleUp": "10m"}},
        ]
    ),
    st.sampled_from(["Active", "Recommend", "ScaleOutOnly", "Paused"]),
)
def test_a_shadow_that_does_not_act_changes_no_decision_and_no_memory(
    steps: list[tuple[float, float, bool, float]], policy: dict[str, Any], mode: str
) -> None:
    spec: dict[str, Any] = {"mode": mode, "spend": {"replicaHourPrice": "1", "dailyBudget": "400"}}
    alone, beside = running(**spec), running(shadow={"name": "other", "policy": policy}, **spec)
    counts = [5, 5]
    now_s = NOW_S
    for pause_s, load, is_known, peak in steps:
        now_s += pause_s
        reading = known(load) if is_known else unknown()
        found = [
            evaluated(one, now_s, reading, count, peak)
            for one, count in zip((alone, beside), counts, strict=True)
        ]
        assert repr(found[0].decision) == repr(found[1].decision)
        assert repr(alone.memory) == repr(beside.memory)
        assert (found[0].policy, found[0].count) == (found[1].policy, found[1].count)
        counts = [one.count for one in found]


def test_both_are_scored_on_what_is_seen() -> None:
    one = with_shadow()
    for step in range(60):
        planned = evaluated(one, NOW_S + 15.0 * step)
    shadow = status_after(planned).shadow
    assert shadow is not None
    assert (shadow.name, shadow.stage, shadow.counted_seconds) == ("bold", "Compared", 59 * 15)
    # Half of the replicas from the second look on: they serve half of the load, by the spec's perReplica.
    assert shadow.cost_ratio is not None and 0.5 < float(shadow.cost_ratio) < 0.55
    assert (shadow.own_unserved, shadow.actual_unserved) == ("0", "0")
    assert shadow.shadow_unserved is not None and 0.45 < float(shadow.shadow_unserved) < 0.5
    assert "bold after 0.246 h of 12 h: it would cost 4" in shadow.verdict


def test_a_resource_without_a_shadow_shows_none_of_it() -> None:
    one = running()
    planned = evaluated(one)
    status = status_after(planned)
    assert one.shadow is None and status.shadow is None and conditions(status) == {}
    assert not [name for name in figures(outcome(planned), one) if name.startswith("shadow")]
    assert live_state(outcome(planned), status, None, "")["shadow"] is None


def test_nothing_is_left_of_a_shadow_that_was_removed() -> None:
    one = with_shadow()
    before = status_after(evaluated(one))
    assert before.shadow is not None and conditions(before)
    one = turned_to(one, workload(behavior=FREELY, generation=2))
    after = status_after(evaluated(one, NOW_S + 15.0), before)
    assert after.shadow is None and conditions(after) == {}
    assert one.shadow_memory is None


def test_it_is_not_tried_while_the_resource_is_paused() -> None:
    one = with_shadow(mode="Paused")
    evaluated(one)
    assert one.shadow is None


# -- whatever goes wrong with it


def test_a_shadow_that_fails_is_named_and_the_spec_is_decided_by(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    alone = evaluated(running(behavior=FREELY))
    one = ahead(with_shadow(AUTOMATIC), stage=Stage.PROMOTED)
    monkeypatch.setattr(shadowing, "continued", broken)
    planned = evaluated(one)
    assert planned.decision == alone.decision
    status = status_after(planned)
    assert conditions(status)["ShadowCompared"] == ("False", "ShadowFailed")
    assert conditions(status)["ShadowActing"] == ("False", "NotPromoted")
    assert status.shadow is not None and "ZeroDivisionError" in status.shadow.verdict
    monkeypatch.undo()
    planned = evaluated(one, NOW_S + 15.0)
    assert one.shadow is not None and one.shadow.acts, "what it had come to is not lost"
    assert one.shadow.verdict is not None and one.shadow.verdict.total.counted_s >= 12 * HOUR_S


def test_differences_that_make_no_valid_spec_are_named_and_nothing_else_happens() -> None:
    one = with_shadow()
    assert one.workload.shadow is not None
    invalid = dataclasses.replace(one.workload.shadow, policy=None, problem="spec.x: is wrong")
    one.workload = dataclasses.replace(one.workload, shadow=invalid)
    planned = evaluated(one)
    assert planned.decision == evaluated(running(behavior=FREELY)).decision
    status = status_after(planned)
    assert conditions(status)["ShadowCompared"] == ("False", "ShadowInvalid")
    assert status.shadow is not None and status.shadow.verdict == "bold is not compared: spec.x: is wrong"


def test_an_invalid_spec_leaves_the_shadow_of_the_last_valid_one_in_force() -> None:
    before = workload(shadow=BOLD)
    after = superseding(before, parse_workload(resource_item(shadow=BOLD, maxReplicas=0, generation=2)))
    assert after.problem and after.shadow == before.shadow


# -- acting by it


def test_a_winner_is_reported_and_left_to_people_unless_it_may_promote_itself() -> None:
    one = ahead(with_shadow())
    planned = evaluated(one)
    assert planned.policy.load_per_replica == 10.0
    status = status_after(planned)
    assert conditions(status) == {
        "ShadowCompared": ("True", "Comparing"),
        "ShadowWon": ("True", "WonOnCost"),
        "ShadowActing": ("False", "NotPromoted"),
    }
    (event,) = [
        told
        for told in worth_telling(conditions_before(one), status, outcome(planned))
        if told.reason == "WonOnCost"
    ]
    assert not event.warning and "autoscaler promote" in event.note and "has won over 12 h" in event.note


def conditions_before(one: Running) -> Status:
    """The status of a shadow that had not won yet."""
    return status_after(evaluated(with_shadow(one.workload.manifest["spec"]["shadow"])))


def test_a_winner_that_may_is_acted_by_from_then_on() -> None:
    one = ahead(with_shadow(AUTOMATIC))
    planned = evaluated(one)
    assert (planned.policy.load_per_replica, planned.count) == (20.0, 5)
    status = status_after(planned)
    assert status.shadow is not None and status.shadow.stage == "Promoted"
    assert conditions(status)["ShadowActing"] == ("True", "ShadowPromoted")
    told = [event.reason for event in worth_telling(conditions_before(one), status, outcome(planned))]
    assert {"WonOnCost", "ShadowPromoted"} <= set(told)
    assert figures(outcome(planned), one)["shadow_acting"] == 1.0
    state = live_state(outcome(planned), status, None, "")
    assert (state["shadow"]["acts"], state["replicas"]["desired"]) == (True, 5)


def test_a_promoted_shadow_that_loses_is_given_up_and_warned_of() -> None:
    one = ahead(with_shadow(AUTOMATIC), stage=Stage.PROMOTED)
    before = status_after(evaluated(one))
    assert one.shadow_memory is not None and one.shadow_memory.contest is not None
    contest = one.shadow_memory.contest
    short = tuple(
        dataclasses.replace(span, shadow=Side(5 * HOUR_S, 10 * HOUR_S)) for span in contest.spans[-6:]
    )
    worse = dataclasses.replace(contest, spans=(*contest.spans[:-6], *short))
    one.shadow_memory = dataclasses.replace(one.shadow_memory, contest=worse)
    planned = evaluated(one, NOW_S + 15.0)
    status = status_after(planned, before)
    assert planned.policy.load_per_replica == 10.0
    assert conditions(status)["ShadowActing"] == ("False", "ShadowGivenUp")
    (event,) = [e for e in worth_telling(before, status, outcome(planned)) if e.reason == "ShadowGivenUp"]
    assert event.warning


@pytest.mark.parametrize(
    ("shadow", "spec", "acts", "kept"),
    [
        (AUTOMATIC, {}, True, True),
        (AUTOMATIC, {"events": [PAST_EVENT]}, True, True),
        ({**AUTOMATIC, "margin": "40%"}, {}, True, True),
        (AUTOMATIC, {"maxReplicas": 50}, True, False),  # another policy to compare with, the same shadow
        (BOLD, {}, False, True),  # a person takes it back
        ({**AUTOMATIC, "name": "bolder"}, {}, False, False),
        ({**AUTOMATIC, "policy": {"load": {"perReplica": 15}}}, {}, False, False),
    ],
)  # fmt: skip
def test_a_promotion_lasts_while_the_shadow_is_unchanged(
    shadow: dict[str, Any], spec: dict[str, Any], acts: bool, kept: bool
) -> None:
    one = ahead(with_shadow(AUTOMATIC))
    evaluated(one)
    one = turned_to(one, workload(shadow=shadow, behavior=FREELY, generation=2, **spec))
    evaluated(one, NOW_S + 15.0)
    assert one.shadow is not None and one.shadow.verdict is not None
    assert one.shadow.acts is acts
    assert (one.shadow.verdict.total.counted_s >= 12 * HOUR_S) is kept


def test_a_shadow_that_was_given_up_is_not_taken_again_before_it_is_changed() -> None:
    one = ahead(with_shadow(AUTOMATIC), stage=Stage.GIVEN_UP)
    evaluated(one)
    assert one.shadow is not None and not one.shadow.acts
    one = turned_to(one, workload(shadow={**AUTOMATIC, "name": "again"}, behavior=FREELY, generation=2))
    evaluated(one, NOW_S + 15.0)
    assert one.shadow is not None and one.shadow.memory.standing.stage is Stage.COMPARED


# -- after a restart


def test_the_store_remembers_all_of_it() -> None:
    one = with_shadow()
    for step in range(30):
        evaluated(one, NOW_S + 15.0 * step)
    payload = json.loads(json.dumps(kept_row(one, NOW_S, None).payload))
    stored = part_from_json(payload["shadow"], ShadowMemory)
    assert stored == one.shadow_memory
    again = recollected(one.workload, Memory(), NOW_S, shadow=stored)
    evaluated(one, NOW_S + 15.0 * 30)
    evaluated(again, NOW_S + 15.0 * 30)
    assert again.shadow_memory == one.shadow_memory


def test_without_a_store_the_status_remembers_the_score_and_the_promotion() -> None:
    one = ahead(with_shadow(AUTOMATIC))
    status = status_after(evaluated(one))
    told = document(status)
    again = recollected(
        workload(status=json.loads(json.dumps(told)), shadow=AUTOMATIC, behavior=FREELY), None, NOW_S + 20.0
    )
    planned = evaluated(again, NOW_S + 20.0)
    assert again.shadow is not None and again.shadow.acts
    assert planned.policy.load_per_replica == 20.0
    assert again.shadow.verdict is not None
    assert again.shadow.verdict.cost_ratio == pytest.approx(0.5, abs=0.001)


@pytest.mark.parametrize("record", ["", "{}", "[]", "null", '{"shadow":1,"policies":"x","spans":[]}',
                                    '{"shadow":"x","policies":"x","spans":[[1,2]]}',
                                    '{"shadow":"x","policies":"x","spans":[[1,2,3,4,5,6,7,8,"nan"]]}',
                                    '{"shadow":"x","policies":"x","spans":7}'])  # fmt: skip
def test_a_record_that_somebody_else_wrote_is_not_believed(record: str) -> None:
    status = status_after(evaluated(with_shadow())).shadow
    assert status is not None
    assert from_status(status.model_copy(update={"record": record})) is None


def test_a_status_of_a_later_leader_is_believed_before_an_old_store() -> None:
    old = ShadowMemory("a", "b", Standing(Stage.COMPARED, NOW_S - 900.0))
    promoted = ShadowMemory("a", "b", Standing(Stage.PROMOTED, NOW_S - 60.0))
    assert newer(old, promoted) == promoted
    assert newer(promoted, old) == promoted
    assert newer(None, old) == old
    assert newer(old, None) == old
    assert newer(None, None) is None


def test_a_record_fits_into_a_status_however_long_the_window() -> None:
    spans = tuple(
        Span(NOW_S + 216_000.0 * n / 7, 215_987.123, 1.23456789e12, *[Side(9.87654321e9, 1.23456789e-5)] * 3)
        for n in range(2 * SPANS + 1)
    )
    memory = ShadowMemory("f" * 16, "e" * 16, Standing(Stage.COMPARED, NOW_S), spans=spans)
    text = record_of(memory)
    assert len(text) <= 4096 and len(json.loads(text)["spans"]) == len(spans)
    assert part_from_json(part_to_json(memory), ShadowMemory) == memory


def test_the_record_in_the_status_is_made_once_a_minute_and_whenever_the_stage_changes() -> None:
    one = with_shadow(AUTOMATIC)
    statuses = [Status()]
    for step in range(10):
        statuses.append(status_after(evaluated(one, NOW_S + 15.0 * step), statuses[-1]))
    records = {status.shadow.record for status in statuses[1:] if status.shadow is not None}
    assert len(records) == 3, "at the first look, and after one and two minutes"
    before = statuses[-1]
    status = status_after(evaluated(ahead(one), NOW_S + 151.0), before)
    assert status.shadow is not None and status.shadow.stage == "Promoted"
    assert status.shadow.record not in records
