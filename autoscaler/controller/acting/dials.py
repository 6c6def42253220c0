"""What a decision turns: a target's scale, or the minimum of the autoscaler that keeps the target.

Both are read fresh for every decision and written under the version that was read, so that a
count somebody else has changed meanwhile is never overwritten: the API server answers 409.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from autoscaler.controller.acting.targets import Target, scaled_by, target_of
from autoscaler.controller.cluster.connection import Cluster
from autoscaler.controller.cluster.discovery import Discovery
from autoscaler.controller.cluster.errors import ClusterError
from autoscaler.spec.resource import GROUP, Floor, TargetRef

ORIGINAL = f"{GROUP}/original-minimum"
RAISED_BY = f"{GROUP}/raised-by"

FLOORS = {
    "HorizontalPodAutoscaler": ("autoscaling/v2", "minReplicas", "maxReplicas", 1, 2**31 - 1),
    "ScaledObject": ("keda.sh/v1alpha1", "minReplicaCount", "maxReplicaCount", 0, 100),
}
"""API version, names of the bounds, and what they are where they are left out."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The count as it stands, and what identifies it.

    uid and resource_version: of what is written to. selector: of the target's pods, empty where
    the target gives none. least, most: bounds that the dial itself has, None without any.
    """

    uid: str
    resource_version: str
    replicas: int
    selector: str
    least: int | None = None
    most: int | None = None


class ScalesSomethingElse(ClusterError):
    """The autoscaler whose minimum is to be raised does not scale the resource's target."""

    def __init__(self, kind: str, name: str, scaled: Target, wanted: Target, path: str) -> None:
        super().__init__(0, "", f"{kind} {name} scales {_named(scaled)}, not {_named(wanted)}", path)


class Dial(Protocol):
    """Reads and writes one count. Both raise ClusterError."""

    def read(self, timeout_s: float) -> Setting:
        """The count now."""
        ...

    def write(self, setting: Setting, replicas: int, timeout_s: float) -> None:
        """Ask for `replicas`, provided that everything still is as in `setting`."""
        ...


@dataclass(frozen=True, slots=True)
class ScaleDial:
    """The `scale` subresource of the target, and nothing else of it."""

    cluster: Cluster
    path: str

    def read(self, timeout_s: float) -> Setting:
        """The count last asked for (`spec.replicas`), never the number of pods there are."""
        scale = self.cluster.get(self.path, timeout_s=timeout_s)
        metadata = scale["metadata"]
        return Setting(
            uid=metadata["uid"],
            resource_version=metadata["resourceVersion"],
            replicas=int(scale.get("spec", {}).get("replicas", 0)),
            selector=scale.get("status", {}).get("selector", ""),
        )

    def write(self, setting: Setting, replicas: int, timeout_s: float) -> None:
        """One conditional patch."""
        body = {"metadata": _unchanged(setting), "spec": {"replicas": replicas}}
        self.cluster.patch(self.path, body, timeout_s=timeout_s)


@dataclass(frozen=True, slots=True)
class FloorDial:
    """The minimum of an autoscaler. target: what it has to scale. scale: of that, read only."""

    cluster: Cluster
    path: str
    kind: str
    name: str
    raised_by: str
    target: Target
    scale: ScaleDial

    def read(self, timeout_s: float) -> Setting:
        """The minimum now; `least` is what it was before we first raised it.

        Raises ScalesSomethingElse where the autoscaler has another target: its minimum is not for this load.
        """
        pods = self.scale.read(timeout_s)
        scaler = self.cluster.get(self.path, timeout_s=timeout_s)
        metadata, spec = scaler["metadata"], scaler.get("spec", {})
        scaled = scaled_by(self.kind, self.target[0], spec)
        if scaled != self.target:
            raise ScalesSomethingElse(self.kind, self.name, scaled, self.target, self.path)
        _, minimum, maximum, least, most = FLOORS[self.kind]
        now = int(spec.get(minimum, least))
        return Setting(
            uid=metadata["uid"],
            resource_version=metadata["resourceVersion"],
            replicas=now,
            selector=pods.selector,
            least=original_minimum(metadata.get("annotations") or {}, now),
            most=int(spec.get(maximum, most)),
        )

    def write(self, setting: Setting, replicas: int, timeout_s: float) -> None:
        """Raise the minimum and note on the object what it was, or put it back and take the note away."""
        raised = setting.least is not None and replicas > setting.least
        notes = {ORIGINAL: str(setting.least), RAISED_BY: self.raised_by}
        annotations = notes if raised else dict.fromkeys(notes)
        body = {
            "metadata": {**_unchanged(setting), "annotations": annotations},
            "spec": {FLOORS[self.kind][1]: replicas},
        }
        self.cluster.patch(self.path, body, timeout_s=timeout_s)


def original_minimum(annotations: Mapping[str, str], now: int) -> int:
    """The minimum before it was first raised; `now` where it is not raised."""
    noted = annotations.get(ORIGINAL, "")
    return min(int(noted), now) if noted.isascii() and noted.isdigit() and len(noted) < 11 else now


def dial_for(
    cluster: Cluster, discovery: Discovery, namespace: str, name: str, target: TargetRef, floor: Floor | None
) -> Dial:
    """What the resource `name` turns. Raises UnknownTarget or ClusterError."""
    path = discovery.scale_path(target.api_version, target.kind, namespace, target.name)
    scale = ScaleDial(cluster, path)
    if floor is None:
        return scale
    path = discovery.object_path(FLOORS[floor.kind][0], floor.kind, namespace, floor.name)
    return FloorDial(cluster, path, floor.kind, floor.name, name, target_of(namespace, target), scale)


def _named(target: Target) -> str:
    _, group, kind, name = target
    return f"{kind}.{group} {name}" if group else f"{kind} {name}"


def _unchanged(setting: Setting) -> dict[str, Any]:
    return {"uid": setting.uid, "resourceVersion": setting.resource_version}
