"""KEDA's ScaledObject as it is written.

Source of fields and defaults: KEDA documentation, "ScaledObject specification".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, Strict

from autoscaler.adoption.form import (
    BehaviorAsWritten,
    Form,
    LeastReplicas,
    Metadata,
    MostReplicas,
    Text,
    replicas_in_order,
)
from autoscaler.adoption.target import Target

_Seconds = Annotated[int, Strict(), Field(ge=0)]


class Trigger(Form):
    """One entry of `triggers`. metadata: what its type defines, all of it texts."""

    type: Annotated[str, Field(min_length=1)]
    name: str = ""
    metadata: dict[str, Text] = Field(default_factory=dict)
    metric_type: Literal["", "AverageValue", "Value", "Utilization"] = ""
    use_cached_metrics: bool = False
    authentication_ref: dict[str, Any] = Field(default_factory=dict)

    def get(self, name: str, default: str = "") -> str:
        """What the trigger's metadata say, without blanks around it."""
        return self.metadata.get(name, default).strip()


class HpaConfig(Form):
    """`advanced.horizontalPodAutoscalerConfig`."""

    name: str = ""
    behavior: BehaviorAsWritten = Field(default_factory=dict)


class Advanced(Form):
    """`advanced`."""

    restore_to_original_replica_count: bool = False
    horizontal_pod_autoscaler_config: HpaConfig = HpaConfig()
    scaling_modifiers: dict[str, Any] = Field(default_factory=dict)


class ScaledObjectSpec(Form):
    """`spec`."""

    scale_target_ref: Target
    min_replica_count: LeastReplicas = 0
    max_replica_count: MostReplicas = 100
    idle_replica_count: LeastReplicas | None = None
    polling_interval: _Seconds | None = None
    cooldown_period: _Seconds = 300
    initial_cooldown_period: _Seconds | None = None
    fallback: dict[str, Any] = Field(default_factory=dict)
    advanced: Advanced = Advanced()
    triggers: Annotated[tuple[Trigger, ...], Field(min_length=1)]

    def faults(self) -> Iterator[tuple[str, str]]:
        """The bounds must be in order."""
        names = ("minReplicaCount", "maxReplicaCount")
        return replicas_in_order(self.min_replica_count, self.max_replica_count, names)


class ScaledObjectForm(Form):
    """The whole object."""

    api_version: str
    kind: str
    metadata: Metadata
    spec: ScaledObjectSpec
