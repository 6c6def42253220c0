"""What was seen about once a minute becomes a history in which the unknown stays unknown."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded_past import DAY_S, MONDAY_S, WORKLOAD, observed, without_load

from autoscaler.api.whatif.history import Unanswerable, history_of
from autoscaler.api.whatif.question import Past
from autoscaler.store.rows import Observed
from autoscaler.store.store import Store


def test_one_observation_a_minute_is_the_history_as_it_was_seen() -> None:
    rows = observed(1)
    history = history_of(WORKLOAD, rows, 0.5)
    assert history.series.start_s == MONDAY_S
    assert history.series.values.tolist() == [row.load for row in rows]
    assert history.asked.tolist() == [row.asked for row in rows]
    assert history.ready.tolist() == [row.ready for row in rows]


def test_observations_that_drift_against_the_minute_leave_no_gaps_and_are_never_early() -> None:
    rows = observed(1, every_s=75.0)
    history = history_of(WORKLOAD, rows, 0.5)
    assert np.isfinite(history.series.values).all()
    at_s = np.array([row.at_s for row in rows])
    for step in range(0, len(history.series), 97):
        newest = np.flatnonzero(at_s <= history.series.times_s[step])[-1]
        assert history.series.values[step] == rows[newest].load


def test_a_gap_is_not_zero_and_the_count_asked_for_stays_through_it() -> None:
    rows = observed(1)
    del rows[600:660]
    history = history_of(WORKLOAD, rows, 0.5)
    # Two steps after the last observation it is not too old yet.
    assert np.flatnonzero(np.isnan(history.series.values)).tolist() == list(range(602, 660))
    assert np.isnan(history.ready[602:660]).all()
    assert set(history.asked[600:660].tolist()) == {rows[599].asked}


def test_a_load_that_could_not_be_read_stays_unknown() -> None:
    rows = observed(1)
    rows[700] = without_load(rows[700])
    history = history_of(WORKLOAD, rows, 0.5)
    assert math.isnan(history.series.values[700])
    assert history.ready[700] == rows[700].ready


def test_a_load_without_a_known_count_of_ready_pods_is_learnt_from_but_not_judged() -> None:
    rows = observed(1)
    rows[700] = Observed(WORKLOAD, rows[700].at_s, 123.0, None, 5)
    history = history_of(WORKLOAD, rows, 0.5)
    assert history.series.values[700] == 123.0
    assert math.isnan(history.judged_load[700])


@pytest.mark.parametrize(
    ("recorded_days", "days", "learnt_from"),
    [
        pytest.param(14, 7, 7.0, id="all that was recorded before the judged days"),
        pytest.param(8, 7, 1.0, id="a day is enough"),
        pytest.param(7.5, 7, 1.0, id="a day is kept for learning"),
        pytest.param(2, 7, 0.5, id="a quarter where there is little"),
    ],
)
def test_policies_learn_from_what_came_before_the_judged_days(
    recorded_days: float, days: float, learnt_from: float
) -> None:
    history = history_of(WORKLOAD, observed(recorded_days), days)
    assert history.scored_from * 60 / DAY_S == learnt_from


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        pytest.param([], "nothing has been recorded of shop/checkout yet", id="nothing"),
        pytest.param(observed(0.05), "54 minutes of known load", id="an hour is not there"),
        pytest.param([without_load(row) for row in observed(1)], "0 minutes of known load", id="no load"),
    ],
)
def test_too_little_history_is_said_with_what_there_is(rows: list[Observed], message: str) -> None:
    with pytest.raises(Unanswerable, match=message):
        history_of(WORKLOAD, rows, 7)


def test_the_end_is_the_last_observation_before_a_round_moment(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    store = Store.open(url)
    store.migrate()
    store.write(observed(1))
    store.close()
    ends = {
        Past(url, WORKLOAD, MONDAY_S + 43_200 + late_s, 7).read().series.end_s for late_s in (0, 299, 599)
    }
    assert ends == {int(MONDAY_S) + 43_200 - 60}
    assert Past(url, WORKLOAD, MONDAY_S + 2 * DAY_S, 7).read().series.end_s == MONDAY_S + DAY_S - 60


def test_the_password_of_the_store_is_not_shown_with_the_question() -> None:
    assert "secret" not in repr(Past("postgresql://me:secret@db/x", WORKLOAD, 0.0, 7))


@given(st.lists(st.integers(1, 2000), min_size=2, max_size=300), st.floats(0.01, 30))
def test_any_spacing_gives_a_history_in_which_each_step_is_known_exactly_if_something_fresh_was_seen(
    gaps_s: list[int], days: float
) -> None:
    at_s = MONDAY_S + np.cumsum(gaps_s)
    rows = [Observed(WORKLOAD, float(at), 1.0, 1, 1) for at in at_s]
    try:
        history = history_of(WORKLOAD, rows, days)
    except Unanswerable:
        return
    for at, load in zip(history.series.times_s, history.series.values, strict=True):
        seen = at_s[at_s <= at]
        assert math.isnan(load) == (at - seen[-1] > 150)
    assert 0 < history.scored_from < len(history.series)
