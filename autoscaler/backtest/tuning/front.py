"""Which of many policies nothing else beats in both cost and shortage."""

from __future__ import annotations

from collections.abc import Sequence


def on_front(points: Sequence[tuple[float, float]]) -> list[bool]:
    """Whether each (cost, shortage) is on the front: nothing else is as good in both and better in one.

    points: in ascending order. Of equal points the first is on the front.
    """
    least = float("inf")
    found = []
    for _, shortage in points:
        found.append(shortage < least)
        least = min(least, shortage)
    return found
