"""What a person asks for by annotation, for a time: a fixed count, a minimum, or that the count stays.

predictive-autoscaler.dev/override: [from TIME] (N | at least N | freeze) until TIME [because TEXT]

kubectl annotate pa checkout predictive-autoscaler.dev/override="12 until 2026-11-27T18:00:00Z"
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass

from autoscaler.spec.resource import GROUP
from autoscaler.spec.units import format_time, parse_time

ANNOTATION = f"{GROUP}/override"
_FORM = re.compile(
    r"\s*(?:from\s+(?P<start>\S+)\s+)?"
    r"(?:(?P<least>at\s+least\s+)?(?P<count>[0-9]{1,7})|freeze)\s+"
    r"until\s+(?P<end>\S+)"
    r"(?:\s+because\s+(?P<reason>\S.*?))?\s*",
    re.DOTALL,
)
_EXAMPLE = "12 until 2026-11-27T18:00:00Z"
_LONGEST_REASON = 256


class Kind(enum.StrEnum):
    """What an override does to the count that was decided on."""

    FIXED = "Fixed"  # replaces it
    FREEZE = "Freeze"  # keeps the count there is, whatever it is: nothing is written
    MINIMUM = "Minimum"  # raises it


@dataclass(frozen=True, slots=True)
class Override:
    """replicas: the count or the minimum, None for FREEZE. from_s: when it begins, 0 where that is not
    stated; until_s: when it ends by itself; epoch seconds. reason: in the words of who asked; may be empty.
    """

    replicas: int | None
    until_s: float
    kind: Kind = Kind.FIXED
    from_s: float = 0.0
    reason: str = ""

    @property
    def wish(self) -> str:
        """What it asks for, in words."""
        match self.kind:
            case Kind.FIXED:
                return f"{self.replicas} replicas"
            case Kind.MINIMUM:
                return f"at least {self.replicas} replicas"
            case Kind.FREEZE:
                return "the present count"

    @property
    def sentence(self) -> str:
        """What it asks for and why."""
        why = f" because {self.reason}" if self.reason else ""
        return f"An override asks for {self.wish}{why}".rstrip(".") + "."


@dataclass(frozen=True, slots=True)
class Asked:
    """What the annotation amounts to: an override in force, one that is still to begin, or why there is none.
    Nothing of it where none is asked for."""

    override: Override | None = None
    later: Override | None = None
    problem: str = ""


NOTHING_ASKED = Asked()


def asked_for(annotations: Mapping[str, str], now_s: float) -> Asked:
    """The override among `annotations`, if it is readable and has not ended."""
    text = annotations.get(ANNOTATION)
    if text is None:
        return NOTHING_ASKED
    override = _parsed(text)
    if override is None:
        return Asked(problem=f'annotation {ANNOTATION} must be like "{_EXAMPLE}"')
    if override.from_s >= override.until_s:
        return Asked(problem=f"the override of {override.wish} ends before it begins")
    if override.until_s <= now_s:
        ended = format_time(override.until_s)
        return Asked(problem=f"the override of {override.wish} ended at {ended}")
    if override.from_s > now_s:
        return Asked(later=override)
    return Asked(override)


def _parsed(text: str) -> Override | None:
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    try:
        from_s = _time(match["start"]) if match["start"] is not None else 0.0
        until_s = _time(match["end"])
    except ValueError:
        return None
    reason = (match["reason"] or "")[:_LONGEST_REASON]
    if match["count"] is None:
        return Override(None, until_s, Kind.FREEZE, from_s, reason)
    kind = Kind.MINIMUM if match["least"] else Kind.FIXED
    return Override(int(match["count"]), until_s, kind, from_s, reason)


def _time(text: str) -> float:
    """Epoch seconds; ValueError also for the last and first hours of the calendar, which UTC cannot show."""
    at_s = parse_time(text)
    format_time(at_s)
    return at_s
