"""Public holidays of a country, by local day."""

from __future__ import annotations

import functools
from datetime import UTC, datetime

from autoscaler.forecasting.forecaster import DAY_S


def holidays_between(country: str, first_day: int, last_day: int) -> dict[int, str]:
    """Names of the holidays of an ISO country from one local day to another, both included.

    Days are counted from 1970-01-01. A country that is not known has none.
    """
    years = range(_year(first_day), _year(last_day) + 1)
    found = {day: name for year in years for day, name in _of_year(country, year)}
    return {day: name for day, name in sorted(found.items()) if first_day <= day <= last_day}


@functools.lru_cache(maxsize=256)
def _of_year(country: str, year: int) -> tuple[tuple[int, str], ...]:
    # Loaded when used: it takes longer than a whole forecast.
    import holidays

    try:
        found = holidays.country_holidays(country, years=year)
    except NotImplementedError:
        return ()
    epoch = datetime(1970, 1, 1, tzinfo=UTC).date()
    return tuple(((day - epoch).days, str(name)) for day, name in found.items())


def _year(day: int) -> int:
    return datetime.fromtimestamp(day * DAY_S, UTC).year
