"""Times in a query, RFC 3339 or epoch seconds as Prometheus takes them, and in an answer."""

from __future__ import annotations

import datetime
import re
from contextlib import suppress
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from autoscaler.spec.units import DURATION_LENGTH, parse_duration, parse_time

LATEST_S = 253_402_300_799.0
"""The last second of the year 9999, which is as far as texts go."""

_EPOCH_PATTERN = r"^[0-9]{1,12}(\.[0-9]{1,6})?$"
_STEP_PATTERN = r"^([1-9][0-9]{0,6}|([1-9][0-9]{0,5}[hms])+|[1-9][0-9]{0,3}[dw])$"
"""Seconds, or a duration that `parse_duration` reads as a whole number of them, and not as 0."""
_EPOCH = re.compile(_EPOCH_PATTERN)
_STEP = re.compile(_STEP_PATTERN)
_LONGEST = 40


def parse_instant(text: str) -> float:
    """Epoch seconds of an RFC 3339 time or of a number of epoch seconds, kept between 1970 and 9999.

    Raises ValueError for anything else.
    """
    if len(text) > _LONGEST:
        raise ValueError(_INSTANT_WORDS)
    if _EPOCH.fullmatch(text):
        return min(float(text), LATEST_S)
    try:
        return min(max(parse_time(text.upper()), 0.0), LATEST_S)
    except ValueError as error:
        raise ValueError(_INSTANT_WORDS) from error


def parse_step(text: str) -> int:
    """Whole seconds of a Go-style duration ("5m") or of a number of seconds. Raises ValueError."""
    if len(text) > DURATION_LENGTH or not _STEP.fullmatch(text):
        raise ValueError(_STEP_WORDS)
    return int(text) if text.isdecimal() else int(parse_duration(text))


def shown_time(seconds: float | None) -> str | None:
    """RFC 3339 in UTC, to the millisecond; None stays None."""
    if seconds is None:
        return None
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    moment = datetime.datetime.fromtimestamp(whole, datetime.UTC).replace(microsecond=milliseconds * 1000)
    return moment.isoformat(timespec="milliseconds" if milliseconds else "seconds").replace("+00:00", "Z")


_INSTANT_WORDS = 'must be a time such as "2026-11-27T18:00:00Z", or epoch seconds such as 1795802400'
_STEP_WORDS = 'must be a duration of whole seconds such as "5m", or seconds such as 300'


def _instant(value: Any) -> float:
    if isinstance(value, str):
        with suppress(ValueError):
            return parse_instant(value)
    raise PydanticCustomError("instant", _INSTANT_WORDS)


def _step(value: Any) -> int:
    if isinstance(value, str):
        with suppress(ValueError):
            return parse_step(value)
    raise PydanticCustomError("step", _STEP_WORDS)


Instant = Annotated[
    float,
    BeforeValidator(_instant),
    WithJsonSchema(
        {
            "type": "string",
            "anyOf": [{"format": "date-time"}, {"pattern": _EPOCH_PATTERN}],
            "maxLength": _LONGEST,
        }
    ),
]
"""Epoch seconds."""

Step = Annotated[
    int,
    BeforeValidator(_step),
    WithJsonSchema({"type": "string", "pattern": _STEP_PATTERN, "maxLength": DURATION_LENGTH}),
]
"""Seconds."""
