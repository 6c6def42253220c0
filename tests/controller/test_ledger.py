"""What is kept of each evaluation: every decision that is carried out, before it is; the rest sparingly."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluation_in_hand import InHand
from stub_api import forbidden, unanswered
from workload_making import NOW_S, known, workload

from autoscaler.controller.acting.overrides import ANNOTATION
from autoscaler.controller.deciding import Planned
from autoscaler.controller.forecasts.fan import Fan
from autoscaler.controller.outcome import Outcome
from autoscaler.controller.running import OwnWrites, Running
from autoscaler.controller.telling.ledger import StoreLedger
from autoscaler.planning.memory import Memory
from autoscaler.planning.record import memory_from_json, memory_to_json, replayed
from autoscaler.series import Grade
from autoscaler.spec.units import format_time
from autoscaler.store import rows
from autoscaler.store.journal import Journal
from autoscaler.store.store import Store


class Kept:
    """Rows in the order in which they were committed, and how long each batch could be waited for."""

    def __init__(self) -> None:
        self.rows: list[rows.Row] = []
        self.patience_s: list[float] = []
        self.memories: dict[str, rows.MemoryKept] = {}
        self.reloaded = 0

    def commit(self, batch: Sequence[rows.Row], patience_s: float) -> bool:
        self.rows += batch
        self.patience_s.append(patience_s)
        return True

    def memory(self, workload: str) -> rows.MemoryKept | None:
        return self.memories.get(workload)

    def reload(self, patience_s: float) -> bool:
        self.reloaded += 1
        return True

    def of(self, kind: type) -> list[Any]:
        return [row for row in self.rows if isinstance(row, kind)]


def fan(made_at_s: float) -> Fan:
    """A forecast of two steps."""
    table = np.array([[10.0, 20.0], [11.0, 21.0]])
    return Fan(
        made_at_s,
        step_s=60,
        lead=1,
        levels=np.array([0.5, 0.95]),
        values=table,
        peaks=table,
        expected=np.array([9.0, 10.0, 11.0]),
        model="ridge",
        grade=Grade.DAILY,
        note="",
    )


class Keeping:
    """An evaluation that keeps its records in a ledger over `kept`."""

    def __init__(self, hand: InHand) -> None:
        self.hand, self.kept = hand, Kept()
        self.fans: dict[str, Fan] = {}
        self.ledger = StoreLedger(self.kept, self.fans.get)
        hand.evaluation = replace(hand.evaluation, ledger=self.ledger)

    def evaluate(self, *due: Running, after_s: float = 0.0) -> dict[str, Outcome]:
        self.kept.rows.clear()
        self.kept.patience_s.clear()
        return self.hand.evaluate(*due, after_s=after_s)


@pytest.fixture
def keeping(hand: InHand) -> Keeping:
    return Keeping(hand)


def test_a_decision_is_kept_whole_and_can_be_decided_again(keeping: Keeping) -> None:
    outcome = keeping.evaluate(keeping.hand.add("web", 3, 55.0))["web"]
    (made,) = keeping.kept.of(rows.DecisionMade)
    assert (made.workload, made.id, made.before, made.after) == ("shop/web", outcome.id, 3, 6)
    assert replayed(made.payload).same
    assert keeping.kept.rows.index(made) == 0
    assert keeping.kept.of(rows.Outcome) == [rows.Outcome("shop/web", outcome.id, "Done")]


def test_a_decision_that_is_overruled_says_by_what_and_can_still_be_decided_again(keeping: Keeping) -> None:
    until = format_time(NOW_S + 60.0)
    one = keeping.hand.add("web", 3, 55.0, annotations={ANNOTATION: f"4 until {until}"})
    keeping.evaluate(one)
    (made,) = keeping.kept.of(rows.DecisionMade)
    assert (made.before, made.after, made.reasons[-1]) == (3, 4, "Override")
    assert made.sentence.startswith("An override asks for 4 replicas. Without it: Scale out from 3 to 6: ")
    assert replayed(made.payload).same


def test_only_a_write_waits_for_its_record(keeping: Keeping) -> None:
    keeping.evaluate(keeping.hand.add("web", 3, 55.0))
    assert keeping.kept.patience_s[0] > 0.0 and keeping.kept.patience_s[1:] == [0.0]
    keeping.evaluate(keeping.hand.add("quiet", 3, 30.0))
    assert set(keeping.kept.patience_s) == {0.0}


def test_what_changes_nothing_is_kept_only_when_it_says_something_new(keeping: Keeping) -> None:
    one = keeping.hand.add("web", 3, 30.0)
    kept = []
    for load in (30.0, 30.0, 29.0, 28.0):
        keeping.hand.load_is("web", known(load))
        keeping.evaluate(one, after_s=15.0)
        kept.append(len(keeping.kept.of(rows.DecisionMade)))
    assert kept == [1, 0, 0, 0]
    keeping.hand.load_is("web", replace(known(30.0), state=known(0).state.__class__("Empty")))
    keeping.evaluate(one, after_s=15.0)
    assert len(keeping.kept.of(rows.DecisionMade)) == 1, "a source without an opinion is news"


def test_every_decision_that_is_carried_out_is_kept(keeping: Keeping) -> None:
    one = keeping.hand.add("web", 3, 30.0)
    for replicas, load in ((3, 45.0), (5, 65.0), (7, 85.0)):
        keeping.hand.pods_are("web", replicas)
        keeping.hand.load_is("web", known(load))
        keeping.evaluate(one, after_s=15.0)
        (made,) = keeping.kept.of(rows.DecisionMade)
        assert made.after == replicas + 2 == keeping.hand.api.replicas()


def test_what_became_of_a_decision_is_kept_in_a_word(keeping: Keeping) -> None:
    words = []
    for name, failure in (("a", forbidden), ("b", unanswered)):
        one = keeping.hand.add(name, 3, 55.0)
        keeping.hand.api.fault = lambda request, fail=failure: fail() if request.method == "PATCH" else None
        keeping.evaluate(one)
        words += [row.outcome for row in keeping.kept.of(rows.Outcome)]
    keeping.evaluate(keeping.hand.add("c", 3, 55.0, mode="Recommend"))
    words += [row.outcome for row in keeping.kept.of(rows.Outcome)]
    assert words == ["Failed: NoPermission", "Unknown: ApiServerUnavailable", "Held: Recommend"]


def test_the_memory_is_kept_every_time_as_it_is_after_the_write(keeping: Keeping) -> None:
    one = keeping.hand.add("web", 3, 55.0)
    keeping.evaluate(one)
    before, kept = keeping.kept.of(rows.MemoryKept)
    assert memory_from_json(kept.payload) == one.memory and one.memory.scale_ups
    assert not memory_from_json(before.payload).scale_ups
    keeping.hand.pods_are("web", 6)
    keeping.evaluate(one, after_s=15.0)
    assert len(keeping.kept.of(rows.MemoryKept)) == 1


def test_a_write_is_known_to_whoever_comes_next_from_before_it_is_sent(keeping: Keeping) -> None:
    one = keeping.hand.add("web", 3, 55.0)
    outcome = keeping.evaluate(one)["web"]
    known_writes = []
    for kept in keeping.kept.of(rows.MemoryKept):
        keeping.kept.memories["shop/web"] = kept
        known_writes.append(keeping.ledger.writes(one.workload))
    before, after = known_writes
    assert before == OwnWrites(last=None, attempted=(3, 6, outcome.now_s))
    assert after.attempted is None and after.last is not None and after.last[:2] == (3, 6)
    keeping.kept.memories.clear()
    assert keeping.ledger.writes(one.workload) == OwnWrites()


def test_a_fault_keeps_no_memory_and_is_shown(keeping: Keeping) -> None:
    one = keeping.hand.add("web")
    keeping.hand.api.objects.clear()
    keeping.evaluate(one)
    assert [type(row) for row in keeping.kept.rows] == [rows.ManifestKept, rows.StateKept]
    (state,) = keeping.kept.of(rows.StateKept)
    assert (state.payload["reason"], state.payload["decision"]) == ("TargetNotFound", None)


def test_what_is_shown_names_the_newest_decision_on_record(keeping: Keeping) -> None:
    one = keeping.hand.add("web", 3, 30.0)
    recorded = keeping.evaluate(one)["web"].id
    shown = []
    for _ in range(4):
        outcome = keeping.evaluate(one, after_s=15.0)["web"]
        assert outcome.id != recorded, "which says nothing new and is not on record"
        shown += [state.payload["decisionId"] for state in keeping.kept.of(rows.StateKept)]
    assert shown == [recorded]


def test_a_state_that_cannot_be_told_keeps_nothing_else_from_being_kept(
    keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> dict[str, Any]:
        raise ZeroDivisionError

    monkeypatch.setattr("autoscaler.controller.telling.state_keeping.live_state", fail)
    keeping.evaluate(keeping.hand.add("web", 3, 55.0))
    assert keeping.kept.of(rows.StateKept) == []
    assert len(keeping.kept.of(rows.Outcome)) == len(keeping.kept.of(rows.Observed)) == 1


def test_a_forecast_is_kept_once_in_five_minutes(keeping: Keeping) -> None:
    one = keeping.hand.add("web", 3, 30.0)
    made = []
    for step in range(12):
        keeping.fans["shop/web"] = fan(NOW_S + 60.0 * step)
        keeping.evaluate(one, after_s=60.0)
        made += [row.made_at_s - NOW_S for row in keeping.kept.of(rows.ForecastMade)]
    assert made == [0.0, 300.0, 600.0]


def test_a_fan_without_a_forecast_is_not_kept(keeping: Keeping) -> None:
    keeping.fans["shop/web"] = replace(fan(NOW_S), grade=Grade.NONE)
    keeping.evaluate(keeping.hand.add("web", 3, 30.0))
    assert keeping.kept.of(rows.ForecastMade) == []


def test_resources_that_are_gone_are_shown_no_more(keeping: Keeping) -> None:
    keeping.ledger.drop([])
    assert keeping.kept.patience_s == []
    keeping.ledger.drop({"shop/b", "shop/a"})
    assert keeping.kept.rows == [rows.StateGone("shop/a"), rows.StateGone("shop/b")]


def test_a_new_leader_shows_everything_anew(keeping: Keeping) -> None:
    one = keeping.hand.add("web", 3, 30.0)
    keeping.evaluate(one)
    keeping.evaluate(one, after_s=15.0)
    assert keeping.kept.of(rows.StateKept) == []
    keeping.ledger.take_over()
    keeping.evaluate(one, after_s=15.0)
    assert len(keeping.kept.of(rows.StateKept)) == len(keeping.kept.of(rows.ManifestKept)) == 1


def test_what_the_next_evaluation_replaces_can_be_left_out(keeping: Keeping) -> None:
    keeping.ledger = StoreLedger(keeping.kept, keeping.fans.get, lasting_only=True)
    keeping.hand.evaluation = replace(keeping.hand.evaluation, ledger=keeping.ledger)
    keeping.fans["shop/web"] = fan(NOW_S)
    keeping.evaluate(keeping.hand.add("web", 3, 55.0))
    kept = {type(row) for row in keeping.kept.rows}
    assert kept == {rows.DecisionMade, rows.Outcome, rows.Observed, rows.ForecastMade}


def test_what_was_seen_is_kept_once_a_minute(keeping: Keeping) -> None:
    one = keeping.hand.add("web", 3, 30.0, spend={"replicaHourPrice": "1", "dailyBudget": "900"})
    kept = []
    for _ in range(9):
        keeping.evaluate(one, after_s=15.0)
        kept.append((len(keeping.kept.of(rows.Observed)), len(keeping.kept.of(rows.DaySpend))))
    assert kept == [(1, 1), (0, 0), (0, 0), (0, 0)] * 2 + [(1, 1)]


@pytest.mark.parametrize(("load", "asked"), [(55.0, 6), (30.0, 3)])
def test_what_was_asked_for_is_what_stands_after_it(keeping: Keeping, load: float, asked: int) -> None:
    keeping.evaluate(keeping.hand.add("web", 3, load))
    (seen,) = keeping.kept.of(rows.Observed)
    assert (seen.load, seen.ready, seen.asked) == (load, 3, asked)


STORED = memory_to_json(Memory(decided_s=NOW_S))


@pytest.mark.parametrize(
    ("at_s", "payload", "found"),
    [
        (NOW_S, STORED, Memory(decided_s=NOW_S)),
        (NOW_S - 2 * 86_400.0, STORED, None),  # of an earlier resource of the same name
        (NOW_S, {"v": 999, "memory": {}}, None),  # of a later release
        (NOW_S, {}, None),
    ],
)
def test_a_stored_memory_is_taken_only_if_it_is_this_resources_and_readable(
    at_s: float, payload: dict[str, Any], found: Memory | None
) -> None:
    kept = Kept()
    kept.memories["shop/web"] = rows.MemoryKept("shop/web", at_s, payload)
    assert StoreLedger(kept).memory(workload()) == found
    assert StoreLedger(kept).memory(workload("other")) is None


def test_a_new_leader_reads_what_the_one_before_has_written() -> None:
    kept = Kept()
    StoreLedger(kept).take_over()
    assert kept.reloaded == 1


def test_a_new_leader_waits_for_a_store_that_is_slow_to_open(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    store = Store.open(url)
    store.migrate()
    before = Memory(scale_ups=((NOW_S - 60.0, 2),))
    store.write([rows.MemoryKept("shop/web", NOW_S, memory_to_json(before))])
    store.close()

    def slowly() -> Store:
        time.sleep(1.0)
        return Store.open(url)

    journal = Journal(slowly)
    journal.start()
    ledger = StoreLedger(journal)
    ledger.take_over()
    assert ledger.memory(workload()) == before
    journal.close()


def test_a_resource_that_is_gone_leaves_nothing_behind(keeping: Keeping) -> None:
    one = keeping.hand.add("web", 3, 30.0)
    keeping.fans["shop/web"] = fan(NOW_S)
    keeping.evaluate(one)
    planned: list[Planned] = [made for made, _ in keeping.hand.records.recorded]
    assert planned == []
    keeping.ledger.forget("shop/web")
    ledger = keeping.ledger
    known = (ledger._last, ledger._recorded, ledger._newest, ledger._observed_s, ledger._forecast_s)
    assert not any((*known, ledger._states._kept))


def test_a_decision_that_was_overtaken_is_not_waited_for_for_ever(keeping: Keeping) -> None:
    one = keeping.hand.add("web", 3, 55.0)

    def somebody(request: Any) -> None:
        if request.method == "PATCH" and keeping.hand.api.replicas() == 3:
            keeping.hand.api.put_scale("web", 4)

    keeping.hand.api.fault = somebody
    outcome = keeping.evaluate(one)["web"]
    assert [row.decision for row in keeping.kept.of(rows.Outcome)] == [outcome.id]
    assert keeping.ledger._recorded == {}
