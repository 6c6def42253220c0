"""Rows as the tests need them."""

from __future__ import annotations

from typing import Any

from autoscaler.store.ids import new_id
from autoscaler.store.rows import DecisionMade, MemoryKept, Observed, StateKept

START_S = 1_700_000_000.0
WORKLOAD = "shop/checkout"


def decision(at_s: float = START_S, workload: str = WORKLOAD, **changes: Any) -> DecisionMade:
    """A decision made at that time."""
    plain: dict[str, Any] = {
        "workload": workload,
        "id": new_id(at_s),
        "at_s": at_s,
        "before": 3,
        "after": 5,
        "reasons": ("ScaleUpLimit",),
        "sentence": "Scale out from 3 to 5.",
        "payload": {"v": 1, "at": at_s},
        "outcome": "decided",
    }
    return DecisionMade(**plain | changes)


def memory(at_s: float = START_S, workload: str = WORKLOAD) -> MemoryKept:
    """A memory that tells when it is from."""
    return MemoryKept(workload, at_s, {"v": 1, "at": at_s})


def state(at_s: float = START_S, workload: str = WORKLOAD) -> StateKept:
    """A state that tells when it is from."""
    return StateKept(workload, at_s, {"at": at_s})


def observed(at_s: float = START_S, workload: str = WORKLOAD, load: float = 100.0) -> Observed:
    """An observation of that load."""
    return Observed(workload, at_s, load, ready=3, asked=5)
