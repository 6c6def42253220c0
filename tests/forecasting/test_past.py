"""Slices and summaries of the past: what is missing is left out, and nothing newer is looked at."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.forecasting.peaks.past import (
    Past,
    deviation_of,
    maximum_after,
    mean_of,
    median_of,
    quantiles_of,
)
from autoscaler.series import Batch, Floats

NAN = np.nan


def past(*values: float, ceiling: float = np.inf) -> Past:
    return Past(Batch(np.array([values]), np.zeros(1, np.int64), 60), np.array([ceiling]))


@pytest.mark.parametrize(
    ("back", "width", "expected"),
    [(0, 2, [4, 5]), (1, 2, [3, 4]), (3, 5, [1, 2]), (5, 2, []), (0, 9, [1, 2, 3, 4, 5])],
    ids=["newest", "one step ago", "cut to what there is", "before the beginning", "more than there is"],
)
def test_a_slice_ends_so_many_steps_ago(back: int, width: int, expected: list[float]) -> None:
    assert past(1, 2, 3, 4, 5).slice(back, width)[0].tolist() == expected


def test_a_whole_slice_is_filled_up_with_nan() -> None:
    np.testing.assert_array_equal(past(1, 2, 3).whole_slice(1, 4), [[NAN, NAN, 1, 2]])


def test_an_absurd_sample_counts_as_missing() -> None:
    assert past(1, 900, 3, ceiling=100).mean(0, 3)[0] == 2.0
    assert past(1, 900, 3, ceiling=100).maximum(0, 3)[0] == 3.0


def test_of_nothing_known_nothing_is_said() -> None:
    unknown = past(NAN, NAN)
    for told in (unknown.mean(0, 2), unknown.maximum(0, 2), unknown.minimum(0, 2), past(1.0).minimum(4, 2)):
        assert np.isnan(told).all()


def test_a_long_span_is_thinned_newest_first() -> None:
    thinned = past(*range(1000)).thinned(1000)[0]
    assert thinned[0] == 999
    assert len(thinned) <= 160
    assert np.ptp(np.diff(thinned)) == 0


tables = st.lists(
    st.lists(st.one_of(st.just(NAN), st.floats(-1e3, 1e3)), min_size=6, max_size=6), min_size=1, max_size=4
).map(lambda rows: np.array(rows, dtype=np.float64))


@given(tables)
def test_summaries_are_those_of_the_known_values(part: Floats) -> None:
    for row, values in enumerate(part):
        known = values[np.isfinite(values)]
        found = [mean_of(part)[row], deviation_of(part)[row], quantiles_of(part, (1.0,))[0][row]]
        if len(known) == 0:
            assert np.isnan(found).all()
        else:
            np.testing.assert_allclose(found, [known.mean(), known.std(), known.max()], atol=1e-6)
        median = median_of(list(part.T))[row]
        np.testing.assert_allclose(median, np.median(known) if len(known) else NAN, atol=1e-9)


@given(tables, st.integers(1, 5))
def test_the_maximum_after_a_step_is_that_of_the_next_steps_alone(part: Floats, lead: int) -> None:
    found = maximum_after(part, lead)
    assert found.shape == (len(part), 6 - lead)
    for at in range(6 - lead):
        np.testing.assert_array_equal(found[:, at], np.fmax.reduce(part[:, at + 1 : at + 1 + lead], axis=1))
