"""How the journal is doing, for people and for metrics."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Standing(enum.StrEnum):
    """How the journal keeps up."""

    OK = "ok"
    BEHIND = "behind"  # rows wait longer than they should, or the store was not opened yet
    DOWN = "down"  # the last attempt failed, or one does not end


@dataclass(frozen=True, slots=True)
class Condition:
    """standing, and why in words (empty when ok)."""

    standing: Standing
    reason: str = ""

    @property
    def is_down(self) -> bool:
        """Whether decisions are kept in the spool alone."""
        return self.standing is Standing.DOWN


@dataclass(frozen=True, slots=True)
class Counts:
    """For metrics. spooled and spooled_bytes: now; the others: since the start."""

    spooled: int
    spooled_bytes: int
    dropped: int
    written: int
    failures: int
