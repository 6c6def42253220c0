"""Jobs: what takes longer than a request."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from autoscaler.api.shapes.shape import ListOf, Moment, Shape
from autoscaler.api.shapes.whatif import PolicySearchResult, WhatIfResult


class Job(Shape):
    """One question of the caller's, and its answer when there is one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "wNn0a8Yt7kQ2mXb5rVd3cg",
                    "kind": "WhatIf",
                    "workload": "shop/checkout",
                    "state": "Running",
                    "progress": 0.5,
                    "message": "forecasting and running the changed policy",
                    "made": "2026-11-27T18:00:00Z",
                    "result": None,
                }
            ]
        }
    )

    id: str
    kind: Literal["WhatIf", "PolicySearch"]
    workload: str = Field(description="`namespace/name`.")
    state: Literal["Queued", "Running", "Done", "Failed", "Cancelled"]
    progress: float = Field(ge=0, le=1)
    message: str = Field(description="What is being done, or why there is no answer.")
    made: Moment
    result: WhatIfResult | PolicySearchResult | None = Field(
        description="Of a job that is Done, when it is asked for by its id; null in lists."
    )


class JobList(ListOf[Job]):
    """The caller's own jobs, newest first."""
