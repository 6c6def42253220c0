"""A HorizontalPodAutoscaler as a `Scaler`."""

from __future__ import annotations

from collections.abc import Iterator

from autoscaler.adoption.form import unread
from autoscaler.adoption.hpa_form import HpaForm
from autoscaler.adoption.hpa_metrics import of_metrics
from autoscaler.adoption.remarks import Remark, kept, lost
from autoscaler.adoption.scaler import Scaler
from autoscaler.adoption.target import target_of
from autoscaler.spec.problems import path_text

KIND = "HorizontalPodAutoscaler"
VERSIONS = ("autoscaling/v2", "autoscaling/v2beta2", "autoscaling/v1")

_HIDDEN = ("autoscaling.alpha.kubernetes.io/metrics", "autoscaling.alpha.kubernetes.io/behavior")
"""Where version v1 carries what it has no fields for."""


def from_hpa(form: HpaForm) -> Scaler:
    """What a HorizontalPodAutoscaler scales, within which bounds, and on what grounds."""
    spec, metadata = form.spec, form.metadata
    target, remarks = target_of(spec.scale_target_ref)
    low, high = metadata.minimum(spec.min_replicas), spec.max_replicas
    remarks.append(kept("spec.minReplicas, spec.maxReplicas", f"{low} to {high} replicas"))
    text = "as written" if spec.behavior else "none written: HPA v2's documented defaults hold here too"
    remarks.append(kept("spec.behavior", text))
    return Scaler(
        kind=KIND,
        namespace=metadata.namespace,
        name=metadata.name,
        target=target,
        min_replicas=low,
        max_replicas=high,
        behavior=spec.behavior,
        demands=of_metrics(spec, metadata.namespace),
        remarks=(*remarks, *metadata.said(), *_unread(form)),
    )


def maker_of(form: HpaForm) -> str:
    """Name of the ScaledObject that KEDA made this autoscaler from; empty if it made none."""
    for owner in form.metadata.owner_references:
        if owner.get("kind") == "ScaledObject":
            return str(owner.get("name", ""))
    return form.metadata.labels.get("scaledobject.keda.sh/name", "")


def _unread(form: HpaForm) -> Iterator[Remark]:
    for path in unread(form.spec, ("spec",)):
        yield lost(path_text(path), "is not known here, and not taken over")
    for name in _HIDDEN:
        if name in form.metadata.annotations:
            text = (
                "is not read: export the object in version v2, "
                "as `kubectl get hpa.v2.autoscaling NAME -o yaml` does"
            )
            yield lost(f"metadata.annotations[{name}]", text)
