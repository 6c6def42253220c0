"""A workload's recorded past as the tests of what-if need it: rows of the store, and its manifest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from autoscaler.store.rows import Observed

WORKLOAD = "shop/checkout"
MONDAY_S = 1_700_438_400.0  # 2023-11-20T00:00:00Z
DAY_S = 86_400.0
PER_REPLICA = 10.0


def observed(days: float, every_s: float = 60.0, seed: int = 1, workload: str = WORKLOAD) -> list[Observed]:
    """A noisy daily rhythm that somebody served with two replicas more than it needed a while ago."""
    rng = np.random.default_rng(seed)
    at_s = MONDAY_S + np.arange(0.0, days * DAY_S, every_s)
    load = (100.0 + 60.0 * np.sin((at_s - MONDAY_S) * 2 * np.pi / DAY_S)) * rng.lognormal(0, 0.08, len(at_s))
    asked = np.ceil(np.roll(load, 10) / PER_REPLICA).astype(int) + 2
    ready = np.minimum(asked, np.roll(asked, 3))
    return [
        Observed(workload, float(at), float(value), int(up), int(wanted))
        for at, value, up, wanted in zip(at_s, load, ready, asked, strict=True)
    ]


def without_load(row: Observed) -> Observed:
    """The same moment, with a load that could not be read."""
    return Observed(row.workload, row.at_s, math.nan, row.ready, row.asked)


def manifest(**spec: Any) -> dict[str, Any]:
    """A manifest as it is in the store; keywords replace or add parts of its spec."""
    return {
        "apiVersion": "predictive-autoscaler.dev/v1alpha1",
        "kind": "PredictiveAutoscaler",
        "metadata": {
            "name": "checkout",
            "namespace": "shop",
            "labels": {"team": "shop"},
            "annotations": {"predictive-autoscaler.dev/override": "12 until 2023-11-21T00:00:00Z"},
        },
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": "checkout"},
            "mode": "Active",
            "minReplicas": 2,
            "maxReplicas": 60,
            "load": {"query": "sum(rate(http_requests_total[2m]))", "perReplica": 10},
            # The quickest of the models: what is tested here is what is done with forecasts.
            "forecast": {"model": "trend", "leadTime": "180s"},
            **spec,
        },
    }


def state(**parts: Any) -> Mapping[str, Any]:
    """The newest state of the workload, as far as what-if looks at it."""
    return {"perReplica": 10.0, "leadTime": {"seconds": 180.0, "source": "Configured"}, **parts}
