"""The front: policies that nothing else beats in both cost and shortage."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from autoscaler.backtest.tuning.front import on_front

_POINTS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12).map(sorted)


@given(_POINTS)
def test_the_front_is_what_nothing_else_beats(points: list[tuple[float, float]]) -> None:
    for index, ((cost, shortage), is_on) in enumerate(zip(points, on_front(points), strict=True)):
        beaten = any(
            other_cost <= cost
            and other_shortage <= shortage
            and (other_cost, other_shortage) != (cost, shortage)
            for other_cost, other_shortage in points
        )
        assert is_on == (not beaten and (cost, shortage) not in points[:index])
