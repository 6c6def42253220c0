"""What the operator reports back. Written by the operator only; never an input to a decision."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from autoscaler.spec.rules import Model
from autoscaler.spec.units import Time

_Long = Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})]
_Count = Annotated[int, Field(ge=0, le=2_147_483_647)]
_Seconds = Annotated[int, Field(ge=0, le=86_400)]
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


class LastScale(Model):
    """A write of ours that was accepted; after a restart, cooldowns and rates are derived from it."""

    time: Time = Field(description="When it was accepted.")
    before: _Count = Field(description="Count before it.")
    after: _Count = Field(description="Count asked for.")


class LeadTime(Model):
    """Time from asking for a pod until it is ready, as decisions use it."""

    seconds: _Seconds = Field(description="The lead time in use.")
    source: Literal["Configured", "Measured"] = Field(
        description="Measured from this workload's own pods, or as configured while there are too few."
    )
    samples: _Count | None = Field(None, description="Start-ups of pods it was measured from.")
    newest_sample_time: Time | None = Field(None, description="When the newest of them became ready.")


class Capacity(Model):
    """Load that a ready pod served while every health signal was within its threshold."""

    configured: _Text = Field(description="spec.load.perReplica.")
    observed: _Text = Field(description="The most that was seen served.")
    hours: _Count = Field(description="Over how many hours it was observed.")


class SpendToday(Model):
    """Money since the start of the present day and month, UTC."""

    time: Time = Field(description="When it was summed up; its day and month are meant.")
    today: _Text = Field(description="Spent since its start.")
    month: _Text = Field(description="Spent since the start of the month.")
    daily_budget: _Text | None = Field(None, description="spec.spend.dailyBudget.")


class ObjectiveStatus(Model):
    """Where the dial of an objective stands; after a restart without a store it goes on from here."""

    quantile: _Text = Field(description="Quantile of the peak that is read.")
    headroom: _Text = Field(description="What that is multiplied by.")
    correction: Annotated[int, Field(ge=-100, le=100)] = Field(
        description="Steps of the dial by which observation moved it from what the last days' forecasts ask "
        "for, upwards towards the safe side."
    )
    promised: _Text | None = Field(
        None, description="What the objective's figure would have been over the last days, read like this."
    )
    observed: _Text | None = Field(None, description="What it was, as far as observed within the window.")
    left: _Text = Field(description="Share of what the window allows that is not used up.")
    message: _Text = Field(description="All of it in words.")


class Override(Model):
    """What somebody asked for by annotation, for a time."""

    kind: Literal["Fixed", "Freeze", "Minimum"] = Field(
        "Fixed",
        description="Fixed: this count instead of the one decided on. Freeze: the count stays as it is. "
        "Minimum: at least this count.",
    )
    replicas: _Count | None = Field(None, description="The count or the minimum. Absent for Freeze.")
    until: Time = Field(description="When it ends by itself.")
    reason: _Text | None = Field(None, description="Why, in the words of who asked.")


class ShadowStatus(Model):
    """How the shadow compares with the spec's own policy, both on simulated pods."""

    name: _Text = Field(description="spec.shadow.name.")
    since: Time = Field(description="When the comparison began.")
    stage: Literal["Compared", "Promoted", "GivenUp"] = Field(
        description="Compared: it does not act. Promoted: the operator acts by it. GivenUp: it did, and "
        "lost; it does not act again before it is changed."
    )
    stage_time: Time = Field(description="When this stage began.")
    counted_seconds: _Long = Field(description="Time within the window that was compared.")
    cost_ratio: _Text | None = Field(
        None, description="Replica time of the shadow to that of the spec's own."
    )
    own_unserved: _Text | None = Field(
        None, description="Share of the load that the spec's own policy would have left unserved."
    )
    shadow_unserved: _Text | None = Field(
        None, description="Share of the load that the shadow would have left unserved."
    )
    actual_unserved: _Text | None = Field(
        None, description="Share of the load beyond what the ready pods serve by load.perReplica."
    )
    verdict: _Text = Field(description="How it stands, in a sentence.")
    record: Annotated[str, Field(max_length=4096)] = Field(
        "", description="What the comparison goes on from where no store has it; for the operator."
    )


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
    forecast_summary: _Text | None = Field(
        None, description="The forecast, how well forecasts were kept lately, and what limits them."
    )
    model: _Text | None = Field(None, description="Model the forecast came from.")
    ready: _Count | None = Field(None, description="Ready pods.")
    current: _Count | None = Field(None, description="Replicas last asked for, by whomever.")
    desired: _Count | None = Field(None, description="Replicas last decided on.")
    reason: _Text | None = Field(
        None, description="Reason code of the last decision, or of what keeps one from being made or written."
    )
    decision: _Text | None = Field(None, description="The last decision in one sentence.")
    last_decision_time: Time | None = Field(
        None, description="When the decision shown was made. Unchanged decisions are not reported anew."
    )
    last_scale: LastScale | None = Field(None, description="The last write of ours that was accepted.")
    lead_time: LeadTime | None = Field(None, description="The lead time in use.")
    capacity: Capacity | None = Field(None, description="Load per replica, configured and observed.")
    spend: SpendToday | None = Field(None, description="Money spent, where a price is given.")
    objective: ObjectiveStatus | None = Field(None, description="How spec.objective is kept.")
    override: Override | None = Field(None, description="An override in force.")
    shadow: ShadowStatus | None = Field(None, description="How the shadow compares, where there is one.")
