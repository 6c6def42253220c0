"""The fleet follows the store, and says so when it cannot."""

from __future__ import annotations

import queue
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from workload_state import NOON_S, state

from autoscaler.api.fleet import Fleet
from autoscaler.api.snapshot import Sort, sort_key
from autoscaler.store.errors import StoreError
from autoscaler.store.rows import StateKept


class States:
    """States by workload, with the clock that marks them."""

    def __init__(self) -> None:
        self.rows: dict[str, StateKept] = {}
        self.wall_s = 1000.0
        self.fault: StoreError | None = None
        self.asked: list[float | None] = []

    def put(self, workload: str, at_s: float = NOON_S, **parts: Any) -> None:
        namespace, _, name = workload.partition("/")
        payload = state(namespace=namespace, name=name, **parts)
        self.rows[workload] = StateKept(workload, at_s, payload, self.wall_s)

    def states(
        self,
        changed_since_s: float | None = None,
        known: Mapping[str, tuple[float, float | None]] | None = None,
    ) -> list[StateKept]:
        self.asked.append(changed_since_s)
        if self.fault is not None:
            raise self.fault
        since_s = float("-inf") if changed_since_s is None else changed_since_s
        news = [
            row for row in self.rows.values() if (known or {}).get(row.workload) != (row.at_s, row.changed_s)
        ]
        return [row for row in news if row.changed_s is not None and row.changed_s >= since_s]

    def state_keys(self) -> frozenset[str]:
        return frozenset(self.rows)


class World:
    """A fleet, what it reads, and its clocks."""

    def __init__(self) -> None:
        self.states = States()
        self.now_s = NOON_S
        self.steady_s = 0.0
        self.fleet = Fleet(self.states, lambda: self.now_s, lambda: self.steady_s)

    def after(self, seconds: float) -> frozenset[str]:
        """Look again so much later; what changed."""
        self.now_s += seconds
        self.steady_s += seconds
        self.states.wall_s += seconds
        return self.fleet.refresh()

    @property
    def names(self) -> list[str]:
        return [entry.workload for entry in self.fleet.snapshot.ordered(Sort.NAME)]


@pytest.fixture
def world() -> World:
    return World()


def test_a_new_workload_is_seen_at_the_next_look(world: World) -> None:
    world.states.put("shop/cart")
    assert world.after(0) == {"shop/cart"}
    world.states.put("pay/cards")
    assert world.after(1) == {"pay/cards"}
    assert world.names == ["pay/cards", "shop/cart"]
    assert world.fleet.snapshot.namespaces == {"pay", "shop"}


def test_a_look_that_finds_nothing_new_leaves_the_snapshot(world: World) -> None:
    world.states.put("shop/cart")
    world.after(0)
    before = world.fleet.snapshot
    assert world.after(1) == frozenset()
    assert world.fleet.snapshot is before


def test_a_changed_state_replaces_the_old_one(world: World) -> None:
    world.states.put("shop/cart")
    world.after(0)
    before = world.fleet.snapshot
    world.states.put("shop/cart", NOON_S + 1, mode="Paused")
    assert world.after(1) == {"shop/cart"}
    entry = world.fleet.snapshot.entries["shop/cart"]
    assert entry.state["mode"] == "Paused"
    assert orjson.loads(orjson.dumps(entry.shown))["mode"] == "Paused"
    assert before.entries["shop/cart"].state["mode"] == "Active", "a snapshot never changes"


def test_only_what_changed_lately_is_asked_for(world: World) -> None:
    world.states.put("shop/cart")
    world.after(0)
    world.after(1)
    assert world.states.asked[0] is None
    assert world.states.asked[1] is not None and world.states.asked[1] > 990.0


def test_a_workload_that_is_gone_disappears_within_seconds(world: World) -> None:
    world.states.put("shop/cart")
    world.states.put("shop/search")
    world.after(0)
    del world.states.rows["shop/cart"]
    changed = [world.after(1) for _ in range(6)]
    assert frozenset({"shop/cart"}) in changed
    assert world.names == ["shop/search"]


def test_a_row_of_a_clock_that_is_behind_is_found_within_a_minute(world: World) -> None:
    world.states.put("shop/cart")
    world.after(0)
    world.states.wall_s -= 500.0
    world.states.put("shop/search")
    world.states.wall_s += 500.0
    for _ in range(61):
        world.after(1)
    assert world.names == ["shop/cart", "shop/search"]


def test_a_workload_nobody_decides_for_turns_stale_by_itself(world: World) -> None:
    world.states.put("shop/cart")
    world.after(0)
    assert world.after(299) == frozenset()
    assert world.after(2) == {"shop/cart"}
    assert world.fleet.snapshot.entries["shop/cart"].health.problems == ("Stale",)
    assert world.after(1) == frozenset(), "it turns stale once"


def test_a_store_that_fails_leaves_what_is_known_and_says_since_when(world: World) -> None:
    world.states.put("shop/cart")
    world.after(0)
    world.states.fault = StoreError("locked")
    assert world.after(1) == frozenset()
    assert world.fleet.snapshot.outdated_since_s is None, "one failure is nothing to speak of"
    world.after(10)
    assert world.fleet.snapshot.outdated_since_s == NOON_S
    assert world.names == ["shop/cart"]
    world.states.fault = None
    world.after(1)
    assert world.fleet.snapshot.outdated_since_s is None


def test_a_store_that_does_not_answer_makes_what_is_shown_old_meanwhile(world: World) -> None:
    world.states.put("shop/cart")
    world.after(0)
    looks = world.fleet.looks
    asked = world.states.states

    def hanging(*question: Any) -> list[StateKept]:
        world.steady_s += 4.0
        assert world.fleet.snapshot.outdated_since_s is None, "it may only be slow"
        world.steady_s += 1.0
        assert world.fleet.looks > looks, "nothing of before is answered again"
        assert world.fleet.snapshot.outdated_since_s == NOON_S
        assert world.names == ["shop/cart"]
        return asked(*question)

    world.states.states = hanging  # type: ignore[method-assign]  # for one look
    world.after(1)
    assert world.fleet.snapshot.outdated_since_s is None


def test_before_the_first_reading_nothing_was_read(world: World) -> None:
    world.states.fault = StoreError("unreachable")
    world.after(0)
    assert world.fleet.unread == "the store has not been read yet"
    assert world.fleet.snapshot.outdated_since_s is not None
    world.states.fault = None
    world.after(1)
    assert world.fleet.unread == ""


def test_a_state_that_cannot_be_understood_hides_no_other(world: World) -> None:
    world.states.put("shop/cart", replicas="many")
    world.states.put("shop/search")
    world.after(0)
    assert world.names == ["shop/search"]


def test_orders_put_the_largest_first_and_the_unknown_last(world: World) -> None:
    world.states.put("a/one", load={"value": 5.0}, replicas={"current": 3}, spend={"today": "1"})
    world.states.put("a/two", load={"value": 7.0}, replicas={"current": None}, spend={"today": "3"})
    world.states.put("b/one", load=None, replicas={"current": 9}, spend=None)
    world.after(0)

    def ordered(sort: Sort) -> list[str]:
        return [entry.workload for entry in world.fleet.snapshot.ordered(sort)]

    assert ordered(Sort.LOAD) == ["a/two", "a/one", "b/one"]
    assert ordered(Sort.REPLICAS) == ["b/one", "a/one", "a/two"]
    assert ordered(Sort.SPEND) == ["a/two", "a/one", "b/one"]
    assert ordered(Sort.NAME) == ["a/one", "a/two", "b/one"]
    assert ordered(Sort.WORST)[0] == "b/one"


@pytest.mark.parametrize("sort", Sort)
def test_an_order_goes_on_after_any_of_its_entries(world: World, sort: Sort) -> None:
    for number in range(12):
        world.states.put(f"shop/w{number}", load={"value": float(number % 3)})
    world.after(0)
    entries = list(world.fleet.snapshot.ordered(sort))
    for at, entry in enumerate(entries):
        assert list(world.fleet.snapshot.ordered(sort, sort_key(entry, sort))) == entries[at + 1 :]


def test_the_thread_goes_on_after_a_listener_fails() -> None:
    states = States()
    states.put("shop/cart")
    fleet = Fleet(states, lambda: NOON_S)
    heard: queue.Queue[frozenset[str]] = queue.Queue()

    def listener(changed: frozenset[str]) -> None:
        heard.put(changed)
        raise RuntimeError("a fault of this test")

    fleet.listen(listener)
    fleet.start()
    try:
        assert heard.get(timeout=30) == {"shop/cart"}
        assert heard.get(timeout=30) == frozenset()
    finally:
        fleet.stop()
