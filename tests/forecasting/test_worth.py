"""Whether forecasts are worth their cost: the rule in numbers, and the trial that applies it every hour."""

import math

import numpy as np
import pytest

from autoscaler.forecasting.worth import Trial, Trust, Worth, judged_steps, limited
from autoscaler.series import Floats
from autoscaler.trailing import trailing

DAY, LEAD = 1440, 5
FULL, SOME, NONE = Trust.FULL, Trust.SOME, Trust.NONE


def test_what_forecasts_cost_and_what_they_leave_is_held_against_spending_without_them() -> None:
    present = np.tile([10.0, 20.0], 10)
    came = np.tile([30.0, 20.0], 10)
    stated = np.tile([28.0, 5.0], 10)
    worth = Worth.of(stated, stated, present, came)
    assert worth is not None
    # Asked for is 28 and 20, so 48 where 30 are there anyway. As headroom that makes 16 and 32 with 14 short,
    # as a floor 24 and 24 with 6 short; the forecast leaves 2. A 2000th of what came is forgiven.
    assert worth.extra == pytest.approx(0.6)
    assert worth.left == pytest.approx((20 + 0.25) / (60 + 0.25))
    assert worth.coverage == 0.0


@pytest.mark.parametrize(
    ("extra", "left", "coverage", "before", "after"),
    [
        pytest.param(0.10, 2.0, 0.80, FULL, FULL, id="cheap"),
        pytest.param(0.10, 2.0, 1.00, NONE, FULL, id="cheap again"),
        pytest.param(0.50, 0.5, 0.95, FULL, FULL, id="dear, but it prevents what headroom would not"),
        pytest.param(0.50, 1.0, 0.95, FULL, SOME, id="dear, and no better than headroom"),
        pytest.param(0.50, 0.97, 0.95, FULL, FULL, id="hardly better: it keeps its place"),
        pytest.param(0.50, 0.97, 0.95, SOME, SOME, id="hardly better: it does not win its place back"),
        pytest.param(0.50, 0.85, 0.95, NONE, FULL, id="better again"),
        pytest.param(0.50, 0.5, 0.85, FULL, SOME, id="dear, and promises too little"),
        pytest.param(0.50, 0.5, 0.995, FULL, SOME, id="dear, and promises far too much"),
        pytest.param(0.50, 1.0, 0.995, FULL, NONE, id="dear, promises far too much, and to no avail"),
        pytest.param(0.50, 0.5, 0.98, SOME, FULL, id="promises a little too much, and pays"),
    ],
)
def test_a_forecast_is_followed_while_it_is_cheap_or_keeps_its_promise_and_beats_headroom(
    extra: float, left: float, coverage: float, before: Trust, after: Trust
) -> None:
    assert Worth(extra, left, coverage, 1440).trust(0.95, before) is after


def test_that_a_rare_miss_has_not_come_yet_says_nothing() -> None:
    assert Worth(0.5, 1.0, 1.0, 60).trust(0.95, FULL) is SOME
    assert Worth(0.5, 1.0, 1.0, 1440).trust(0.995, FULL) is SOME


def test_nothing_says_nothing() -> None:
    assert Worth.of(np.full(50, np.nan), np.ones(50), np.ones(50), np.ones(50)) is None
    assert Worth.of(np.full(50, 3.0), np.full(50, 3.0), np.zeros(50), np.zeros(50)) is None


def load_with_jumps(days: int) -> Floats:
    """A load of 100, three times that for ten minutes of every hour."""
    return np.where(np.arange(days * DAY) % 60 < 10, 300.0, 100.0)


def best(load: Floats) -> Floats:
    """The forecast that knows what comes."""
    ahead = np.concatenate([load[1:], np.full(LEAD, load[-1])])
    return np.lib.stride_tricks.sliding_window_view(ahead, LEAD).max(axis=1)


def followed(load: Floats, stated: Floats) -> Floats:
    trial, seen = Trial(0.95, LEAD, 60), []
    for step, (came, said) in enumerate(zip(load.tolist(), stated.tolist(), strict=True)):
        trial.note(step * 60, came, said, said)
        seen.append(trial.trust is FULL)
        assert bool(trial.why) is not seen[-1]
    return np.array(seen)


def test_a_forecast_gone_bad_is_dropped_within_the_day_and_taken_up_again_within_days() -> None:
    load = load_with_jumps(6)
    good = best(load)
    stated = np.where((np.arange(len(load)) // DAY) % 6 == 2, 3 * good, good)
    seen = followed(load, stated)
    assert seen[: 2 * DAY].all()
    assert not seen[2 * DAY + 780 : 3 * DAY].any()
    assert seen[5 * DAY :].all()
    assert np.sum(np.diff(seen.astype(int)) != 0) == 2, "and it does not go to and fro"


def tried(stated: float) -> Trial:
    load = load_with_jumps(1)
    trial = Trial(0.95, LEAD, 60)
    for step, came in enumerate(load.tolist()):
        trial.note(step * 60, came, stated, stated)
    return trial


def test_one_that_promises_far_too_much_is_not_followed_and_it_is_said_why() -> None:
    trial = tried(900.0)
    assert trial.trust is NONE
    assert math.isnan(limited(900.0, trial.limit(900.0)))
    assert "not followed" in trial.why
    assert "100.0% of the peaks" in trial.why


def test_one_that_is_no_better_than_headroom_is_followed_as_far_as_it_costs_under_a_quarter() -> None:
    trial = tried(250.0)
    assert trial.trust is SOME
    # Of every hour, 300 is held for ten minutes and five more; 250 would have been held for the others.
    part = 0.2 * (15 * 300.0 + 45 * 100.0) / (45 * 150.0)
    assert trial.limit(250.0) == pytest.approx(100.0 + part * 150.0, rel=0.01)
    assert trial.limit(400.0) == pytest.approx(100.0 + part * 300.0, rel=0.01)
    assert trial.limit(90.0) == 100.0
    assert math.isnan(limited(math.nan, trial.limit(250.0)))
    assert "no more than 23%" in trial.why


def test_before_a_day_of_them_was_looked_at_even_good_ones_may_cost_no_more_than_any() -> None:
    load = load_with_jumps(3)
    stated = best(load)
    trial, asked = Trial(0.95, LEAD, 60), []
    for step, (came, said) in enumerate(zip(load.tolist(), stated.tolist(), strict=True)):
        trial.note(step * 60, came, said, 4.0 * said)
        asked.append(limited(4.0 * said, trial.limit(4.0 * said)))
        assert trial.trust is FULL
    present, kept = trailing(np.fmax, load, 6), trailing(np.fmax, np.array(asked), 6)
    extra = (np.maximum(kept, present) - present).reshape(3, DAY).sum(axis=1) / present.reshape(3, DAY).sum(
        axis=1
    )
    assert 0.15 < extra[0] < 0.26
    assert 0.4 < extra[2] < 0.52


def test_what_is_spent_is_said_as_long_as_nothing_else_is() -> None:
    trial = Trial(0.95, LEAD, 60)
    for step in range(50):
        trial.note(step * 60, 100.0, 100.0, 1000.0)
        trial.limit(1000.0)
    assert trial.trust is FULL
    assert trial.why == "forecasts may cost 23% more than the present load a day: little of it is left"
    trial.note(50 * 60, 100.0, 100.0, 100.0)
    trial.limit(100.0)
    assert trial.why == ""


def test_none_is_judged_by_misses_too_rare_to_be_seen_in_a_day() -> None:
    judged = [Trial(wanted, LEAD, 60).judged for wanted in (0.5, 0.95, 0.98, 0.995)]
    assert judged == [0.5, 0.95, 0.95, 0.95]


def test_a_rare_quantile_is_judged_by_a_common_one_and_pays_for_itself() -> None:
    load = load_with_jumps(1)
    good, useless = Trial(0.99, LEAD, 60), Trial(0.99, LEAD, 60)
    kept = best(load) * np.where(np.arange(DAY) % 20 == 0, 0.99, 1.0)
    for step, (came, said) in enumerate(zip(load.tolist(), kept.tolist(), strict=True)):
        good.note(step * 60, came, said, 4.0 * said)
        useless.note(step * 60, came, 110.0, 440.0)
    assert good.trust is FULL, "however dear"
    assert useless.trust is SOME, "though what is judged would be cheap"
    assert useless.why.startswith(
        "forecasts may cost no more than 23%: over the last day p99 would have cost"
    )


@pytest.mark.parametrize(("step_s", "steps"), [(1, 3600), (60, 60), (3600, 11)])
def test_an_hour_and_a_dozen_moments_are_needed(step_s: int, steps: int) -> None:
    trial = Trial(0.95, 1, step_s)
    # What was stated at the last step is judged when the one after it is over.
    for step in range(steps + 1):
        trial.note(step * step_s, 100.0, 400.0, 400.0)
    assert trial.trust is FULL
    for step in range(steps + 1, steps + 1 + max(2, 7200 // step_s)):
        trial.note(step * step_s, 100.0, 400.0, 400.0)
    assert trial.trust is not FULL


@pytest.mark.parametrize("absurd", [1e12, 1e9, 3e5])
def test_beside_an_absurd_load_nothing_else_counts_as_cheap(absurd: float) -> None:
    trial, full = Trial(0.95, LEAD, 60), []
    for step in range(DAY):
        load = absurd if 600 <= step < 660 else 100.0
        stated = 0.1 * absurd if step >= 700 else 110.0
        trial.note(step * 60, load, stated, stated)
        full.append(trial.trust is FULL)
    assert all(full[:700])
    assert not any(full[780:])


def test_a_load_a_thousand_times_as_high_that_stays_is_judged_within_hours() -> None:
    trial = Trial(0.95, LEAD, 60)
    for step in range(2 * DAY):
        load = 1.0 if step < DAY else 2000.0
        trial.note(step * 60, load, 3.0 * load, 3.0 * load)
        if step > DAY + 240:
            assert trial.trust is not FULL


def test_steps_that_were_missed_are_unknown() -> None:
    trial = Trial(0.95, LEAD, 60)
    for step in range(0, 2 * DAY, 3):
        trial.note(step * 60, 100.0, 300.0, 300.0)
    assert trial.trust is FULL, "no peak over the lead is known, so nothing is"
    trial.note(100 * DAY * 60, 100.0, math.nan, math.nan)
    assert trial.trust is FULL


@pytest.mark.parametrize("step_s", [1, 15, 60, 3600, 86_400])
def test_any_step_is_judged_without_keeping_too_much(step_s: int) -> None:
    assert judged_steps(step_s) <= 8640
    trial = Trial(0.95, 3, step_s)
    for step in range(9000):
        trial.note(step * step_s, 100.0, 400.0, 400.0)
    assert (trial.trust is FULL) is (step_s == 86_400)


def test_loads_beyond_all_measure_are_unknown_and_nothing_breaks() -> None:
    trial = Trial(0.95, LEAD, 60)
    for step in range(DAY):
        trial.note(
            step * 60,
            1e300 if step % 100 == 0 else 100.0,
            1e300 if step % 50 == 0 else 110.0,
            1e300 if step % 50 == 0 else 110.0,
        )
    assert trial.trust is FULL
    assert trial.limit(110.0) > 110.0
