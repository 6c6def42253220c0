"""What an outcome says about one condition."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One condition before it is known since when it holds. good: the status that is no trouble."""

    type: str
    holds: bool
    reason: str
    message: str
    good: bool = True
