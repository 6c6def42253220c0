"""Who else scales a target. Two writers fight; the one that comes second has to stop, and that is us.

Known rivals are read from the cluster: a HorizontalPodAutoscaler, KEDA's ScaledObject, another
PredictiveAutoscaler. A rival that shows only by what it does, as GitOps that resets the count, is
found in `foreign.py`.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autoscaler.controller.acting.dials import ORIGINAL, RAISED_BY
from autoscaler.controller.acting.targets import Target, scaled_by, target_of
from autoscaler.controller.observing.workload import Workload
from autoscaler.spec.resource import KIND, Floor


@dataclass(frozen=True, slots=True)
class Scaler:
    """Another autoscaler. owner: `kind/name` of what made it, empty where a person did.
    raised: the notes that we left on it while its minimum is raised."""

    kind: str
    namespace: str
    name: str
    target: Target
    owner: str = ""
    raised: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def parse_hpa(item: dict[str, Any]) -> Scaler:
    """A HorizontalPodAutoscaler as the API server sends it."""
    return _scaler("HorizontalPodAutoscaler", item)


def parse_scaled_object(item: dict[str, Any]) -> Scaler:
    """A ScaledObject as the API server sends it."""
    return _scaler("ScaledObject", item)


class Rivals:
    """All known autoscalers by target. Filled by the watching threads, asked by many."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scalers: dict[Target, dict[tuple[str, str], Scaler]] = defaultdict(dict)
        self._ours: dict[Target, dict[str, Workload]] = defaultdict(dict)

    def change_scaler(self, key: str, before: Scaler | None, after: Scaler | None) -> None:
        """Take note of another autoscaler that came, changed or went."""
        with self._lock:
            if before is not None:
                self._scalers[before.target].pop((before.kind, before.name), None)
                if not self._scalers[before.target]:
                    del self._scalers[before.target]
            if after is not None:
                self._scalers[after.target][after.kind, after.name] = after

    def change_workload(self, before: Workload | None, after: Workload | None) -> None:
        """Take note of one of our own resources."""
        with self._lock:
            if before is not None and before.spec is not None:
                target = target_of(before.namespace, before.spec.scale_target_ref)
                self._ours[target].pop(before.name, None)
                if not self._ours[target]:
                    del self._ours[target]
            if after is not None and after.spec is not None:
                self._ours[target_of(after.namespace, after.spec.scale_target_ref)][after.name] = after

    def of(self, workload: Workload) -> str:
        """The rival that keeps `workload` from writing, in words; empty when there is none.

        Of several of our own resources that would write, the oldest one does. The autoscaler whose floor is
        raised, and what belongs to it, is no rival.
        """
        spec = workload.spec
        if spec is None:
            return ""
        target = target_of(workload.namespace, spec.scale_target_ref)
        with self._lock:
            scalers = list(self._scalers.get(target, {}).values())
            ours = list(self._ours.get(target, {}).values())
        strangers = [scaler for scaler in scalers if not _belongs_to(scaler, spec.floor)]
        if strangers:
            # KEDA's own autoscaler is named last: the ScaledObject is what a person knows.
            return str(min(strangers, key=lambda s: (bool(s.owner), s.kind, s.name)))
        older = [other for other in ours if _writes(other) and _age(other) < _age(workload)]
        return f"{KIND} {min(older, key=_age).name}" if older else ""

    def raised(self) -> list[Scaler]:
        """Every autoscaler whose minimum carries our note."""
        with self._lock:
            return [s for known in self._scalers.values() for s in known.values() if RAISED_BY in s.raised]


def _age(workload: Workload) -> tuple[float, str]:
    return (workload.created_s, workload.name)


def _writes(workload: Workload) -> bool:
    return workload.spec is not None and workload.spec.mode in ("Active", "ScaleOutOnly")


def _belongs_to(scaler: Scaler, floor: Floor | None) -> bool:
    if floor is None:
        return False
    return (scaler.kind, scaler.name) == (
        floor.kind,
        floor.name,
    ) or scaler.owner == f"{floor.kind}/{floor.name}"


def _scaler(kind: str, item: dict[str, Any]) -> Scaler:
    metadata = item["metadata"]
    owners = metadata.get("ownerReferences") or []
    annotations = metadata.get("annotations") or {}
    namespace = metadata["namespace"]
    return Scaler(
        kind=kind,
        namespace=namespace,
        name=metadata["name"],
        target=scaled_by(kind, namespace, item.get("spec", {})),
        owner=f"{owners[0]['kind']}/{owners[0]['name']}" if owners else "",
        raised={name: annotations[name] for name in (ORIGINAL, RAISED_BY) if name in annotations},
    )
