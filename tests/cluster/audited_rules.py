"""What must hold of all that was asked of Deployments, whoever died; numbers as in docs/invariants.md.

Judged from what an observer saw, from what passed on the way to the API server and to Prometheus, and from
what the store keeps.
"""

from __future__ import annotations

import itertools
import json
import math
import time
from collections.abc import Callable, Iterator

from audit import Count
from http_proxy import Exchange
from random_kills import ADDED, LEAST, MOST, PER_REPLICA, PERIOD_S, REMOVED, WINDOW_S, Seen

from autoscaler.planning.record import replayed
from autoscaler.store.store import Store

_SLACK_S = 1.5
"""By which the observer may see later than the operator decided, and the operator than the load changed."""


def broken(seen: Seen) -> list[str]:
    """Each rule that was broken, in words."""
    rules: list[Callable[[Seen], Iterator[str]]] = [
        _one_writer,
        _conditional,
        _only_what_was_written,
        _recorded,
        _untouched,
        _bounds_and_rates,
        _served,
    ]
    return [f"seed {seen.seed}: {told}" for rule in rules for told in rule(seen)]


def _one_writer(seen: Seen) -> Iterator[str]:
    writers = [
        f"{replica}.{sum(d.replica == replica and d.ended_s < write.asked.at_s for d in seen.deaths)}"
        for replica, write in _writes(seen)
    ]
    reigns = [writer for writer, _ in itertools.groupby(writers)]
    if len(set(reigns)) < len(reigns):
        yield f"I21: a process wrote again after another had begun: {reigns}"


def _conditional(seen: Seen) -> Iterator[str]:
    for _, write in _writes(seen):
        if not {"uid", "resourceVersion"} <= set(json.loads(write.asked.body)["metadata"]):
            yield f"I23: a write without uid or version: {write.asked.body!r}"


def _only_what_was_written(seen: Seen) -> Iterator[str]:
    """A write of which no answer came may have been carried out or not."""
    counts = seen.audit.counts("web")
    at = 0
    for _, write in _writes(seen):
        asked = json.loads(write.asked.body)["spec"]["replicas"]
        if at + 1 < len(counts) and counts[at + 1] == asked:
            at += 1
        elif write.status == 200 and counts[at] != asked:
            yield f"I23: {asked} was written and not seen after {counts[: at + 1]}"
    if at + 1 < len(counts):
        yield f"I21: counts {counts} from the {at + 1}th on were written by nobody we know of"


def _recorded(seen: Seen) -> Iterator[str]:
    store = Store.open(seen.store)
    try:
        page = store.decisions(workload=f"{seen.namespace}/web", limit=500)
        decisions = sorted(page.decisions, key=lambda one: one.at_s)
        wall_s = time.time() - time.monotonic()
        for before, after in itertools.pairwise(seen.audit.history("web")):
            decided = [
                one
                for one in decisions
                if (one.before, one.after) == (before.replicas, after.replicas)
                and -_SLACK_S <= after.at_s + wall_s - one.at_s <= 5.0
            ]
            if not decided:
                yield f"I22: {before.replicas} became {after.replicas} without a record"
                continue
            whole = store.decision(decided[-1].id)
            if whole is None or not replayed(whole.payload).same:
                yield f"I22: the record {decided[-1].id} does not give the same decision again"
    finally:
        store.close()


def _untouched(seen: Seen) -> Iterator[str]:
    for name in seen.untouched:
        if seen.audit.counts(name) != [seen.still]:
            yield f"I24, I25, I26: {name} was scaled: {seen.audit.counts(name)}"


def _bounds_and_rates(seen: Seen) -> Iterator[str]:
    history = seen.audit.history("web")
    for count in history:
        if not LEAST <= count.replicas <= MOST:
            yield f"I1: {count.replicas} replicas"
    for before, after in itertools.pairwise(history):
        starts = [_at(history, after.at_s - PERIOD_S + slack_s) for slack_s in (-_SLACK_S, 0.0, _SLACK_S)]
        if after.replicas > max(starts) + ADDED or after.replicas < min(starts) - REMOVED:
            yield f"I4: {before.replicas} became {after.replicas}, {starts[1]} being {PERIOD_S:g} s before"


def _at(history: list[Count], at_s: float) -> int:
    return next((c.replicas for c in reversed(history) if c.at_s <= at_s), history[0].replicas)


def _served(seen: Seen) -> Iterator[str]:
    """What was observed within the scale-down window is still served, also where its observer has died."""
    observed = _observed(seen)
    for before, after in itertools.pairwise(seen.audit.history("web")):
        from_s, until_s = after.at_s - WINDOW_S + _SLACK_S, after.at_s - 0.5
        needed = [math.ceil(load / PER_REPLICA) for at_s, load in observed if from_s < at_s < until_s]
        if after.replicas < before.replicas and after.replicas < min(before.replicas, max(needed, default=0)):
            yield (
                f"I5, I15, I20: {before.replicas} became {after.replicas}, {max(needed)} being needed "
                f"within {WINDOW_S:g} s"
            )


def _observed(seen: Seen) -> list[tuple[float, float]]:
    """When the load was read by a process that lived to remember it, and what it was then at least."""
    asked_s = [
        exchange.asked.at_s
        for exchange in seen.queries
        if exchange.status == 200
        and not any(0.0 < death.ended_s - exchange.asked.at_s < _SLACK_S for death in seen.deaths)
    ]
    return [(at_s, _least_load(seen, at_s)) for at_s in asked_s]


def _least_load(seen: Seen, at_s: float) -> float:
    """Of the moments before, as a sample takes its time to be found."""
    then = [level for since_s, level in seen.levels if since_s <= at_s - _SLACK_S]
    return min(
        [*then[-1:], *(level for since_s, level in seen.levels if 0.0 <= at_s - since_s < _SLACK_S)],
        default=0.0,
    )


def _writes(seen: Seen) -> list[tuple[int, Exchange]]:
    """Attempts to write a count that may have been carried out, and by which replica, in order."""
    found = [
        (replica, exchange)
        for replica, exchanges in enumerate(seen.exchanges)
        for exchange in exchanges
        if exchange.asked.method == "PATCH"
        and exchange.asked.path.endswith("/scale")
        and exchange.status in (0, 200)
    ]
    return sorted(found, key=lambda one: one[1].asked.at_s)
