"""Timestamps of recorded files as epoch microseconds: ISO 8601, or epoch seconds or milliseconds."""

from __future__ import annotations

import re
from collections.abc import Callable
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from autoscaler.series import Ints
from autoscaler.signals.errors import InputError
from autoscaler.signals.grid import MICRO

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?\Z")
_OFFSET = r"\d\d:\d\d\S*(?:[Zz]|[+-]\d\d(?::?\d\d)?)\Z"
_FIRST_MILLISECONDS = 1e11
"""As seconds this is the year 5138, as milliseconds 1973: what is larger can only be milliseconds."""
_LATEST_S = 253_402_300_800  # year 10000

_HOW = "write ISO 8601 with Z or an offset, or epoch seconds or milliseconds"


def check_time_zone(name: str) -> str:
    """`name` if it is a known IANA time zone; InputError otherwise."""
    try:
        ZoneInfo(name)
    except (OSError, ValueError, LookupError) as error:
        raise InputError(
            f"{name!r} is not a known time zone; give an IANA name such as Europe/Berlin"
        ) from error
    return name


def epoch_micros(
    texts: pd.Series[str], time_zone: str | None, source: str, place: Callable[[int], str]
) -> Ints:
    """Epoch microseconds, one per timestamp in file order.

    Times without offset are local to `time_zone`, in the hour that a DST change repeats too: a row
    belongs to the pass that continues the step, and to the first one where both do.
    """
    if _NUMBER.match(texts.iloc[0]):
        return _from_numbers(texts, source, place)
    return _from_iso(texts, time_zone, source, place)


def _from_numbers(texts: pd.Series[str], source: str, place: Callable[[int], str]) -> Ints:
    numbers = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=np.float64)
    _refuse_first(~np.isfinite(numbers), texts, "is no epoch time like the first", source, place)
    scale = MICRO if np.abs(numbers).max() < _FIRST_MILLISECONDS else MICRO // 1000
    _refuse_first(
        (numbers < 0) | (numbers * (scale / MICRO) >= _LATEST_S),
        texts,
        "is neither epoch seconds nor milliseconds",
        source,
        place,
    )
    micros: Ints = np.rint(numbers * scale).astype(np.int64)
    return micros


def _from_iso(texts: pd.Series[str], time_zone: str | None, source: str, place: Callable[[int], str]) -> Ints:
    absolute = texts.str.endswith("Z").to_numpy(dtype=bool)
    if not absolute.all():
        absolute = texts.str.contains(_OFFSET, regex=True).to_numpy(dtype=bool)
    if absolute.all():
        return _micros(
            pd.to_datetime(texts, format="ISO8601", utc=True, errors="coerce"), texts, source, place
        )
    if absolute.any():
        read = pd.to_datetime(texts, format="ISO8601", utc=True, errors="coerce")
        _refuse_first(read.isna().to_numpy(), texts, f"is no time; {_HOW}", source, place)
        mixed = absolute != absolute[0]
        what = "differs from the first in having or lacking an offset"
        _refuse_first(mixed, texts, what, source, place)
    naive = pd.to_datetime(texts, format="ISO8601", errors="coerce")
    _refuse_first(naive.isna().to_numpy(), texts, f"is no time; {_HOW}", source, place)
    if time_zone is None:
        raise InputError(
            f"{source}: {place(0)}: {texts.iloc[0]!r} has no offset; "
            "say whose local time it is with a time zone (--time-zone Europe/Berlin, or UTC)"
        )
    return _localized(naive, check_time_zone(time_zone), texts, source, place)


def _localized(
    naive: pd.Series[pd.Timestamp],
    time_zone: str,
    texts: pd.Series[str],
    source: str,
    place: Callable[[int], str],
) -> Ints:
    wall = pd.DatetimeIndex(naive).as_unit("us")
    first_pass = np.ones(len(wall), dtype=bool)
    early = wall.tz_localize(time_zone, ambiguous=first_pass, nonexistent="NaT")
    late = wall.tz_localize(time_zone, ambiguous=~first_pass, nonexistent="NaT")
    _refuse_first(
        np.asarray(early.isna()),
        texts,
        f"does not exist in {time_zone}: clocks were put forward over it",
        source,
        place,
    )
    return _first_or_second_pass(_asi8(early), _asi8(late))


def _first_or_second_pass(early: Ints, late: Ints) -> Ints:
    times = early.copy()
    repeated = np.flatnonzero(early != late)
    if not len(repeated) or len(times) < 2:
        return times
    forward = np.diff(early)
    steps, counts = np.unique(forward[forward > 0], return_counts=True)
    step = int(steps[np.argmax(counts)]) if len(steps) else 1
    for at in repeated[repeated > 0]:
        later = [time for time in (early[at], late[at]) if time > times[at - 1]]
        on_grid = [time for time in later if (time - times[at - 1]) % step == 0]
        times[at] = min(on_grid or later or [early[at]])
    # A file that begins inside the repeated hour has no row before it to tell the pass by: the row
    # after that hour does.
    run = int(np.argmin(early != late))
    if run and (times[:run] == early[:run]).all() and times[run] - late[run - 1] == step:
        times[:run] = late[:run]
    return times


def _micros(
    moments: pd.Series[pd.Timestamp], texts: pd.Series[str], source: str, place: Callable[[int], str]
) -> Ints:
    _refuse_first(moments.isna().to_numpy(), texts, f"is no time; {_HOW}", source, place)
    return _asi8(pd.DatetimeIndex(moments))


def _asi8(moments: pd.DatetimeIndex) -> Ints:
    micros: Ints = np.asarray(moments.as_unit("us").asi8, dtype=np.int64)
    return micros


def _refuse_first(
    wrong: NDArray[np.bool_],
    texts: pd.Series[str],
    what: str,
    source: str,
    place: Callable[[int], str],
) -> None:
    if wrong.any():
        at = int(np.argmax(wrong))
        raise InputError(f"{source}: {place(at)}: timestamp {_short(texts.iloc[at])} {what}")


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
