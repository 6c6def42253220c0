"""The HorizontalPodAutoscaler as it is written: autoscaling/v2, v2beta2 and v1.

Source of fields, defaults and limits: Kubernetes API reference.
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

_Percent = Annotated[int, Strict(), Field(ge=1)]


class HpaTarget(Target):
    """`scaleTargetRef`, whose kind is required here."""

    kind: str


class Aim(Form):
    """`target` of a metric."""

    type: Literal["Utilization", "Value", "AverageValue"]
    value: Text = ""
    average_value: Text = ""
    average_utilization: _Percent | None = None

    def faults(self) -> Iterator[tuple[str, str]]:
        """The amount that belongs to the type must be there."""
        if self.type == "Utilization" and self.average_utilization is None:
            yield "averageUtilization", "is required with type Utilization: add it"
        if self.type == "AverageValue" and not self.average_value:
            yield "averageValue", "is required with type AverageValue: add it"
        if self.type == "Value" and not self.value:
            yield "value", "is required with type Value: add it"


class Selector(Form):
    """Which series of a metric."""

    match_labels: dict[str, Text] = Field(default_factory=dict)
    match_expressions: tuple[dict[str, Any], ...] = ()


class Identifier(Form):
    """`metric`: its name and selector."""

    name: Annotated[str, Field(min_length=1)]
    selector: Selector = Selector()


class DescribedObject(Form):
    """The object that a metric of type Object is about."""

    api_version: str = ""
    kind: Annotated[str, Field(min_length=1)]
    name: Annotated[str, Field(min_length=1)]


class OfResource(Form):
    """`resource` and `containerResource`."""

    name: Annotated[str, Field(min_length=1)]
    container: str = ""
    target: Aim


class OfMetric(Form):
    """`pods`, `external` and `object`."""

    metric: Identifier
    target: Aim
    described_object: DescribedObject | None = None


_FIELDS = {
    "Resource": "resource",
    "ContainerResource": "container_resource",
    "Pods": "pods",
    "Object": "object",
    "External": "external",
}


class Metric(Form):
    """One entry of `metrics`."""

    type: Literal["Resource", "ContainerResource", "Pods", "Object", "External"]
    resource: OfResource | None = None
    container_resource: OfResource | None = None
    pods: OfMetric | None = None
    object: OfMetric | None = None
    external: OfMetric | None = None

    @property
    def content(self) -> OfResource | OfMetric:
        """What the type says is there."""
        found: OfResource | OfMetric = getattr(self, _FIELDS[self.type])
        return found

    def faults(self) -> Iterator[tuple[str, str]]:
        """What the type says must be there."""
        name = _FIELDS[self.type]
        if getattr(self, name) is None:
            yield type(self).model_fields[name].alias or name, f"is required with type {self.type}: add it"


class HpaSpec(Form):
    """`spec`."""

    scale_target_ref: HpaTarget
    min_replicas: LeastReplicas = 1
    max_replicas: MostReplicas
    metrics: tuple[Metric, ...] = ()
    behavior: BehaviorAsWritten = Field(default_factory=dict)
    target_cpu: Annotated[_Percent | None, Field(alias="targetCPUUtilizationPercentage")] = None

    def faults(self) -> Iterator[tuple[str, str]]:
        """The bounds must be in order."""
        return replicas_in_order(self.min_replicas, self.max_replicas, ("minReplicas", "maxReplicas"))


class HpaForm(Form):
    """The whole object."""

    api_version: str
    kind: str
    metadata: Metadata
    spec: HpaSpec
