"""Rows as the values of columns: done once, before a row waits to be written, so that what waits is small."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import Any

from autoscaler.store.errors import RowError
from autoscaler.store.ids import id_number
from autoscaler.store.payload import fingerprint, packed
from autoscaler.store.rows import (
    Audited,
    DaySpend,
    DecisionMade,
    ForecastMade,
    ManifestKept,
    MemoryKept,
    Observed,
    Outcome,
    OverrideEnded,
    OverrideMade,
    Row,
    StateGone,
    StateKept,
    WorkloadSeen,
)


class Kind(enum.IntEnum):
    """Kinds of row, in the order in which one transaction writes them."""

    SEEN = 0
    DECISION = 1
    OUTCOME = 2
    MEMORY = 3
    OBSERVATION = 4
    FORECAST = 5
    SPEND = 6
    OVERRIDE = 7
    OVERRIDE_END = 8
    AUDIT = 9
    MANIFEST = 10
    STATE = 11


_OVERHEAD_BYTES = 600
"""Of Python's objects around one waiting row, as measured by tracemalloc, rounded up."""


@dataclass(frozen=True, slots=True)
class EncodedRow:
    """One row ready to be written. replaces: rows with the same non-empty value supersede each other."""

    kind: Kind
    workload: str
    values: dict[str, Any]
    replaces: str = ""

    @property
    def bytes(self) -> int:
        """Roughly what it takes in memory while it waits."""
        held = sum(len(value) for value in self.values.values() if isinstance(value, str | bytes))
        return _OVERHEAD_BYTES + held


def encoded(row: Row) -> EncodedRow:
    """Raises RowError if the row can never be stored: no such identifier, a payload that is not JSON."""
    try:
        kind, values, replaces = _values(row)
        workload = "" if isinstance(row, Audited) else _checked(row.workload)
    except (ValueError, TypeError, OverflowError, AttributeError) as error:
        raise RowError(f"{type(row).__name__}: {error}") from error
    return EncodedRow(kind, workload, values, replaces and f"{replaces} {workload}")


def _checked(workload: str) -> str:
    namespace, slash, name = workload.partition("/")
    if not (namespace and slash and name) or "/" in name:
        raise ValueError(f'a workload is "namespace/name", not {workload!r}')
    return workload


def _values(row: Row) -> tuple[Kind, dict[str, Any], str]:
    """Kind, columns, and what it replaces."""
    match row:
        case DecisionMade():
            return Kind.DECISION, _decision(row), ""
        case Outcome():
            return Kind.OUTCOME, {"decision": id_number(row.decision), "became": row.outcome}, ""
        case MemoryKept():
            return Kind.MEMORY, {"at_s": float(row.at_s), "payload": packed(row.payload)}, "memory"
        case Observed():
            return Kind.OBSERVATION, _observation(row), ""
        case ForecastMade():
            made = {"made_at_s": int(row.made_at_s), "payload": packed(row.payload)}
            return Kind.FORECAST, made, ""
        case DaySpend():
            return Kind.SPEND, {"day": row.day, "amount": float(row.amount)}, f"spend {row.day}"
        case WorkloadSeen():
            return Kind.SEEN, {"uid": row.uid, "at_s": row.at_s}, "seen"
        case StateKept() | StateGone() | ManifestKept():
            return _shown(row)
        case _:
            return *_rare(row), ""


def _shown(row: StateKept | StateGone | ManifestKept) -> tuple[Kind, dict[str, Any], str]:
    """What is shown of a workload, or (without a payload) that there is nothing more to show."""
    match row:
        case StateKept():
            return Kind.STATE, {"at_s": float(row.at_s), "payload": packed(row.payload)}, "state"
        case StateGone():
            return Kind.STATE, {"payload": None}, "state"
        case ManifestKept():
            return Kind.MANIFEST, {"at_s": float(row.at_s), "payload": packed(row.payload)}, "manifest"


def _rare(row: OverrideMade | OverrideEnded | Audited) -> tuple[Kind, dict[str, Any]]:
    """What people do, as against the loop."""
    match row:
        case OverrideMade():
            return Kind.OVERRIDE, {
                "id": id_number(row.id),
                "made_s": row.made_s,
                "expires_s": row.expires_s,
                "ended_s": row.ended_s,
                "made_by": row.made_by,
                "payload": packed(row.payload),
            }
        case OverrideEnded():
            return Kind.OVERRIDE_END, {"override": id_number(row.id), "at_s": row.at_s}
        case Audited():
            return Kind.AUDIT, {
                "id": id_number(row.id),
                "at_s": row.at_s,
                "actor": row.actor,
                "action": row.action,
                "target": row.target,
                "allowed": row.allowed,
                "payload": packed(row.payload),
            }


def _decision(row: DecisionMade) -> dict[str, Any]:
    shared = {key: row.payload[key] for key in sorted(row.shared) if key in row.payload}
    document = packed(shared) if shared else None
    return {
        "id": id_number(row.id),
        "at_s": float(row.at_s),
        "before": row.before,
        "after": row.after,
        "reasons": ",".join(row.reasons),
        "outcome": row.outcome,
        "sentence": row.sentence,
        "document_id": None if document is None else fingerprint(document),
        "document": document,
        "payload": packed({key: value for key, value in row.payload.items() if key not in shared}),
    }


def _observation(row: Observed) -> dict[str, Any]:
    return {
        "at_s": int(row.at_s),
        "load": None if math.isnan(row.load) else float(row.load),
        "ready": row.ready,
        "asked": row.asked,
    }
