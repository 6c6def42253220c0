"""Workloads as they are now."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from autoscaler.api.health import WorkloadProblem
from autoscaler.api.shapes.objectives import ObjectiveNow
from autoscaler.api.shapes.shadow import EXAMPLE as SHADOW
from autoscaler.api.shapes.shadow import ShadowNow
from autoscaler.api.shapes.shape import Identifier, ListMetadata, Moment, Money, Plain, Shape

Mode = Literal["Recommend", "ScaleOutOnly", "Active", "Paused"]
ReadingState = Literal["Value", "Partial", "Stale", "Empty", "NotANumber", "SeveralSeries", "Failed"]

EXAMPLE: Plain = {
    "namespace": "shop",
    "name": "checkout",
    "uid": "0c4f6f0e-6a0e-4c8e-9d38-5d0c9e6f4b1a",
    "generation": 3,
    "labels": {"team": "payments"},
    "priority": "high",
    "target": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout"},
    "mode": "Active",
    "at": "2026-11-27T18:00:00Z",
    "load": {"value": 812.3, "state": "Value", "ageSeconds": 3.1, "detail": ""},
    "perReplica": 120.0,
    "forecast": {
        "peak": 1050.1,
        "expected": 820.0,
        "quantile": 0.95,
        "leadTimeSeconds": 180.0,
        "ageSeconds": 20.0,
        "model": "auto",
        "note": "",
        "coverage": 0.95,
        "coverageQuantile": 0.95,
        "judged": 1440,
    },
    "replicas": {"min": 2, "max": 60, "current": 8, "ready": 8, "desired": 9, "needed": 7},
    "reason": "AsWished",
    "decision": "Scale out from 8 to 9: 9 for a forecast peak of 1,050 by auto (beside it 7 for the present "
    "load of 812.3).",
    "decisionId": "01j9zk4x8v2tq",
    "write": "Done",
    "signals": [
        {
            "name": "cpu",
            "type": "CPU",
            "value": 61.0,
            "target": 70.0,
            "state": "Value",
            "ageSeconds": 4.0,
            "detail": "",
        }
    ],
    "conditions": [
        {
            "type": "Ready",
            "status": "True",
            "reason": "Deciding",
            "message": "Decisions are being made.",
            "lastTransitionTime": "2026-11-20T08:00:00Z",
        }
    ],
    "objective": None,
    "leadTime": {
        "seconds": 180,
        "source": "Measured",
        "samples": 31,
        "newestSampleTime": "2026-11-27T17:12:00Z",
    },
    "capacity": {"configured": "120", "observed": "131", "hours": 40},
    "spend": {
        "replicaHourPrice": "0.12",
        "today": "12.30",
        "month": "301.10",
        "hourlyCap": None,
        "dailyBudget": "60",
        "monthlyBudget": None,
    },
    "override": None,
    "events": [],
    "shadow": SHADOW,
    "problem": "",
    "problems": ["WillBeShort"],
    "severity": 9.086,
}


class Target(Shape):
    """What is scaled."""

    api_version: str
    kind: str
    name: str


class LoadReading(Shape):
    """One number as it was read, or why there is none."""

    value: float | None
    state: ReadingState = Field(
        description="Only `Value` counts as known; nothing is removed on anything else."
    )
    age_seconds: float | None = Field(description="How long before the decision it was sampled.")
    detail: str


class SignalReading(Shape):
    """A reactive signal as it was read; of one that was not, only name, type and target are known."""

    name: str
    type: str
    target: float | None
    value: float | None
    state: ReadingState | None
    age_seconds: float | None
    detail: str


class ForecastNow(Shape):
    """What the newest forecast says about the time until a pod asked for now is ready."""

    peak: float | None = Field(description="The `quantile` of the highest load within the lead time.")
    expected: float | None = Field(description="Median load expected for the present.")
    quantile: float
    lead_time_seconds: float
    age_seconds: float | None
    model: str | None
    note: str
    coverage: float | None = Field(
        description="Share of peaks of about the last day that stayed within that of `coverageQuantile`."
    )
    coverage_quantile: float = Field(
        description="Quantile that coverage is judged at: `quantile`, but of an objective always 0.95."
    )
    judged: int | None = Field(description="How many peaks that share is of.")


class Replicas(Shape):
    """Counts of replicas."""

    min: int | None
    max: int | None
    current: int | None = Field(description="The count that stands, as last asked for.")
    ready: int | None
    desired: int | None = Field(description="What was decided; in mode Recommend what is recommended.")
    needed: int | None = Field(description="What serves the present load.")


class Condition(Shape):
    """A condition of the resource, as in Kubernetes."""

    type: str
    status: Literal["True", "False", "Unknown"]
    reason: str
    message: str
    last_transition_time: Moment


class LeadTime(Shape):
    """From asking for a pod until it is ready."""

    seconds: float
    source: Literal["Configured", "Measured"]
    samples: int | None
    newest_sample_time: Moment | None


class Capacity(Shape):
    """Load that one ready pod serves."""

    configured: str
    observed: str
    hours: int


class SpendNow(Shape):
    """Money so far, and the limits."""

    replica_hour_price: Money | None
    today: Money | None
    month: Money | None
    hourly_cap: Money | None
    daily_budget: Money | None
    monthly_budget: Money | None


class OverrideNow(Shape):
    """What a person has asked for, in force."""

    kind: Literal["Fixed", "Freeze", "Minimum"]
    replicas: int | None
    until: Moment
    reason: str | None


class EventOfWorkload(Shape):
    """A known occasion, from the spec."""

    name: str
    start: Moment
    end: Moment
    min_replicas: int | None


class Workload(Shape):
    """One workload as it is now: what was seen, forecast, decided and done, and what is wrong."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    namespace: str
    name: str
    uid: str
    generation: int
    labels: dict[str, str]
    priority: str = Field(description="Label `predictive-autoscaler.dev/priority` of the resource.")
    target: Target | None
    mode: Mode | None
    at: Moment = Field(description="When this was seen.")
    load: LoadReading | None
    per_replica: float | None
    forecast: ForecastNow | None
    replicas: Replicas
    reason: str | None = Field(description="Why the count is what it is, in one word.")
    decision: str | None = Field(description="The newest decision as a sentence.")
    decision_id: Identifier | None = Field(description="The newest decision that was stored.")
    write: str | None = Field(description="What became of the newest decision.")
    signals: list[SignalReading]
    conditions: list[Condition]
    objective: ObjectiveNow | None = Field(description="Null without spec.objective.")
    lead_time: LeadTime | None
    capacity: Capacity | None
    spend: SpendNow | None
    override: OverrideNow | None
    events: list[EventOfWorkload]
    shadow: ShadowNow | None = Field(None, description="A second policy; null where there is none.")
    problem: str = Field(description="What is wrong with the spec; the last valid one is in force.")
    problems: list[WorkloadProblem] = Field(description="What is wrong, what matters most first.")
    severity: float = Field(description="Sorts by what is wrong: 0 for nothing, more for worse.")


class WorkloadWithManifest(Workload):
    """One workload, with its resource as somebody wrote it."""

    manifest: Plain | None = Field(description="The PredictiveAutoscaler; null where it was not seen yet.")


class FleetMetadata(ListMetadata):
    """Where the list goes on, and whether it can be relied on."""

    outdated_since: Moment | None = Field(
        description="Since when the store could not be read; null where all is well."
    )


class WorkloadList(Shape):
    """One page of workloads."""

    items: list[Workload]
    metadata: FleetMetadata


class FleetColumns(Shape):
    """One value for each workload in every column."""

    namespace: list[str]
    name: list[str]
    mode: list[str | None]
    load: list[float | None]
    load_state: list[str | None]
    forecast: list[float | None] = Field(description="Peak within the lead time.")
    ready: list[int | None]
    current: list[int | None]
    desired: list[int | None]
    needed: list[int | None]
    min: list[int | None]
    max: list[int | None]
    problems: list[list[WorkloadProblem]]
    severity: list[float]
    reason: list[str | None]
    spend_today: list[Money | None]
    daily_budget: list[Money | None]
    priority: list[str]
    at: list[Moment]
    decision: list[str | None]


class FleetTableMetadata(Shape):
    """Whether the table can be relied on."""

    outdated_since: Moment | None = Field(
        description="Since when the store could not be read; null where all is well."
    )


class FleetTable(Shape):
    """All workloads at once, worst first."""

    columns: FleetColumns
    metadata: FleetTableMetadata
