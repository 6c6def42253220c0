"""KEDA's ScaledObject as a `Scaler`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from autoscaler.adoption.form import unread
from autoscaler.adoption.keda_form import ScaledObjectForm, ScaledObjectSpec
from autoscaler.adoption.keda_triggers import of_trigger
from autoscaler.adoption.remarks import Remark, kept, lost, no_need
from autoscaler.adoption.scaler import Demands, Scaler
from autoscaler.adoption.target import target_of
from autoscaler.spec.behavior import Behavior
from autoscaler.spec.problems import path_text

KIND = "ScaledObject"
VERSIONS = ("keda.sh/v1alpha1",)

_NOTES = "autoscaling.keda.sh/"
_TRUE = frozenset(("true", "1", "t"))


def from_scaled_object(form: ScaledObjectForm) -> Scaler:
    """What a ScaledObject scales, within which bounds, and on what grounds."""
    spec, metadata = form.spec, form.metadata
    target, remarks = target_of(spec.scale_target_ref, default_kind="Deployment")
    low, high = metadata.minimum(spec.min_replica_count), spec.max_replica_count
    remarks.append(kept("spec.minReplicaCount, spec.maxReplicaCount", f"{low} to {high} replicas"))
    behavior, said = _behavior(spec, metadata.annotations)
    paused, noted = _paused(metadata.annotations)
    reaches_zero = low == 0 or spec.idle_replica_count is not None
    demands = Demands()
    for index, trigger in enumerate(spec.triggers):
        demands += of_trigger(f"spec.triggers[{index}]", trigger, scales_to_zero=reaches_zero)
    if spec.advanced.scaling_modifiers:
        # The formula's own target counts then, and the thresholds of its triggers do not.
        demands = replace(demands, loads=tuple(replace(load, per_replica=None) for load in demands.loads))
    return Scaler(
        kind=KIND,
        namespace=metadata.namespace,
        name=metadata.name,
        target=target,
        min_replicas=low,
        max_replicas=high,
        behavior=behavior,
        demands=demands,
        paused=paused,
        remarks=(
            *remarks,
            *said,
            *noted,
            *_zero(spec, behavior, reaches_zero),
            *_settings(spec),
            *metadata.said(),
            *_unread(form),
        ),
    )


def _behavior(spec: ScaledObjectSpec, annotations: dict[str, str]) -> tuple[dict[str, Any], Iterator[Remark]]:
    """HPA's behavior as KEDA would write it: one-way pauses disable a direction."""
    config = spec.advanced.horizontal_pod_autoscaler_config
    behavior = dict(config.behavior)
    remarks = []
    for annotation, direction in (("paused-scale-in", "scaleDown"), ("paused-scale-out", "scaleUp")):
        if annotations.get(_NOTES + annotation, "") in _TRUE:
            behavior[direction] = {**behavior.get(direction, {}), "selectPolicy": "Disabled"}
            text = f"behavior.{direction}.selectPolicy is Disabled, as in KEDA: take it out with the pause"
            remarks.append(kept(f"metadata.annotations[{_NOTES}{annotation}]", text))
    text = "as written" if config.behavior else "none written: HPA v2's documented defaults hold here too"
    remarks.append(kept("spec.advanced.horizontalPodAutoscalerConfig.behavior", text))
    return behavior, iter(remarks)


def _paused(annotations: dict[str, str]) -> tuple[bool, Iterator[Remark]]:
    remarks = []
    count = annotations.get(_NOTES + "paused-replicas", "")
    paused = annotations.get(_NOTES + "paused", "") in _TRUE
    if paused:
        remarks.append(kept(f"metadata.annotations[{_NOTES}paused]", "mode Paused"))
    if count:
        text = f"mode Paused, which leaves the count as it is: here nothing brings it back to {count}"
        remarks.append(kept(f"metadata.annotations[{_NOTES}paused-replicas]", text))
    if annotations.get(_NOTES + "force-activation", "") in _TRUE:
        text = "has no counterpart: set minReplicas to 1 for as long as it is needed"
        remarks.append(lost(f"metadata.annotations[{_NOTES}force-activation]", text))
    return paused or bool(count), iter(remarks)


def _zero(spec: ScaledObjectSpec, behavior: dict[str, Any], reaches_zero: bool) -> Iterator[Remark]:
    """Going to 0 replicas and coming back."""
    idle = spec.idle_replica_count
    if idle is not None:
        text = (
            f"{idle} replicas while nothing is active has no counterpart: minReplicas always holds. "
            f"Set it to {idle} to go there when neither load nor forecast asks for more"
        )
        yield lost("spec.idleReplicaCount", text)
    if spec.min_replica_count == 0:
        text = "0 replicas only while the load and its forecast peak within the lead time are 0 as well"
        yield no_need("spec.minReplicaCount", text)
    window_s = Behavior.model_validate(behavior).scale_down.stabilization_window_seconds
    wait_s = spec.cooldown_period
    if reaches_zero and wait_s > window_s:
        text = (
            f"the last replica was kept for {wait_s} s after the last activity; here it goes after the "
            f"stabilization window of {window_s} s. To keep it, raise "
            "behavior.scaleDown.stabilizationWindowSeconds, which delays every removal"
        )
        yield lost("spec.cooldownPeriod", text)
    elif "cooldown_period" in spec.model_fields_set:
        why = f"the stabilization window of {window_s} s is as long" if reaches_zero else "never reaches 0"
        yield no_need("spec.cooldownPeriod", f"delays only the step to 0 replicas: {why}")


def _settings(spec: ScaledObjectSpec) -> Iterator[Remark]:
    if spec.fallback:
        text = (
            f"{spec.fallback.get('replicas')} replicas while a trigger fails have no counterpart: here what "
            "is unknown neither removes nor adds any. If what runs may be too little, raise minReplicas"
        )
        yield lost("spec.fallback", text)
    if spec.advanced.scaling_modifiers:
        text = (
            f"the formula {str(spec.advanced.scaling_modifiers.get('formula', '')).strip()!r} is not taken "
            "over: the largest of load, forecast and signals counts. Write the formula in PromQL as the load"
        )
        yield lost("spec.advanced.scalingModifiers", text)
    if spec.advanced.restore_to_original_replica_count:
        text = (
            "deleting the ScaledObject puts back the count from before it: set this to false before you "
            "delete it, or capacity drops at the switch"
        )
        yield lost("spec.advanced.restoreToOriginalReplicaCount", text)
    if spec.polling_interval is not None:
        yield no_need("spec.pollingInterval", "the operator has one period for all, 15 s by default")
    if spec.initial_cooldown_period is not None:
        yield no_need("spec.initialCooldownPeriod", "nothing is removed before a full window was observed")
    if spec.scale_target_ref.env_source_container_name:
        yield no_need("spec.scaleTargetRef.envSourceContainerName", "nothing reads variables of the target")
    if spec.advanced.horizontal_pod_autoscaler_config.name:
        yield no_need("spec.advanced.horizontalPodAutoscalerConfig.name", "there is no second autoscaler")


def _unread(form: ScaledObjectForm) -> Iterator[Remark]:
    for path in unread(form.spec, ("spec",)):
        yield lost(path_text(path), "is not known here, and not taken over")
