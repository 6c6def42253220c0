"""Recalibrated quantiles: promises are kept, by the record alone, and nothing in it is from the future."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from autoscaler.forecasting.promises import (
    Promises,
    judged_every,
    placed,
    places_to_read,
    read_at,
    recalibrated,
)
from autoscaler.series import Floats

LEVELS = np.array([0.05, 0.25, 0.5, 0.9, 0.95, 0.99])
SCORES = np.array([-1.645, -0.674, 0.0, 1.282, 1.645, 2.326])
LEAD, DAY = 5, 1440


def stated(steps: int, level: float = 100.0, spread: float = 10.0) -> Floats:
    """The same normal distribution at every step."""
    return np.tile(level + spread * SCORES, (steps, 1))


def kept(read: Floats, came: Floats, since: int = 4 * DAY) -> float:
    return float(np.mean(came[since:] <= read[since:, 4]))


def drawn(steps: int, spread: float, seed: int = 1, level: float = 100.0) -> Floats:
    return level + spread * np.random.default_rng(seed).standard_normal(steps)


@pytest.mark.parametrize(
    ("came", "place"),
    [
        pytest.param(100.0, 0.0, id="the median"),
        pytest.param(116.45, 1.645, id="p95"),
        pytest.param(106.41, 0.641, id="between two levels"),
        pytest.param(133.0, 3.3, id="beyond the outermost, as from the median to it"),
        pytest.param(1e9, 5.0, id="no further than the end"),
        pytest.param(0.0, -5.0, id="nor below the beginning"),
        pytest.param(np.nan, np.nan, id="unknown"),
    ],
)
def test_what_came_has_a_place_on_the_scale_of_what_was_stated(came: float, place: float) -> None:
    assert placed(stated(1), LEVELS, np.array([came]))[0] == pytest.approx(place, abs=0.02, nan_ok=True)


@pytest.mark.parametrize(
    ("spread", "level"),
    [
        pytest.param(10.0, 100.0, id="right from the beginning"),
        pytest.param(25.0, 100.0, id="too narrow"),
        pytest.param(10.0, 115.0, id="too low"),
        pytest.param(8.7, 100.0, id="a little too wide"),
    ],
)
def test_p95_is_kept_though_it_was_not_before(spread: float, level: float) -> None:
    came = drawn(12 * DAY, spread, level=level)
    read = recalibrated(stated(len(came)), LEVELS, came, LEAD, 0, 60)
    assert kept(read, came) == pytest.approx(0.95, abs=0.015)


def test_what_is_far_too_wide_is_narrowed_only_a_little() -> None:
    came = drawn(12 * DAY, 1.0)
    read = recalibrated(stated(len(came)), LEVELS, came, LEAD, 0, 60)
    assert kept(read, came) == 1.0
    assert read[-1, 4] == pytest.approx(100.0 + 10.0 * (1.645 - 0.25), abs=0.2)


def test_a_load_that_wakes_after_days_is_promised_nearly_as_much_as_the_forecast_says() -> None:
    said = np.concatenate([stated(4 * DAY) * 0.02, stated(DAY)])
    came = np.concatenate([np.zeros(4 * DAY), drawn(DAY, 10.0)])
    read = recalibrated(said, LEVELS, came, LEAD, 0, 60)
    assert kept(read, came) > 0.9


def test_it_is_kept_again_within_days_after_a_load_has_changed_its_ways() -> None:
    came = np.concatenate([drawn(6 * DAY, 5.0), drawn(8 * DAY, 20.0, seed=2)])
    read = recalibrated(stated(len(came)), LEVELS, came, LEAD, 0, 60)
    assert kept(read, came, since=8 * DAY) == pytest.approx(0.95, abs=0.02)


def test_a_few_judged_moments_move_little() -> None:
    places = placed(stated(40), LEVELS, np.full(40, 300.0))
    few, many = (places_to_read(np.tile(places, times), LEVELS, 60) for times in (1, 20))
    own = places_to_read(np.empty(0), LEVELS, 60)
    assert np.all(few - own < 0.2 * (many - own))


def test_nothing_that_came_later_is_used() -> None:
    came = drawn(6 * DAY, 20.0)
    told = recalibrated(stated(len(came)), LEVELS, came, LEAD, 0, 60)
    for cut in (4 * DAY, 4 * DAY + 7, 5 * DAY + 13):
        spoilt = came.copy()
        # The peak after step t is known LEAD steps later: of those from here on nothing is.
        spoilt[cut - LEAD + 1 :] = 1e9
        np.testing.assert_array_equal(
            recalibrated(stated(len(came)), LEVELS, spoilt, LEAD, 0, 60)[: cut + 1], told[: cut + 1]
        )


@pytest.mark.parametrize(("step_s", "steps"), [(60, 4 * DAY), (300, 8 * 288), (15, 9000)])
def test_a_record_kept_step_by_step_reads_as_all_moments_together(step_s: int, steps: int) -> None:
    start_s = 1_700_000_000 // step_s * step_s
    came, said = drawn(steps, 25.0), stated(steps) * np.linspace(0.9, 1.1, steps)[:, np.newaxis]
    together = recalibrated(said, LEVELS, came, LEAD, start_s, step_s)
    promises = Promises(LEVELS, LEAD, step_s)
    for step in range(steps):
        now_s = start_s + step * step_s
        promises.judge(now_s, came[step - LEAD] if step >= LEAD else np.nan)
        promises.state(now_s, said[step])
        places = promises.places(now_s)
        if step % 97 == 0:
            one = read_at(said[step : step + 1], LEVELS, places[np.newaxis])[0]
            np.testing.assert_allclose(one, together[step], rtol=1e-4)


@given(
    arrays(np.float64, (3, 4, 6), elements=st.floats(0, 1e12)),
    arrays(np.float64, (3, 6), elements=st.floats(-9, 9)),
)
def test_quantiles_that_rise_go_on_rising_and_are_never_negative(said: Floats, places: Floats) -> None:
    read = read_at(np.sort(said, axis=2), LEVELS, np.sort(places, axis=1))
    assert (read >= 0).all()
    assert (np.diff(read, axis=2) >= -1e-6 * read.max()).all()


@pytest.mark.parametrize("step_s", [1, 15, 60, 300, 3600])
def test_judged_moments_come_at_every_minute_of_the_hour(step_s: int) -> None:
    every = judged_every(step_s)
    assert every == 1 or len({moment * every % 60 for moment in range(60)}) == 60
    assert 3 * 86_400 / (every * step_s) <= 900
