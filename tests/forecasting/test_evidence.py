"""Which of two forecasts is used: the other one once it lost less for hours, and not long after it fails."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.forecasting.related.evidence import Evidence

STEP_S, LEAD, QUANTILE = 60, 5, 0.95
CAME = 100.0


def run(
    evidence: Evidence, first: int, steps: int, own: float, other: float, came: float = CAME
) -> list[bool]:
    """After each of the steps, whether the other forecast is used."""
    used = []
    for step in range(first, first + steps):
        evidence.judge(step * STEP_S, came)
        evidence.state(step * STEP_S, own, other)
        used.append(evidence.pays)
    return used


def fresh() -> Evidence:
    return Evidence(QUANTILE, LEAD, STEP_S)


def test_hours_of_clearly_less_loss_are_needed() -> None:
    used = run(fresh(), 0, 6 * 60, own=150.0, other=110.0)
    first = used.index(True)
    assert 180 <= first <= 210
    assert all(used[first:])


@pytest.mark.parametrize(
    ("own", "other"),
    [
        pytest.param(110.0, 150.0, id="more loss"),
        pytest.param(150.0, 150.0, id="the same"),
        pytest.param(150.0, 148.5, id="hardly less"),
        pytest.param(110.0, 90.0, id="too little, which costs more"),
    ],
)
def test_nothing_else_will_do(own: float, other: float) -> None:
    assert not any(run(fresh(), 0, 24 * 60, own, other))


def test_one_that_was_good_for_days_is_left_within_two_hours_once_it_fails() -> None:
    evidence = fresh()
    assert run(evidence, 0, 3 * 1440, own=150.0, other=105.0)[-1]
    used = run(evidence, 3 * 1440, 120, own=150.0, other=50.0)
    assert not used[-1]
    # It comes back on evidence: not at once, and not never.
    again = run(evidence, 3 * 1440 + 120, 2 * 1440, own=150.0, other=105.0)
    assert not any(again[:60]) and again[-1]


def test_what_was_not_known_is_not_judged() -> None:
    evidence = fresh()
    run(evidence, 0, 600, own=150.0, other=110.0, came=math.nan)
    run(evidence, 600, 600, own=math.nan, other=110.0)
    run(evidence, 1200, 600, own=150.0, other=math.nan)
    assert not evidence.judged and not evidence.pays


@given(
    st.lists(
        st.tuples(*[st.one_of(st.just(math.nan), st.floats(0, 1e9))] * 3, st.integers(1, 500)), max_size=60
    )
)
def test_losses_stay_numbers_whatever_is_stated_and_comes(
    moments: list[tuple[float, float, float, int]],
) -> None:
    evidence, step = fresh(), 0
    for own, other, came, later in moments:
        evidence.judge(step * STEP_S, came)
        evidence.state(step * STEP_S, own, other)
        step += later
        assert not evidence.pays or evidence.ratio < 1.0
