"""The account that bounds what forecasts may cost within any day."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoscaler.forecasting.allowance import Allowance

DAY = 1440
HELD = 6
SHARE = 0.5


def spent(load: list[float], asked: list[float], share: float = SHARE, step_s: int = 60) -> np.ndarray:
    """What is kept beyond the present load at every step, where no more is asked for than is granted."""
    account, kept = Allowance(HELD, step_s), []
    asked_for: list[float] = []
    for step, (came, wanted) in enumerate(zip(load, asked, strict=True)):
        account.note(step, came)
        most = account.present + account.granted(share)
        account.spend(step, min(wanted, most))
        asked_for.append(min(wanted, most))
        kept.append(max(max(asked_for[-HELD:]) - account.present, 0.0))
    return np.array(kept)


@pytest.mark.parametrize("share", [0.23, 0.5])
def test_whatever_is_asked_for_no_day_costs_more_than_its_share(share: float) -> None:
    extra = spent([100.0] * 4 * DAY, [1e9] * 4 * DAY, share)
    days = np.convolve(extra, np.ones(DAY), "valid")
    assert days.max() <= 1.01 * share * 100.0 * DAY
    assert days.max() >= 0.9 * share * 100.0 * DAY


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_nor_does_it_if_load_and_forecasts_go_up_and_down(seed: int) -> None:
    random = np.random.default_rng(seed)
    hours = 3 * 24
    load = np.repeat(random.lognormal(0.0, 0.7, hours), 60)
    asked = np.repeat(random.lognormal(0.5, 1.5, 6 * hours), 10)
    extra = spent(load.tolist(), asked.tolist())
    present = np.maximum.reduce(
        [np.concatenate([load[:back], load[: len(load) - back]]) for back in range(HELD)]
    )
    # What was spent on a busy day counts a while longer than the load that it was a share of.
    basis = np.maximum(np.convolve(present, np.ones(DAY))[: len(load)], present * DAY / 4)
    for end in range(DAY, len(load), 60):
        day = slice(end - DAY, end)
        assert extra[day].sum() <= 1.02 * SHARE * basis[day].max()


def test_one_forecast_without_sense_leaves_most_of_the_account_to_the_others() -> None:
    load, asked = [100.0] * 2 * DAY, [120.0] * 2 * DAY
    asked[DAY + 600] = 1e12
    extra = spent(load, asked)
    assert extra[DAY + 600 + HELD :].min() == pytest.approx(20.0)


def test_what_was_spent_a_day_ago_may_be_spent_again() -> None:
    asked = [1e9 if step < 600 else 100.0 for step in range(3 * DAY)]
    asked[2 * DAY] = 150.0
    assert spent([100.0] * 3 * DAY, asked)[2 * DAY] == 50.0


def test_a_forecast_that_is_made_anew_at_the_same_step_is_charged_once() -> None:
    once, twice = Allowance(HELD, 60), Allowance(HELD, 60)
    for account, times in ((once, 1), (twice, 3)):
        account.note(0, 100.0)
        for _ in range(times):
            account.spend(0, 150.0)
    assert once.granted(SHARE) == twice.granted(SHARE)


def test_without_a_present_load_there_is_nothing_to_take_a_share_of() -> None:
    account = Allowance(HELD, 60)
    account.note(0, math.nan)
    account.spend(0, math.nan)
    assert math.isinf(account.granted(SHARE))
    account.note(1, 100.0)
    assert math.isfinite(account.granted(SHARE))


@pytest.mark.parametrize("step_s", [1, 15, 3600, 86_400, 700_000])
def test_any_step_will_do(step_s: int) -> None:
    account = Allowance(max(1, 300 // step_s), step_s)
    for step in range(2000):
        account.note(step, 100.0)
        account.spend(step, 100.0 + min(account.granted(SHARE), 1e6))
        assert 0.0 <= account.granted(SHARE) < math.inf
