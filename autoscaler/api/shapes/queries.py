"""What can be asked in the query of a URL. A name that is not known is refused, rather than ignored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WrapValidator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from autoscaler.api.columns import Format
from autoscaler.api.health import WorkloadProblem
from autoscaler.api.shapes.workloads import Mode
from autoscaler.api.snapshot import Sort
from autoscaler.api.times import Instant, Step
from autoscaler.controller.observing.selectors import parse_selector
from autoscaler.spec.names import SUBDOMAIN_PATTERN
from autoscaler.spec.signals import LABEL_PATTERN

MOST_ITEMS = 500

_KEY = r"[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?"
_VALUE = r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?"
_REQUIREMENT = rf"(!?{_KEY}|{_KEY} ?(=|==|!=) ?{_VALUE}|{_KEY} (in|notin) \({_VALUE}(, ?{_VALUE})*\))"
_SELECTOR_PATTERN = rf"^({_REQUIREMENT}(, ?{_REQUIREMENT})*)?$"
_SELECTOR_EXAMPLE = "team=payments,tier!=canary,region in (eu,us),!legacy"


def _selector(value: Any, read: Callable[[Any], str]) -> str:
    """The pattern is for programs: whoever mistyped a selector is helped by an example instead."""
    try:
        text = read(value)
        parse_selector(text)
    except ValueError as error:
        raise PydanticCustomError(
            "selector", 'must be a label selector such as "{example}"', {"example": _SELECTOR_EXAMPLE}
        ) from error
    return text


Namespace = Annotated[
    str, Field(min_length=1, max_length=63, pattern=LABEL_PATTERN, description="Only of this namespace.")
]
WorkloadName = Annotated[str, Field(min_length=1, max_length=253, pattern=SUBDOMAIN_PATTERN)]
LabelSelector = Annotated[
    str,
    Field(
        max_length=1000,
        pattern=_SELECTOR_PATTERN,
        description="Only with labels as selected, written as for kubectl.",
        examples=[_SELECTOR_EXAMPLE],
    ),
    WrapValidator(_selector),
]
Search = Annotated[
    str,
    Field(
        max_length=200,
        description="Only where `namespace/name` contains this, in capitals or not.",
        examples=["check"],
    ),
]


class Question(BaseModel):
    """What all have in common."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class Paged(Question):
    """One page of a list."""

    limit: Annotated[int, Field(ge=1, le=MOST_ITEMS, description="Most items of the page.")] = 100
    continue_: Annotated[
        str | None,
        Field(
            alias="continue",
            max_length=1024,
            description="`metadata.continue` of the page before. All else must be asked as it was for that.",
        ),
    ] = None

    def question(self, *more: str) -> list[str]:
        """What a cursor belongs to: everything but the page. more: what the path names."""
        return [type(self).__name__, *more, self.model_dump_json(exclude={"limit", "continue_"})]


_Start = Annotated[
    Instant | None,
    Field(description="From this time on. RFC 3339, or epoch seconds.", examples=["1795802400"]),
]
_End = Annotated[
    Instant | None, Field(description="Before this time; now if it is left out.", examples=["1795888800"])
]


class Ranged(Question):
    """A range of time, its start included, its end not."""

    start: _Start = None
    end: _End = None


class WorkloadQuestion(Paged):
    """Which workloads, in which order."""

    namespace: Namespace | None = None
    label_selector: LabelSelector = ""
    mode: Annotated[Mode | None, Field(description="Only in this mode.")] = None
    problem: Annotated[WorkloadProblem | None, Field(description="Only with this problem.")] = None
    search: Search = ""
    sort: Annotated[
        Sort,
        Field(description="The order: worst first, by name, or the largest first of what follows the minus."),
    ] = Sort.WORST


class FleetQuestion(Question):
    """Which workloads."""

    namespace: Namespace | None = None
    label_selector: LabelSelector = ""
    search: Search = ""
    format: Annotated[Format | None, Field(description="JSON or CSV; else as `Accept` says.")] = None


class SeriesQuestion(Ranged):
    """Which part of a history."""

    step: Annotated[
        Step | None,
        Field(description="Seconds or a duration; one that suits a chart if left out.", examples=["5m"]),
    ] = None
    format: Annotated[Format | None, Field(description="JSON or CSV; else as `Accept` says.")] = None


class ForecastsQuestion(Paged, Ranged):
    """Which forecasts, by when they were made."""


class TableQuestion(Question):
    """In which format."""

    format: Annotated[Format | None, Field(description="JSON or CSV; else as `Accept` says.")] = None


class DecisionsQuestion(Paged, Ranged):
    """Which decisions."""

    namespace: Namespace | None = None
    workload: Annotated[
        WorkloadName | None, Field(description="Only of the workload of this name in `namespace`.")
    ] = None
    reason: Annotated[
        str | None,
        Field(
            max_length=64,
            pattern="^[A-Za-z]+$",
            description="Only those in which this rule changed the number.",
            examples=["TooManyReplicas"],
        ),
    ] = None


class NamespaceQuestion(Question):
    """Of one namespace, or of all that the caller may read."""

    namespace: Namespace | None = None


class EventsQuestion(Paged, Ranged):
    """Which known events: those that touch the range."""

    namespace: Namespace | None = None
