"""A fixed count that a person asks for by annotation, with the time at which it ends by itself.

kubectl annotate pa checkout predictive-autoscaler.dev/override="12 until 2026-11-27T18:00:00Z"
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from autoscaler.spec.resource import GROUP
from autoscaler.spec.units import format_time, parse_time

ANNOTATION = f"{GROUP}/override"
_FORM = re.compile(r"\s*([0-9]{1,7})\s+until\s+(\S+)\s*")


@dataclass(frozen=True, slots=True)
class Override:
    """replicas: the fixed count; until_s: its end, epoch seconds."""

    replicas: int
    until_s: float


@dataclass(frozen=True, slots=True)
class Asked:
    """What the annotation amounts to: an override in force, or why there is none (empty: none asked for)."""

    override: Override | None = None
    problem: str = ""


NOTHING_ASKED = Asked()


def asked_for(annotations: Mapping[str, str], now_s: float) -> Asked:
    """The override among `annotations`, if it is readable and has not ended."""
    text = annotations.get(ANNOTATION)
    if text is None:
        return NOTHING_ASKED
    match = _FORM.fullmatch(text)
    try:
        until_s = parse_time(match[2]) if match else None
        # The last and first hours of the calendar cannot be shown in UTC.
        shown = "" if until_s is None else format_time(until_s)
    except ValueError:
        until_s = None
    if match is None or until_s is None:
        return Asked(problem=f'annotation {ANNOTATION} must be like "12 until 2026-11-27T18:00:00Z"')
    if until_s <= now_s:
        return Asked(problem=f"the override of {match[1]} replicas ended at {shown}")
    return Asked(Override(int(match[1]), until_s))
