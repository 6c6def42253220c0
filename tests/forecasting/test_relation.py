"""How one load follows another: the lag, the ratio, and when there is no such thing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tiers import FRONT, after, front_load

from autoscaler.forecasting.forecaster import LEVELS
from autoscaler.forecasting.related.relation import Follows, Relation, learn_relation
from autoscaler.series import Floats

FOLLOWS = Follows(FRONT)
LEAD = 5


def learned(own: Floats, front: Floats, follows: Follows = FOLLOWS, step_s: int = 60) -> Relation | str:
    return learn_relation(own, front, step_s, LEAD, np.array(LEVELS), follows)


def related(own: Floats, front: Floats, follows: Follows = FOLLOWS, step_s: int = 60) -> Relation:
    found = learned(own, front, follows, step_s)
    assert isinstance(found, Relation), found
    return found


@pytest.mark.parametrize("lag", [0, 1, 2, 10, 15])
@pytest.mark.parametrize("ratio", [0.1, 1.0, 3.0])
@pytest.mark.parametrize("bursts", [True, False], ids=["bursts", "noise alone"])
def test_lag_and_ratio_are_found(lag: int, ratio: float, bursts: bool) -> None:
    front = front_load(3, bursts=bursts)
    found = related(after(front, lag, ratio), front)
    assert found.lag == lag
    assert found.ratio == pytest.approx(ratio, rel=0.02)


def test_at_five_minutes_a_lag_is_found_in_whole_steps() -> None:
    front = front_load(3, step_s=300)
    assert related(after(front, 2, 0.5), front, step_s=300).lag == 2


def test_a_longer_lag_than_allowed_is_not_looked_for() -> None:
    front = front_load(3)
    own = after(front, 10, 0.5)
    assert related(own, front, Follows(FRONT, max_lag_s=600.0)).lag == 10
    found = learned(own, front, Follows(FRONT, max_lag_s=300.0))
    assert isinstance(found, str) or found.lag <= 5


def test_the_relation_is_that_of_the_newest_days() -> None:
    front = front_load(6)
    own = np.where(np.arange(len(front)) < len(front) // 2, after(front, 2, 2.0), after(front, 9, 0.5))
    found = related(own, front)
    assert (found.lag, found.ratio) == (9, pytest.approx(0.5, rel=0.02))


def test_a_fixed_ratio_is_taken_as_it_is() -> None:
    front = front_load(3)
    assert related(after(front, 4, 0.5), front, Follows(FRONT, ratio=0.6)).ratio == 0.6


def test_two_loads_with_the_same_daily_rhythm_and_nothing_else_in_common_are_not_related() -> None:
    one, other = (front_load(3, seed=seed, bursts=False) for seed in (1, 5))
    assert np.corrcoef(one, other)[0, 1] > 0.9
    assert "do not move together" in str(learned(one, other))


@pytest.mark.parametrize("hours", [1, 5])
def test_hours_are_too_little(hours: int) -> None:
    front = front_load(1)[: 60 * hours]
    assert learned(after(front, 2, 0.5), front) == "too little of both loads is known"


def test_gaps_in_either_load_are_not_zeros() -> None:
    front = front_load(3)
    own = after(front, 7, 0.5)
    whole = related(own, front)
    front[1000:1100], own[2000:2500] = np.nan, np.nan
    front[np.arange(0, len(front), 17)] = np.nan
    found = related(own, front)
    assert found.lag == whole.lag
    assert found.ratio == pytest.approx(whole.ratio, rel=0.02)


def test_errors_are_as_wide_as_the_noise_between_the_tiers() -> None:
    front = front_load(3)
    spread = [
        np.ptp(related(after(front, 8, 0.5, noise), front).errors[[0, 7]]) for noise in (0.02, 0.1, 0.3)
    ]
    assert spread[0] < 0.5 * spread[1] < 0.5 * spread[2]


_WILD = hnp.arrays(
    np.float64,
    st.integers(0, 900),
    elements=st.one_of(st.just(np.nan), st.just(0.0), st.floats(-1.0, 1e300), st.just(np.inf)),
)


@settings(max_examples=150)
@given(own=_WILD, front=_WILD, ratio=st.one_of(st.none(), st.floats(1e-6, 1e6)))
def test_whatever_was_recorded_there_is_a_relation_or_a_reason(
    own: Floats, front: Floats, ratio: float | None
) -> None:
    steps = min(len(own), len(front))
    found = learned(own[:steps], front[:steps], Follows(FRONT, ratio))
    if isinstance(found, Relation):
        assert 0 <= found.lag <= 15
        assert np.isfinite(found.errors).all() and (np.diff(found.errors) >= 0).all()
        assert np.isfinite([found.ratio, found.tolerance, found.own_base, found.front_base]).all()
    else:
        assert found
