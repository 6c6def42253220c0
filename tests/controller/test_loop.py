"""The operator's clock: who is due, who waits for nobody, and what is forgotten when."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from evaluation_in_hand import InHand
from workload_making import known, resource_item, workload

from autoscaler.controller.acting.overrides import ANNOTATION
from autoscaler.controller.acting.rivals import Rivals
from autoscaler.controller.catalog import Catalog, slot_of
from autoscaler.controller.loop import Loop
from autoscaler.controller.observing.sources import MetricSources
from autoscaler.controller.observing.workload import Workload
from autoscaler.controller.outcome import Outcome
from autoscaler.controller.running import Running
from autoscaler.planning.memory import Memory
from autoscaler.series import Reading
from autoscaler.signals.instant import InstantQuery

PATIENCE_S = 10.0
FROZEN = {ANNOTATION: "freeze until 2027-11-27T18:00:00Z"}


@dataclass
class Heard:
    """All that was announced."""

    evaluations: list[tuple[str, list[str]]] = field(default_factory=list)
    left_out: list[tuple[str, list[str]]] = field(default_factory=list)
    gone_keys: list[str | None] = field(default_factory=list)
    refuse: bool = False

    def evaluated(
        self, source: str, outcomes: Sequence[Outcome], running: Sequence[Running], took_s: float
    ) -> None:
        if self.refuse:
            raise RuntimeError("unforeseen")
        assert [o.workload.key for o in outcomes] == [one.workload.key for one in running]
        self.evaluations.append((source, sorted(one.workload.key for one in running)))

    def skipped(self, source: str, workloads: Sequence[Workload]) -> None:
        self.left_out.append((source, [one.key for one in workloads]))

    def gone(self, key: str | None) -> None:
        self.gone_keys.append(key)


class Line:
    """A metric source whose work waits until the test does it, or not."""

    def __init__(self, name: str, hand: InHand) -> None:
        self.name, self.hand = name, hand
        self.waiting: list[Callable[[], None]] = []
        self.at_once = True

    def run(self, work: Callable[[], None], most_waiting: int) -> bool:
        if self.at_once:
            work()
            return True
        if len(self.waiting) >= most_waiting:
            return False
        self.waiting.append(work)
        return True

    def read(self, queries: Any, now_s: float) -> Any:
        return self.hand.metered.read(queries, now_s)

    def catch_up(self) -> None:
        waiting, self.waiting = self.waiting, []
        for work in waiting:
            work()


class Looping:
    """A loop that is turned by hand."""

    def __init__(self, hand: InHand) -> None:
        self.hand, self.heard = hand, Heard()
        self.catalog = Catalog(5, Rivals())
        self.lines = {name: Line(name, hand) for name in ("default", "slow")}
        self.stored: dict[str, Memory] = {}
        self.kept_house = 0
        self.taken_over = 0
        self.loop = Loop(
            self.catalog,
            MetricSources(cast("Any", self.lines), "default"),
            replace(hand.evaluation, stands=self.catalog.stands),
            hand.lease,
            self.heard,
            self._take_over,
            lambda one: self.stored.get(one.key),
            self._keep_house,
            15.0,
        )

    def _keep_house(self) -> None:
        self.kept_house += 1

    def _take_over(self) -> None:
        self.taken_over += 1

    def put(self, name: str, **spec: Any) -> None:
        self.hand.add(name)
        self.tell(name, **spec)

    def tell(self, name: str, **spec: Any) -> None:
        """A resource as it is now."""
        load = {"query": name, "perReplica": 10, **spec.pop("load", {})}
        item = resource_item(name, load=load, **spec)
        key = f"shop/{name}"
        self.catalog.change(key, self.catalog.get(key), self.catalog.parse(item))

    def remove(self, name: str) -> None:
        key = f"shop/{name}"
        self.catalog.change(key, self.catalog.get(key), None)

    def turn(self, slot: int = 0) -> None:
        self.loop._turn(slot)

    def period(self) -> None:
        for slot in range(5):
            self.turn(slot)

    def evaluated(self) -> list[str]:
        found = sorted(key for _, keys in self.heard.evaluations for key in keys)
        self.heard.evaluations.clear()
        return found


@pytest.fixture
def looping(hand: InHand) -> Looping:
    return Looping(hand)


def test_every_resource_is_evaluated_once_a_period(looping: Looping) -> None:
    for name in ("a", "b", "c", "d"):
        looping.put(name)
    looping.turn()
    assert looping.evaluated() == ["shop/a", "shop/b", "shop/c", "shop/d"], "new ones at once"
    looping.period()
    assert looping.evaluated() == ["shop/a", "shop/b", "shop/c", "shop/d"]
    assert looping.kept_house == 2


def test_a_busy_source_delays_nobody_else(looping: Looping) -> None:
    looping.lines["slow"].at_once = False
    looping.put("a")
    looping.put("b", load={"source": "slow"})
    looping.turn()
    looping.period()
    assert looping.evaluated() == ["shop/a", "shop/a"]
    assert looping.heard.left_out == [("slow", ["shop/b"])], "its second turn is left out"
    looping.lines["slow"].catch_up()
    assert looping.evaluated() == ["shop/b"], "evaluated once and not twice"
    looping.period()
    looping.lines["slow"].catch_up()
    assert looping.evaluated() == ["shop/a", "shop/b"]


def test_a_line_that_is_full_takes_nobody_and_locks_nobody_out(looping: Looping) -> None:
    slow = looping.lines["slow"]
    slow.at_once = False
    slow.waiting = [lambda: None] * 5
    looping.put("b", load={"source": "slow"})
    looping.turn()
    assert looping.heard.left_out == [("slow", ["shop/b"])]
    slow.catch_up()
    slow.at_once = True
    looping.period()
    assert looping.evaluated() == ["shop/b"]


def test_a_source_nobody_configured_is_told_and_not_asked(looping: Looping) -> None:
    looping.put("a", load={"source": "unheard-of"})
    looping.turn()
    assert looping.evaluated() == ["shop/a"]
    assert looping.hand.metered.asked == []


def test_nothing_is_evaluated_without_leadership_and_that_is_no_failure(looping: Looping) -> None:
    looping.put("a")
    looping.hand.lease.held = False
    looping.loop._completed_s -= 1000.0
    looping.period()
    assert looping.evaluated() == [] and looping.kept_house == 0
    assert looping.loop.idle_s() < 10.0


def test_lost_leadership_forgets_everything(looping: Looping) -> None:
    looping.put("a")
    looping.turn()
    looping.hand.lease.held = False
    looping.turn()
    assert looping.heard.gone_keys[-1] is None and looping.loop._running == {}
    told = len(looping.heard.gone_keys)
    looping.turn()
    assert len(looping.heard.gone_keys) == told, "once"


def test_a_new_term_starts_from_what_the_store_remembers_then(looping: Looping) -> None:
    slow = looping.lines["slow"]
    slow.at_once = False
    looping.put("a", load={"source": "slow"})
    looping.turn()
    looping.hand.lease.held = False
    looping.turn()
    slow.catch_up()  # what was queued is finished after the term has ended
    looping.stored["shop/a"] = Memory(scale_ups=((looping.hand.clock.now_s, 3),))
    looping.hand.lease.held = True
    slow.at_once = True
    looping.period()
    assert looping.taken_over == 2
    assert looping.loop._running["shop/a"].memory.scale_ups == looping.stored["shop/a"].scale_ups


def test_a_deleted_resource_is_dropped(looping: Looping) -> None:
    looping.put("a")
    looping.turn()
    looping.remove("a")
    looping.period()
    assert looping.evaluated() == ["shop/a"]
    assert looping.heard.gone_keys[-1] == "shop/a" and looping.loop._running == {}


def test_a_resource_deleted_while_it_waits_for_its_source_is_not_scaled_any_more(looping: Looping) -> None:
    slow = looping.lines["slow"]
    slow.at_once = False
    looping.put("a", load={"source": "slow", "perReplica": 1})
    looping.turn()
    looping.remove("a")
    slow.catch_up()
    assert looping.evaluated() == [] and looping.hand.api.patches == []
    assert looping.loop._running == {}


def test_a_resource_that_was_paused_while_it_waits_is_not_scaled_any_more(looping: Looping) -> None:
    slow = looping.lines["slow"]
    slow.at_once = False
    looping.put("a", load={"source": "slow", "perReplica": 1})
    looping.turn()
    looping.put("a", load={"source": "slow", "perReplica": 1}, generation=2, mode="Paused")
    slow.catch_up()
    assert looping.hand.api.patches == []
    looping.turn(1)
    slow.catch_up()
    assert looping.evaluated() == ["shop/a"] and looping.hand.api.patches == []


@pytest.mark.parametrize(
    ("change", "written"),
    [
        (lambda looping: looping.tell("a", generation=2, mode="Paused"), []),
        (lambda looping: looping.tell("a", generation=2, maxReplicas=4), []),
        (lambda looping: looping.tell("a", annotations=FROZEN), []),
        (lambda looping: looping.tell("a", uid="anew"), []),
        (lambda looping: looping.tell("a", deleting=True), []),
        (lambda looping: looping.remove("a"), []),
        (lambda looping: looping.tell("a", annotations={"team": "shop"}), [7]),
        (lambda looping: looping.tell("a"), [7]),  # a status that was written, say
    ],
    ids=["paused", "maximum lowered", "frozen", "made anew", "deleting", "deleted", "labelled", "the same"],
)  # fmt: skip
def test_what_was_changed_while_it_was_decided_on_is_not_written(
    looping: Looping, change: Callable[[Looping], None], written: list[int]
) -> None:
    looping.put("a")
    looping.hand.load_is("a", known(95.0))
    metered = looping.hand.metered
    read = metered.read

    def read_meanwhile(queries: Sequence[InstantQuery], now_s: float) -> list[Reading]:
        change(looping)
        return read(queries, now_s)

    metered.read = read_meanwhile  # type: ignore[method-assign]  # what happens while it is asked
    looping.turn()
    assert [patch.body["spec"]["replicas"] for patch in looping.hand.api.patches] == written


def test_a_resource_deleted_while_it_is_evaluated_leaves_nothing_behind(looping: Looping) -> None:
    looping.put("a")
    looping.hand.api.fault = lambda request: looping.remove("a") if looping.catalog.get("shop/a") else None  # type: ignore[func-returns-value]  # remove returns nothing
    looping.turn()
    assert looping.evaluated() == ["shop/a"]
    assert looping.heard.gone_keys[-1] == "shop/a" and looping.loop._running == {}


def test_a_resource_made_anew_under_the_same_name_starts_afresh(looping: Looping) -> None:
    looping.put("a")
    looping.turn()
    first = looping.loop._running["shop/a"]
    looping.put("a", uid="anew")
    looping.turn()
    second = looping.loop._running["shop/a"]
    assert second is not first and second.workload.uid == "anew"


def test_a_resource_that_is_being_deleted_is_left_alone_and_no_failure(looping: Looping) -> None:
    looping.put("a", deleting=True)
    looping.loop._completed_s -= 1000.0
    looping.period()
    assert looping.evaluated() == [] and looping.loop.idle_s() < 10.0


def test_idle_time_ends_only_when_a_decision_is_completed(looping: Looping) -> None:
    slow = looping.lines["slow"]
    slow.at_once = False
    looping.put("a", load={"source": "slow"})
    looping.loop._completed_s -= 1000.0
    looping.period()
    assert looping.loop.idle_s() >= 1000.0, "being asked is not being answered"
    slow.catch_up()
    assert looping.loop.idle_s() < 10.0


def test_a_listener_that_fails_locks_no_workload_out(looping: Looping) -> None:
    looping.put("a")
    looping.heard.refuse = True
    looping.turn()
    looping.heard.refuse = False
    looping.period()
    assert looping.evaluated() == ["shop/a"]


def test_the_lead_time_is_the_one_in_use_else_as_configured(looping: Looping) -> None:
    looping.put("a", forecast={"leadTime": "90s"})
    found = looping.catalog.get("shop/a")
    assert found is not None
    assert looping.loop.lead_time_s(found) == 90.0
    for n in range(5, 8):
        looping.hand.pods_are("a", n)
        looping.turn()
    assert looping.loop.lead_time_s(found) == 30.0
    assert looping.loop.lead_time_s(workload("broken", maxReplicas=0)) == 0.0


@pytest.fixture
def started(looping: Looping) -> Iterator[Looping]:
    yield looping
    looping.loop.stop()


def test_the_clock_goes_on_after_a_slot_that_failed(
    started: Looping, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[int] = []
    enough = threading.Event()

    def turn(slot: int) -> None:
        turns.append(slot)
        if len(turns) == 7:
            enough.set()
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(started.loop, "_turn", turn)
    monkeypatch.setattr(started.loop, "_slot_s", 0.001)
    started.loop.start()
    assert enough.wait(PATIENCE_S)
    assert turns[:7] == [0, 1, 2, 3, 4, 0, 1]


def test_of_very_many_each_portion_is_written_before_the_next_is_looked_at(
    looping: Looping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autoscaler.controller.loop._AT_ONCE", 2)
    for number in range(20):
        looping.put(f"app-{number}")
    looping.period()
    sizes = [len(keys) for _, keys in looping.heard.evaluations]
    assert max(sizes) == 2
    assert set(looping.evaluated()) == {f"shop/app-{number}" for number in range(20)}


def test_those_short_of_pods_are_evaluated_first_and_nobody_is_left_out(
    looping: Looping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autoscaler.controller.loop._AT_ONCE", 1)
    names = [f"app-{number}" for number in range(40) if slot_of(f"uid-of-app-{number}", 5) == 0]
    for name in names:
        looping.put(name)
    looping.turn()
    looping.evaluated()
    short = names[-1]
    looping.hand.load_is(short, known(90.0))
    looping.turn()
    looping.heard.evaluations.clear()
    looping.turn()
    order = [key for _, keys in looping.heard.evaluations for key in keys]
    assert order[0] == f"shop/{short}"
    assert sorted(order) == sorted(f"shop/{name}" for name in names)
