"""What became of each part of an autoscaler that was taken over, in words."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Outcome(enum.StrEnum):
    """What became of one part; the value is how it is shown."""

    KEPT = "kept"  # stands in the manifest
    NO_NEED = "no need"  # has no counterpart, and nothing is missing without it
    STAYS = "stays"  # stays with the autoscaler whose floor is raised
    LOST = "lost"  # has no counterpart and will be missing
    FILL_IN = "fill in"  # a human has to complete or confirm what the manifest says


@dataclass(frozen=True, slots=True)
class Remark:
    """One sentence about one part.

    field: where it stands: in the manifest for FILL_IN, otherwise in the autoscaler taken over.
    """

    outcome: Outcome
    field: str
    text: str

    @property
    def needs_human(self) -> bool:
        """Whether somebody has to act on it before the manifest replaces the autoscaler."""
        return self.outcome in (Outcome.LOST, Outcome.FILL_IN)


def printable(text: str) -> str:
    """One line without what could end it, or steer a terminal."""
    return "".join(char if char.isprintable() else "?" for char in " ".join(text.split()))


def kept(field: str, text: str) -> Remark:
    """Stands in the manifest."""
    return Remark(Outcome.KEPT, printable(field), printable(text))


def no_need(field: str, text: str) -> Remark:
    """Left out, and nothing is missing without it."""
    return Remark(Outcome.NO_NEED, printable(field), printable(text))


def lost(field: str, text: str) -> Remark:
    """Left out, with what that means and what to do about it."""
    return Remark(Outcome.LOST, printable(field), printable(text))


def fill_in(field: str, text: str) -> Remark:
    """To be completed or confirmed in the manifest."""
    return Remark(Outcome.FILL_IN, printable(field), printable(text))
