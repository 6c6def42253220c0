"""What people ask for and what they did: overrides, known events, the audit, and who is calling."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from autoscaler.api.shapes.shape import WHOLE, Identifier, ListOf, Moment, Plain, Shape
from autoscaler.api.times import Instant

_MOST = 1_000_000

Reason = Annotated[
    str,
    Field(
        max_length=200,
        pattern=r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$",
        description="Why, for those who find it in force.",
    ),
]


class _OverrideBody(Shape):
    from_: Instant | None = Field(
        default=None, alias="from", description="From when; at once where it is left out."
    )
    until: Instant = Field(description="When it ends by itself.")
    reason: Reason


class FixedOverride(_OverrideBody):
    """A fixed count, whatever is decided."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "Fixed",
                    "replicas": 12,
                    "until": "2026-11-27T18:00:00Z",
                    "reason": "load test",
                }
            ]
        }
    )

    kind: Literal["Fixed"]
    replicas: Annotated[int, Field(strict=True, ge=0, le=_MOST), WHOLE]


class MinimumOverride(_OverrideBody):
    """At least this count, within the maximum."""

    kind: Literal["Minimum"]
    replicas: Annotated[int, Field(strict=True, ge=0, le=_MOST), WHOLE]


class FreezeOverride(_OverrideBody):
    """The count stays as it is."""

    kind: Literal["Freeze"]


OverrideBody = Annotated[
    FixedOverride | MinimumOverride | FreezeOverride, Field(discriminator="kind", title="OverrideBody")
]


class Override(Shape):
    """An override that was asked for through this service."""

    id: Identifier
    kind: Literal["Fixed", "Minimum", "Freeze"]
    replicas: int | None
    from_: Moment = Field(alias="from")
    until: Moment
    reason: str
    state: Literal["Scheduled", "InForce", "Ended"]
    made_by: str
    made_at: Moment
    ended_at: Moment | None = Field(description="When it was taken back or replaced, before its time.")


class OverrideList(ListOf[Override]):
    """Overrides of one workload, newest first."""


class Event(Shape):
    """A known occasion. `minReplicas` is null where only the load of an earlier one is expected again."""

    namespace: str
    workload: str
    name: str
    start: Moment
    end: Moment
    min_replicas: int | None


class EventList(ListOf[Event]):
    """Known occasions of all workloads, the earliest first."""


class AuditEntry(Shape):
    """One change that somebody made, or was refused."""

    id: Identifier
    at: Moment
    actor: str
    action: str = Field(examples=["overrides.create"])
    target: str = Field(description="`namespace/name` of the workload.")
    allowed: bool
    details: Plain


class AuditList(ListOf[AuditEntry]):
    """Changes, newest first."""


class Rights(Shape):
    """Namespaces; `*` stands for all."""

    read: list[str]
    write: list[str]


class WhoAmI(Shape):
    """Who is calling, and what they may."""

    name: str
    groups: list[str]
    namespaces: list[str] = Field(description="Those that the caller may read; `*` stands for all.")
    may: Rights
