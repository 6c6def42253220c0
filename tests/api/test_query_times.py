"""Times and steps as people write them into a query."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from autoscaler.api.problems import Problem
from autoscaler.api.ranges import Range, chosen_range
from autoscaler.api.times import LATEST_S, Instant, Step, parse_instant, shown_time

INSTANT, STEP = TypeAdapter(Instant), TypeAdapter(Step)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("2026-11-27T18:00:00Z", 1_795_802_400.0, id="UTC"),
        pytest.param("2026-11-27T19:00:00+01:00", 1_795_802_400.0, id="an offset"),
        pytest.param("2026-11-27t18:00:00z", 1_795_802_400.0, id="small letters"),
        pytest.param("1795802400", 1_795_802_400.0, id="epoch seconds"),
        pytest.param("1795802400.25", 1_795_802_400.25, id="with a fraction"),
        pytest.param("0", 0.0, id="the epoch"),
        pytest.param("1812-06-24T00:00:00Z", 0.0, id="before it"),
        pytest.param("999999999999", LATEST_S, id="after the year 9999"),
    ],
)
def test_a_time_is_read(text: str, seconds: float) -> None:
    assert INSTANT.validate_python(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-11-27", "2026-13-01T00:00:00Z", "-5", "1e9", "nan", "inf", "1" * 41, 5, None, ["0"]],
)
def test_what_is_no_time_is_refused_with_an_example(text: object) -> None:
    with pytest.raises(ValidationError, match="2026-11-27T18:00:00Z"):
        INSTANT.validate_python(text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("300", 300), ("5m", 300), ("1h30m", 5400), ("1d", 86_400), ("2w", 1_209_600)]
)
def test_a_step_is_read(text: str, seconds: int) -> None:
    assert STEP.validate_python(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "0", "0s", "-5", "500ms", "1.5s", "5 m", "m", "12345678", "1h" * 13, 5, None]
)
def test_what_is_no_step_is_refused_with_an_example(text: object) -> None:
    with pytest.raises(ValidationError, match="whole seconds"):
        STEP.validate_python(text)


@given(st.datetimes(datetime.datetime(1970, 1, 2), datetime.datetime(9999, 12, 30)))  # noqa: DTZ001 - UTC below
def test_a_time_that_is_shown_is_read_back_to_the_millisecond(moment: datetime.datetime) -> None:
    seconds = moment.replace(tzinfo=datetime.UTC).timestamp()
    shown = shown_time(seconds)
    assert shown is not None and shown.endswith("Z")
    assert abs(parse_instant(shown) - seconds) <= 0.001


@given(st.text(max_size=50))
def test_any_text_is_a_time_or_a_fault_in_words(text: str) -> None:
    try:
        assert 0.0 <= parse_instant(text) <= LATEST_S
    except ValueError as error:
        assert "must be a time" in str(error)


@pytest.mark.parametrize(
    ("start_s", "end_s", "expected"),
    [
        pytest.param(None, None, Range(900.0, 1000.0), id="the usual time until now"),
        pytest.param(None, 500.0, Range(400.0, 500.0), id="the usual time until then"),
        pytest.param(950.0, None, Range(950.0, 1000.0), id="until now"),
        pytest.param(None, 50.0, Range(0.0, 50.0), id="not before the epoch"),
        pytest.param(5.0, 5.0, Range(5.0, 5.0), id="nothing"),
    ],
)
def test_a_range_ends_now_if_nothing_else_is_said(
    start_s: float | None, end_s: float | None, expected: Range
) -> None:
    assert chosen_range(start_s, end_s, now_s=1000.0, usual_s=100.0) == expected


@pytest.mark.parametrize(("start_s", "end_s"), [(6.0, 5.0), (1001.0, None)])
def test_a_range_that_ends_before_it_starts_is_refused(start_s: float, end_s: float | None) -> None:
    with pytest.raises(Problem) as refused:
        chosen_range(start_s, end_s, now_s=1000.0, usual_s=100.0)
    assert (refused.value.status, refused.value.code) == (400, "InvalidRange")
