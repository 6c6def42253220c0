"""Known occasions: when they are, and what is known of the load they bring."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, Strict

from autoscaler.spec.rules import Model, Rule, defaulted, positive
from autoscaler.spec.signals import Label
from autoscaler.spec.units import Quantity, Time

_MOST = 2_147_483_647
_DAY_S = 86_400.0
_LONGEST_S = 14 * _DAY_S


class Like(Model):
    """An earlier occasion whose recorded load is expected again."""

    start_s: Time = Field(
        description="Beginning of the earlier occasion, at least a day before the event. It may be older "
        "than forecast.history, if the source still has it."
    )
    factor: Quantity = defaulted("1", 'How much more load is expected than then: "1.3" for 30 % more.')
    rules = (positive("factor", number=True),)


class Event(Model):
    """A known occasion that wants a higher minimum, or brings the load of an earlier one again."""

    name: Label = Field(description="Name of the event, unique within the resource.")
    start_s: Time = Field(description="Beginning; the replicas are asked for one lead time earlier.")
    end_s: Time = Field(description="End, not included.")
    min_replicas: Annotated[int, Strict(), Field(ge=1, le=_MOST)] | None = Field(
        None,
        description="Least number of replicas while the event lasts. Left out: as its load needs.",
    )
    like: Like | None = Field(
        None,
        description="While the event lasts, at least the load of an earlier occasion is forecast, times a "
        "factor. What comes is then not learned from. Left out: minReplicas alone counts.",
    )
    rules = (
        Rule(
            "start must be before end",
            "self.start < self.end",
            lambda event: event.start_s < event.end_s,
            "end",
        ),
        Rule(
            "an event needs minReplicas, like, or both",
            "has(self.minReplicas) || has(self.like)",
            lambda event: event.min_replicas is not None or event.like is not None,
        ),
        Rule(
            "like.start must be at least a day before start",
            "!has(self.like) || self.start - self.like.start >= duration('24h')",
            lambda event: event.like is None or event.start_s - event.like.start_s >= _DAY_S,
            "like",
        ),
        Rule(
            "the earlier occasion, which lasts as long as the event, must be over before start",
            "!has(self.like) || self.start - self.like.start >= self.end - self.start",
            lambda event: (
                event.like is None or event.start_s - event.like.start_s >= event.end_s - event.start_s
            ),
            "like",
        ),
        Rule(
            "an event with like must not last longer than 14d",
            "!has(self.like) || self.end - self.start <= duration('336h')",
            lambda event: event.like is None or event.end_s - event.start_s <= _LONGEST_S,
            "end",
        ),
    )


def modelled(spec: Any) -> bool:
    """Whether every event of `spec` that expects a load has a forecast to raise."""
    return spec.forecast.model != "none" or not any(event.like for event in spec.events)
