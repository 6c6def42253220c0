"""Seasons follow the clock on the wall, through every change of it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from autoscaler.forecasting.localtime import Clock

ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
YEAR = np.arange(
    int(datetime(2025, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()), 900
)


@pytest.mark.parametrize("name", ZONES)
def test_wall_clock_agrees_with_zoneinfo_all_year(name: str) -> None:
    clock = Clock.of(name, int(YEAR[0]), int(YEAR[-1]))
    zone = ZoneInfo(name)
    expected = [
        int(datetime.fromtimestamp(int(t), zone).replace(tzinfo=UTC).timestamp()) for t in YEAR.tolist()
    ]
    assert clock.local_s(YEAR).tolist() == expected


@pytest.mark.parametrize("days", [1, 7])
@pytest.mark.parametrize("name", ZONES)
def test_same_wall_clock_time_days_ago_agrees_with_pep_495_all_year(name: str, days: int) -> None:
    clock = Clock.of(name, int(YEAR[0]) - days * 86_400, int(YEAR[-1]))
    zone = ZoneInfo(name)

    def scalar(t: int) -> int:
        wall = datetime.fromtimestamp(t, zone).replace(tzinfo=None) - timedelta(days=days)
        return int(wall.replace(tzinfo=zone, fold=0).timestamp())

    assert clock.before(YEAR, 86_400, days).tolist() == [scalar(t) for t in YEAR.tolist()]


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("Europe/Berlin", 2),
        ("America/New_York", 2),
        ("Australia/Lord_Howe", 2),
        ("Asia/Kathmandu", 0),
        ("UTC", 0),
    ],
)
def test_number_of_clock_changes_in_a_year(name: str, changes: int) -> None:
    clock = Clock.of(name, int(YEAR[0]), int(YEAR[-1]))
    inside = (clock.changes_s >= YEAR[0]) & (clock.changes_s <= YEAR[-1])
    assert int(inside.sum()) == changes


def test_lord_howe_changes_by_half_an_hour() -> None:
    clock = Clock.of("Australia/Lord_Howe", int(YEAR[0]), int(YEAR[-1]))
    assert set(np.abs(np.diff(clock.offsets_s)).tolist()) == {1800}


@pytest.mark.parametrize("season_s", [2400, 3600, 129_600])
def test_a_season_that_is_no_whole_day_ignores_the_clock(season_s: int) -> None:
    clock = Clock.of("Europe/Berlin", int(YEAR[0]), int(YEAR[-1]))
    assert (clock.before(YEAR, season_s, 3) == YEAR - 3 * season_s).all()
    assert (clock.phase_s(YEAR, season_s) == YEAR % season_s).all()


def test_a_week_begins_on_monday_at_local_midnight() -> None:
    monday = int(datetime(2025, 7, 7, tzinfo=ZoneInfo("Asia/Kathmandu")).timestamp())
    clock = Clock.of("Asia/Kathmandu", monday, monday)
    at = np.array([monday])
    assert clock.phase_s(at, 7 * 86_400)[0] == 0
    assert clock.weekday(at)[0] == 0
