"""Option texts into numbers, each failure one line that names the option."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from autoscaler.signals.errors import InputError
from autoscaler.spec.units import parse_duration, parse_time

Parsed = TypeVar("Parsed")


def duration_s(option: str, text: str, *, zero: bool = False) -> float:
    """A Go-style duration in seconds; positive unless `zero` is allowed."""
    seconds = _parsed(option, text, parse_duration)
    if seconds < 0 or (seconds == 0 and not zero):
        raise InputError(f"{option} {text!r} must be longer than nothing; give a duration such as 5m")
    return seconds


def time_s(option: str, text: str) -> float:
    """An RFC 3339 time as epoch seconds."""
    return _parsed(option, text, parse_time)


def quantiles(option: str, text: str) -> tuple[float, ...]:
    """A comma-separated list of levels within (0, 1), ascending and without repetition."""
    levels = []
    for piece in filter(None, (part.strip() for part in text.split(","))):
        level = _parsed(option, piece, _number)
        if not 0.0 < level < 1.0:
            raise InputError(f"{option}: {piece} is not between 0 and 1; give levels such as 0.5,0.95")
        levels.append(level)
    return tuple(sorted(set(levels)))


def positive(option: str, value: float) -> float:
    """A number above zero."""
    if not 0.0 < value < float("inf"):
        raise InputError(f"{option} {value:g} must be a number above zero")
    return value


def start_up_samples_s(path: Path) -> tuple[float, ...]:
    """Recorded start-up times: seconds, one per line; blank lines and lines with # are skipped."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise InputError(f"--start-up-from {path}: cannot be read ({why}); give a text file") from error
    samples = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        sample = _parsed(f"--start-up-from {path}:{number}:", line.strip(), _number)
        samples.append(positive(f"--start-up-from {path}:{number}:", sample))
    if not samples:
        raise InputError(f"--start-up-from {path}: holds no sample; give seconds, one per line")
    return tuple(samples)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ValueError("is not a number; give one such as 0.5") from error


def _parsed(option: str, text: str, parse: Callable[[str], Parsed]) -> Parsed:
    try:
        return parse(text)
    except ValueError as error:
        raise InputError(f"{option} {text!r}: {error}") from error
