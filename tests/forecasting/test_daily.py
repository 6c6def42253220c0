"""What is found once a day: from whole days only, once for each, and for each workload and question apart."""

import dataclasses

import numpy as np
import pytest
from loads import MONDAY_S, daily

from autoscaler.forecasting.daily import Daily, until_midnight
from autoscaler.series import Series

DAY = 288


def counted(daily_answers: Daily[int], own: Series, about: object, asked: list[Series]) -> int:
    def find(days: Series) -> int:
        asked.append(days)
        return len(asked)

    return daily_answers.of(own, about, find)


def test_it_is_found_once_a_day_and_rests_on_whole_days() -> None:
    series, answers, asked = daily(4), Daily[int](), list[Series]()
    found = [counted(answers, series.between(0, 2 * DAY + step), "", asked) for step in (0, 1, 100, 287, 288)]
    assert found == [1, 1, 1, 1, 2]
    assert [len(days) for days in asked] == [2 * DAY, 3 * DAY]


def test_other_loads_and_other_questions_have_answers_of_their_own() -> None:
    series, answers, asked = daily(2), Daily[int](), list[Series]()
    other = dataclasses.replace(series, values=series.values + 1.0)
    questions = [(series, "a"), (other, "a"), (series, "b"), (series, "a"), (other, "a")]
    assert [counted(answers, own, about, asked) for own, about in questions] == [1, 2, 3, 1, 2]


@pytest.mark.parametrize(("days", "looked_at"), [(0.5, 0), (1.0, 1), (1.9, 1), (20.5, 20), (30.0, 21)])
def test_the_newest_three_weeks_up_to_midnight_are_looked_at(days: float, looked_at: int) -> None:
    series = Series("", MONDAY_S, 300, np.arange(days * DAY))
    seen = until_midnight(series)
    assert len(seen) == looked_at * DAY
    assert looked_at == 0 or (seen.end_s + 300) % 86_400 == 0
