"""The tier in front of a workload, whose load comes earlier."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from autoscaler.spec.names import Subdomain
from autoscaler.spec.rules import Model, Rule, between, defaulted, positive
from autoscaler.spec.units import LEARNED, Duration, QuantityOrLearned


class Follows(Model):
    """A workload whose load reaches this one a little later, as a frontend's reaches its backend."""

    name: Subdomain = Field(
        description="Name of its PredictiveAutoscaler, another one in the same namespace, with the same "
        "source and step."
    )
    ratio: QuantityOrLearned = defaulted(
        LEARNED, "Load here for each unit of load there. learned: as it was within the last hour."
    )
    max_lag_s: Duration = defaulted("15m", "The longest time to look for from a load there to the same here.")
    rules = (
        positive("ratio", number=True, word=LEARNED),
        between("maxLag", "max_lag_s", "0s", "1h"),
    )


def _follows_another(resource: Any) -> bool:
    follows = resource.spec.load.follows
    return follows is None or follows.name != resource.metadata.name


ANOTHER = Rule(
    "a resource must not follow itself",
    "!has(self.spec) || !has(self.spec.load) || !has(self.spec.load.follows) || "
    "!has(self.spec.load.follows.name) || self.spec.load.follows.name != self.metadata.name",
    _follows_another,
    "spec.load.follows.name",
)
"""Of the whole resource, since its name is not part of the spec."""
