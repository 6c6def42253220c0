"""Decisions as they are answered: in a line, in full, and decided again."""

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from pydantic.alias_generators import to_camel

from autoscaler.api.problems import Problem
from autoscaler.api.times import shown_time
from autoscaler.planning.decision import Change, Decision, Wish
from autoscaler.planning.explain import explain
from autoscaler.planning.policy import KnownEvent
from autoscaler.planning.record import Replay, replayed
from autoscaler.series import Reading
from autoscaler.store.rows import FoundDecision, WholeDecision

Json = dict[str, Any]


def summary(found: FoundDecision) -> Json:
    """A decision in a line."""
    namespace, _, name = found.workload.partition("/")
    return {
        "id": found.id,
        "at": shown_time(found.at_s),
        "namespace": namespace,
        "workload": name,
        "before": found.before,
        "after": found.after,
        "reasons": found.reasons,
        "outcome": found.outcome,
        "sentence": found.sentence,
    }


def in_full(whole: WholeDecision) -> Json:
    """A decision with everything it was made from. Raises Problem as `replay` does."""
    again = replay(whole)
    decision, policy = again.stored, again.policy
    observation, outlook = decision.observation, decision.outlook
    told = _reckoning(decision)
    # The count after all, overrides included, and the sentence are the summary's.
    del told["replicas"], told["sentence"]
    return {
        **summary(whole.summary),
        **told,
        "observation": {
            "load": _reading(observation.load),
            "current": observation.current,
            "ready": observation.ready,
            "signals": [
                {"name": signal.name, "type": signal.type, **_reading(reading)}
                for signal, reading in zip(policy.signals, observation.signals, strict=False)
            ],
        },
        "outlook": {
            "peak": _known(outlook.peak),
            "expected": _known(outlook.expected),
            "ageSeconds": _known(outlook.age_s),
            "model": outlook.model,
            "note": outlook.note,
        },
        "policy": _plain(policy),
    }


def decided_again(whole: WholeDecision) -> Json:
    """A stored decision beside what the present code decides. Raises Problem as `replay` does."""
    again = replay(whole)
    return {
        "same": again.same,
        "differences": [to_camel(name) for name in again.differences],
        "recomputed": _reckoning(again.recomputed),
    }


def replay(whole: WholeDecision) -> Replay:
    """Decide again. Raises Problem (409) for a record of a newer release, or one that cannot be read."""
    try:
        return replayed(whole.payload)
    except ValueError as error:
        raise Problem(
            HTTPStatus.CONFLICT, "NotReplayable", f"decision {whole.summary.id}: {error}"
        ) from error


def _reckoning(decision: Decision) -> Json:
    return {
        "wishes": [_wish(wish) for wish in decision.wishes],
        "wished": decision.wished,
        "changes": [_change(change) for change in decision.changes],
        "alerts": [_change(change) for change in decision.alerts],
        "replicas": decision.replicas,
        "sentence": explain(decision),
    }


def _wish(wish: Wish) -> Json:
    return {
        "source": wish.source,
        "replicas": wish.replicas,
        "value": _known(wish.value),
        "ageSeconds": _known(wish.age_s),
        "why": wish.why,
    }


def _change(change: Change) -> Json:
    return {
        "reason": change.reason,
        "before": change.before,
        "after": change.after,
        "inputs": {_named(name): _plain(value) for name, value in change.inputs},
    }


def _reading(reading: Reading) -> Json:
    return {
        "value": _known(reading.value),
        "state": reading.state,
        "ageSeconds": _known(reading.age_s),
        "detail": reading.detail,
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _plain(value: Any) -> Any:
    """Dataclasses as objects with camelCase names, the unknown as null."""
    match value:
        case float():
            return _known(value)
        case enum.Enum():
            return value.value
        case str():
            return value
        case Sequence():
            return [_plain(held) for held in value]
        case KnownEvent():
            times = {"start": shown_time(value.start_s), "end": shown_time(value.end_s)}
            return {"name": value.name, **times, "minReplicas": value.min_replicas or None}
        case _ if dataclasses.is_dataclass(value):
            return {
                _named(field.name): _plain(getattr(value, field.name)) for field in dataclasses.fields(value)
            }
        case _:
            return value


@lru_cache(1024)
def _named(name: str) -> str:
    """`cooldown_up_s` as `cooldownUpSeconds`."""
    return to_camel(f"{name.removesuffix('_s')}_seconds" if name.endswith("_s") else name)
