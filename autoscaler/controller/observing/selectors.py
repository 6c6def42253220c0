"""Label selectors as the scale subresource states them: one line of text.

https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_NAME = r"[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?"
_EQUALS = re.compile(rf"({_NAME})\s*(=|==|!=)\s*((?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?)")
_AMONG = re.compile(rf"({_NAME})\s+(in|notin)\s+\(([^()]*)\)")
_EXISTS = re.compile(rf"(!?)\s*({_NAME})")
_COMMA = re.compile(r",(?![^()]*\))")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one label. values: those it may (or, negated, may not) have; None: any."""

    key: str
    values: frozenset[str] | None
    negated: bool

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether `labels` meet it. As in Kubernetes, `!=` and `notin` hold where the label is absent."""
        value = labels.get(self.key)
        met = value is not None and (self.values is None or value in self.values)
        return met is not self.negated


def parse_selector(text: str) -> tuple[Requirement, ...]:
    """The requirements of a selector; none of them for an empty text. Raises ValueError."""
    return tuple(_requirement(part.strip()) for part in _COMMA.split(text) if part.strip())


def selects(requirements: tuple[Requirement, ...], labels: Mapping[str, str]) -> bool:
    """Whether every requirement is met."""
    return all(requirement.holds(labels) for requirement in requirements)


def _requirement(part: str) -> Requirement:
    if match := _EQUALS.fullmatch(part):
        return Requirement(match[1], frozenset({match[3]}), match[2] == "!=")
    if match := _AMONG.fullmatch(part):
        values = frozenset(value.strip() for value in match[3].split(","))
        return Requirement(match[1], values, match[2] == "notin")
    if match := _EXISTS.fullmatch(part):
        return Requirement(match[2], None, match[1] == "!")
    raise ValueError(f"selector {part!r} cannot be read")
