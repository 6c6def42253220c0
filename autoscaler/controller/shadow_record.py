"""What a status keeps of a comparison, for where no store has it: the sums, not the simulated pods."""

from __future__ import annotations

import json
import math
from typing import Any

from autoscaler.controller.shadowing import ShadowMemory
from autoscaler.planning.contest.standing import Stage, Standing
from autoscaler.planning.contest.tally import Side, Span
from autoscaler.spec.status import ShadowStatus

_LONGEST = 4096


def record_of(memory: ShadowMemory) -> str:
    """At most 4096 characters; the oldest spans are left out where there are too many."""
    spans = memory.contest.spans if memory.contest is not None else memory.spans
    rows = [_row(span) for span in spans]
    while True:
        whole = {"shadow": memory.identity, "policies": memory.comparison, "spans": rows}
        text = json.dumps(whole, separators=(",", ":"))
        if len(text) <= _LONGEST:
            return text
        rows = rows[1:]


def from_status(status: ShadowStatus) -> ShadowMemory | None:
    """What a status remembers of a shadow; None where somebody else wrote its record."""
    try:
        written: dict[str, Any] = json.loads(status.record)
        identity, comparison = written["shadow"], written["policies"]
        spans = tuple(_span(row) for row in written["spans"])
    except (ValueError, TypeError, KeyError):
        return None
    if not isinstance(identity, str) or not isinstance(comparison, str):
        return None
    return ShadowMemory(identity, comparison, Standing(Stage(status.stage), status.stage_time), spans=spans)


def newer(stored: ShadowMemory | None, told: ShadowMemory | None) -> ShadowMemory | None:
    """What goes on: what a store remembers, unless the status knows of later, as after another leader whose
    store is not ours. None where neither remembers anything."""
    if stored is None or told is None:
        return stored or told
    return told if _latest_s(told) > _latest_s(stored) else stored


def _latest_s(memory: ShadowMemory) -> float:
    """When something last came of it, as far as it can be seen, in whole seconds as a status has them."""
    looked_s = memory.contest.at_s if memory.contest is not None else 0.0
    spans_s = (span.start_s for span in memory.spans)
    return float(int(max(looked_s, memory.standing.since_s, *spans_s)))


def _row(span: Span) -> list[float]:
    sides = (figure for side in (span.own, span.shadow, span.actual) for figure in _figures(side))
    return [round(span.start_s, 3), *(float(f"{x:.7g}") for x in (span.counted_s, span.load, *sides))]


def _figures(side: Side) -> tuple[float, float]:
    return side.replica_s, side.unserved


def _span(row: list[Any]) -> Span:
    """Raises ValueError or TypeError for what `_row` has not made."""
    numbers = [float(number) for number in row]
    if not all(math.isfinite(number) and number >= 0.0 for number in numbers):
        raise ValueError("a sum that is no amount")
    start_s, counted_s, load, *sides = numbers
    own, shadow, actual = (Side(*sides[at : at + 2]) for at in (0, 2, 4))
    return Span(start_s, counted_s, load, own, shadow, actual)
