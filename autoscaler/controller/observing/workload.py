"""One PredictiveAutoscaler as the cluster holds it: what it asks for, or what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from autoscaler.controller.observing.shadow import ShadowPlan, shadow_plan
from autoscaler.planning.compile import compile_policy
from autoscaler.planning.policy import Policy
from autoscaler.spec.problems import explain, path_text
from autoscaler.spec.resource import API_VERSION, KIND, PredictiveAutoscaler, Spec
from autoscaler.spec.status import Status
from autoscaler.spec.units import parse_time

_MOST_PROBLEMS = 5
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True, slots=True)
class Workload:
    """A resource and its target, as one decision after the other sees them.

    key: `namespace/name`. manifest: as it was written, without what the cluster adds. spec and policy: of the
    newest valid spec, None when there never was one since this process began. problem: why the newest spec is
    not the one in force; empty when it is. status: as last written, None where it cannot be read. deleting:
    its removal has begun. shadow: the second policy of that spec, None where it has none.
    """

    namespace: str
    name: str
    uid: str
    resource_version: str
    generation: int
    created_s: float
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    manifest: Mapping[str, Any]
    resource: PredictiveAutoscaler | None
    policy: Policy | None
    problem: str
    status: Status | None
    deleting: bool
    shadow: ShadowPlan | None = None

    @property
    def key(self) -> str:
        """How everything refers to it."""
        return f"{self.namespace}/{self.name}"

    @property
    def spec(self) -> Spec | None:
        """What is asked for, if that is valid."""
        return self.resource.spec if self.resource is not None else None


def parse_workload(item: dict[str, Any]) -> Workload:
    """A PredictiveAutoscaler as the API server sends it. An invalid spec is a problem, never an exception."""
    metadata = item["metadata"]
    resource, problem = _resource(item)
    manifest = _manifest(item)
    return Workload(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata.get("resourceVersion", ""),
        generation=int(metadata.get("generation", 0)),
        created_s=parse_time(metadata["creationTimestamp"]) if metadata.get("creationTimestamp") else 0.0,
        labels=metadata.get("labels") or {},
        annotations=metadata.get("annotations") or {},
        manifest=manifest,
        resource=resource,
        policy=compile_policy(resource) if resource is not None else None,
        problem=problem,
        status=parse_status(item.get("status")),
        deleting="deletionTimestamp" in metadata,
        shadow=shadow_plan(manifest, resource) if resource is not None else None,
    )


def with_news(known: Workload, item: dict[str, Any]) -> Workload:
    """A resource as it is sent once more with the spec that is known."""
    metadata = item["metadata"]
    return replace(
        known,
        resource_version=metadata.get("resourceVersion", ""),
        labels=metadata.get("labels") or {},
        annotations=metadata.get("annotations") or {},
        manifest=_manifest(item),
        status=parse_status(item.get("status")),
        deleting="deletionTimestamp" in metadata,
    )


def superseding(before: Workload | None, after: Workload) -> Workload:
    """`after`, with the last valid spec of the same object still in force where its own is not valid."""
    if before is None or before.uid != after.uid or after.resource is not None:
        return after
    return replace(after, resource=before.resource, policy=before.policy, shadow=before.shadow)


def _manifest(item: dict[str, Any]) -> dict[str, Any]:
    metadata = item["metadata"]
    annotations = {key: text for key, text in (metadata.get("annotations") or {}).items() if key != _APPLIED}
    written = {
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "labels": metadata.get("labels"),
        "annotations": annotations,
    }
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {key: value for key, value in written.items() if value},
        "spec": item.get("spec"),
    }


def _resource(item: dict[str, Any]) -> tuple[PredictiveAutoscaler | None, str]:
    written = {key: value for key, value in item.items() if key != "status"}
    try:
        return PredictiveAutoscaler.model_validate(written), ""
    except ValidationError as error:
        faults = [f"{path_text(path)}: {message}" for path, message in explain(error, {})]
        more = f"; and {len(faults) - _MOST_PROBLEMS} more" if len(faults) > _MOST_PROBLEMS else ""
        return None, "; ".join(faults[:_MOST_PROBLEMS]) + more


def parse_status(written: Any) -> Status | None:
    """A status as the API server sends it; None where there is none or it cannot be read."""
    if not written:
        return None
    try:
        return Status.model_validate(written)
    except ValidationError:
        # Only ever a help in recovering what we knew; a status somebody else broke is no help.
        return None
