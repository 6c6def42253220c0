"""Settings of a rival as text: which there are, what each may be, and what is wrong with one.

A rival's settings are a frozen dataclass whose fields are made by `setting`. What is read here
comes from the command line, so each refusal is an `InputError` of one line.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from autoscaler.signals.errors import InputError

Settings = TypeVar("Settings")
Pairs = Sequence[tuple[str, str]]
"""Names and values, as written."""

MOST_REPLICAS = 10_000


def setting(default: Any, read: Callable[[str], Any]) -> Any:
    """A field of a settings class. read: from text to value, ValueError saying what it must be."""
    return dataclasses.field(default=default, metadata={"read": read})


def read_settings(rival: str, settings: type[Settings], pairs: Pairs) -> Settings:
    """`settings` with its defaults overridden by `pairs`."""
    # Any: dataclasses.fields cannot be typed for a type variable.
    fields: Any = settings
    readers = {_written(field.name): field for field in dataclasses.fields(fields)}
    values: dict[str, Any] = {}
    for name, text in pairs:
        if name not in readers:
            raise InputError(f"baseline {rival} has no setting {name!r}{suggest(name, readers)}")
        try:
            values[readers[name].name] = readers[name].metadata["read"](text)
        except ValueError as wrong:
            raise refused(rival, name, text, wrong) from wrong
    try:
        return settings(**values)
    except ValueError as wrong:
        raise InputError(f"baseline {rival}: {wrong}") from wrong


def refused(rival: str, name: str, text: str, wrong: Exception) -> InputError:
    """One line for a setting that cannot be used."""
    return InputError(f"baseline {rival}, {name}={text}: {wrong}")


def suggest(name: str, known: Iterable[str]) -> str:
    """'; did you mean X?' or '; it has X, Y, Z', to end a message with."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; choose from {', '.join(known)}" if known else "; it has none"


def whole(least: int, most: int = MOST_REPLICAS) -> Callable[[str], int]:
    """Reads a whole number within these bounds."""

    def read(text: str) -> int:
        if not text.strip().isdecimal() or not least <= int(text) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(text)

    return read


def number(least: float, most: float, above: bool = False) -> Callable[[str], float]:
    """Reads a number within these bounds, `above` leaving out the lower one."""
    message = f"must be a number {'above' if above else 'from'} {least:g} {'up ' if above else ''}to {most:g}"

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError as wrong:
            raise ValueError(message) from wrong
        if not math.isfinite(value) or not least <= value <= most or (above and value == least):
            raise ValueError(message)
        return value

    return read


def check_bounds(least: int, most: int) -> None:
    """Minimum and maximum in the right order."""
    if least > most:
        raise ValueError(f"min={least} is more than max={most}; lower min or raise max")


def _written(name: str) -> str:
    return name.replace("_", "-").rstrip("-")
