"""Recorded start-up times: the one number that policies plan by, and how they are told."""

from __future__ import annotations

import math
from collections.abc import Sequence

SHARE = 0.9
"""As the operator measures a lead time: what this share of the pods keeps within."""


def within_s(samples_s: Sequence[float]) -> float:
    """The start-up time that nine of ten samples keep within: a sample, not a value between two."""
    # Rounded, since 0.9 * 70 is a little more than 63.
    rank = math.ceil(round(SHARE * len(samples_s), 9))
    return sorted(samples_s)[rank - 1]
