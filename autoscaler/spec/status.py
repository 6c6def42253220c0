"""What the operator reports back. Written by the operator only; never an input to a decision."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from autoscaler.spec.rules import Model
from autoscaler.spec.units import Time

_Long = Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})]
_Count = Annotated[int, Field(ge=0, le=2_147_483_647)]
_Text = Annotated[str, Field(max_length=1024)]


class Condition(Model):
    """One observation in the form Kubernetes gives all conditions."""

    type: Annotated[str, Field(max_length=316)] = Field(description="What is observed, in PascalCase.")
    status: Literal["True", "False", "Unknown"] = Field(description="Whether it holds.")
    observed_generation: _Long | None = Field(
        None, description="Generation of the spec this was observed for."
    )
    last_transition_time: Time = Field(description="When the status last changed.")
    reason: Annotated[str, Field(max_length=1024)] = Field(description="Why, as one CamelCase word.")
    message: Annotated[str, Field(max_length=32_768)] = Field(description="Why, in words.")


class Status(Model):
    """What the operator last saw and did. Later versions may add fields."""

    model_config = ConfigDict(extra="allow")

    observed_generation: _Long | None = Field(None, description="Generation of the spec last acted on.")
    conditions: Annotated[tuple[Condition, ...], Field(max_length=32)] | None = Field(
        None,
        description="Present state, keyed by type.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
    load: _Text | None = Field(None, description="Load as last observed.")
    forecast: _Text | None = Field(None, description="Forecast peak within the lead time.")
    model: _Text | None = Field(None, description="Model the forecast came from.")
    ready: _Count | None = Field(None, description="Ready pods.")
    desired: _Count | None = Field(None, description="Replicas last decided on.")
    reason: _Text | None = Field(None, description="Reason code of the last decision.")
