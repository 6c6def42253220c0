"""Texts with units as Kubernetes manifests write them, and the plain numbers they stand for.

Durations, quantities, shares, quantiles, money and times. Each has a parser that raises
ValueError with a sentence for the user, a formatter that the parser reads back, and an annotated
type that carries its schema. The API conventions allow no floats in a spec, hence the texts.
"""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

DURATION_PATTERN = r"^(0|([0-9]{1,6}ms|[0-9]{1,6}(\.[0-9]{1,3})?[smh])+|[0-9]{1,4}[dw])$"
"""Narrow enough that every duration is a whole number of milliseconds."""

QUANTITY_PATTERN = r"^[0-9]{1,15}(\.[0-9]{1,9})?(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$"
AUTO = "auto"
LEARNED = "learned"
SHARE_PATTERN = r"^(0?\.[0-9]{1,6}|[0-9]{1,2}(\.[0-9]{1,4})?%)$"
QUANTILE_PATTERN = r"^0?\.[0-9]{1,6}$"
MONEY_PATTERN = r"^[0-9]{1,12}(\.[0-9]{1,6})?$"

DURATION_LENGTH = 24
_SHORT = 32
_TIME_LENGTH = 40

DURATION_WORDS = 'must be a duration such as "90s", "5m", "1h30m", "28d" or "2w"'
SHARE_WORDS = 'must be a share below one, such as "5%" or "0.05"'

_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|[smhdw])")
_SECONDS = {
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
    "d": Decimal(86_400),
    "w": Decimal(604_800),
}
_SUFFIX = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", start=1)},
    **{suffix + "i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)},
}
_NUMBER_AND_SUFFIX = re.compile(r"([0-9.]+)([a-zA-Z]*)")
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def parse_duration(text: object) -> float:
    """Seconds of a Go-style duration ("5m", "1h30m", "250ms") or of whole days or weeks ("28d", "2w")."""
    if not isinstance(text, str) or not _matches(DURATION_PATTERN, DURATION_LENGTH, text):
        raise ValueError(DURATION_WORDS)
    if text == "0":
        return 0.0
    return float(sum(Decimal(number) * _SECONDS[unit] for number, unit in _PART.findall(text)))


def format_duration(seconds: float) -> str:
    """A short text that `parse_duration` reads as `seconds`, to the millisecond; up to a million hours."""
    milliseconds = round(seconds * 1000)
    for unit in ("w", "d", "h", "m", "s"):
        size = int(_SECONDS[unit] * 1000)
        if milliseconds and milliseconds % size == 0 and milliseconds // size < 10_000:
            return f"{milliseconds // size}{unit}"
    if not milliseconds:
        return "0s"
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    whole, rest = divmod(rest, 1000)
    parts = ((hours, "h"), (minutes, "m"), (whole, "s"), (rest, "ms"))
    return "".join(f"{count}{unit}" for count, unit in parts if count)


def parse_quantity(value: object) -> float:
    """The number a Kubernetes quantity stands for: 120, "1.5k", "500m". Never negative.

    Exponents ("1e3") are not read, so that any non-zero digit means a positive quantity.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**15:
        return float(value)
    if not isinstance(value, str) or not _matches(QUANTITY_PATTERN, _SHORT, value):
        raise ValueError('must be a quantity such as 120, "1.5k" or "500m"')
    match = _NUMBER_AND_SUFFIX.fullmatch(value)
    assert match is not None  # the pattern above is narrower
    return float(Decimal(match[1]) * _SUFFIX[match[2]])


def parse_quantity_or_auto(value: object) -> float | None:
    """A quantity, or None for "auto": an amount that is to be found out."""
    if value is None or value == AUTO:
        return None
    try:
        return parse_quantity(value)
    except ValueError as error:
        raise ValueError(f"{error}, or {AUTO}") from error


def format_quantity_or_auto(value: float | None) -> str:
    """A text that `parse_quantity_or_auto` reads as `value`."""
    return AUTO if value is None else format_quantity(value)


def parse_quantity_or_learned(value: object) -> float | None:
    """A quantity, or None for "learned": one that the past tells."""
    if value is None or value == LEARNED:
        return None
    try:
        return parse_quantity(value)
    except ValueError as error:
        raise ValueError(f"{error}, or {LEARNED}") from error


def format_quantity_or_learned(value: float | None) -> str:
    """A text that `parse_quantity_or_learned` reads as `value`."""
    return LEARNED if value is None else format_quantity(value)


def format_quantity(value: float) -> str:
    """A decimal text that `parse_quantity` reads as `value`, to the billionth; up to 10**15."""
    return _trimmed(f"{Decimal(repr(value)):.9f}")


def parse_share(value: object) -> float:
    """A share below one: "0.05" or "5%"."""
    if not isinstance(value, str) or not _matches(SHARE_PATTERN, _SHORT, value):
        raise ValueError(SHARE_WORDS)
    if value.endswith("%"):
        return float(Decimal(value[:-1]) / 100)
    return float(Decimal(value))


def format_share(value: float) -> str:
    """A per cent text that `parse_share` reads as `value`, to the millionth."""
    return _trimmed(f"{Decimal(repr(value)) * 100:.4f}") + "%"


def parse_quantile(value: object) -> float:
    """A level between 0 and 1: "0.95", or the integer percent 95."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 99:
        return value / 100
    if not isinstance(value, str) or not _matches(QUANTILE_PATTERN, _SHORT, value):
        raise ValueError('must be a quantile such as "0.95", or an integer percent from 1 to 99')
    return float(value)


def format_quantile(value: float) -> str:
    """A decimal text that `parse_quantile` reads as `value`, to the millionth."""
    return _trimmed(f"{Decimal(repr(value)):.6f}")


def parse_money(value: object) -> Decimal:
    """An amount of money, exactly as written: "0.12"."""
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str) or not _matches(MONEY_PATTERN, _SHORT, value):
        raise ValueError('must be an amount of money in quotes, such as "0.12"')
    return Decimal(value)


def format_money(value: Decimal) -> str:
    """The amount as `parse_money` reads it."""
    return f"{value:f}"


def parse_time(text: object) -> float:
    """Epoch seconds of an RFC 3339 time: "2026-11-27T08:00:00+01:00"."""
    what = 'must be an RFC 3339 time with its offset, such as "2026-11-27T08:00:00Z"'
    if not isinstance(text, str) or not _RFC3339.fullmatch(text):
        raise ValueError(what)
    try:
        # Nanoseconds are legal in RFC 3339 and too fine for datetime.
        moment = datetime.datetime.fromisoformat(re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", text))
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from error
    return moment.timestamp()


def format_time(seconds: float) -> str:
    """RFC 3339 in UTC."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.isoformat().replace("+00:00", "Z")


def _matches(pattern: str, longest: int, text: str) -> bool:
    # `$` alone would let a final newline pass, which the cluster's regular expressions do not.
    return len(text) <= longest and "\n" not in text and re.search(pattern, text) is not None


def _trimmed(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number


def _int_or_string(pattern: str, lowest: int, highest: int) -> WithJsonSchema:
    return WithJsonSchema(
        {
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "x-kubernetes-int-or-string": True,
            "pattern": pattern,
            "maxLength": _SHORT,
            "minimum": lowest,
            "maximum": highest,
        }
    )


def _text(pattern: str, longest: int = _SHORT) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "minLength": 1, "maxLength": longest})


Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration),
    _text(DURATION_PATTERN, DURATION_LENGTH),
]
"""Seconds."""

Quantity = Annotated[
    float,
    BeforeValidator(parse_quantity),
    PlainSerializer(format_quantity),
    _int_or_string(QUANTITY_PATTERN, 0, 10**15 - 1),
]

QuantityOrAuto = Annotated[
    float | None,
    BeforeValidator(parse_quantity_or_auto),
    PlainSerializer(format_quantity_or_auto),
    _int_or_string(f"^{AUTO}$|{QUANTITY_PATTERN}", 0, 10**15 - 1),
]
"""None for "auto"."""

QuantityOrLearned = Annotated[
    float | None,
    BeforeValidator(parse_quantity_or_learned),
    PlainSerializer(format_quantity_or_learned),
    _int_or_string(f"^{LEARNED}$|{QUANTITY_PATTERN}", 0, 10**15 - 1),
]
"""None for "learned"."""

Share = Annotated[float, BeforeValidator(parse_share), PlainSerializer(format_share), _text(SHARE_PATTERN)]
"""At least 0 and below 1."""

Quantile = Annotated[
    float,
    BeforeValidator(parse_quantile),
    PlainSerializer(format_quantile),
    _int_or_string(QUANTILE_PATTERN, 1, 99),
]
"""At least 0 and below 1."""

Money = Annotated[Decimal, BeforeValidator(parse_money), PlainSerializer(format_money), _text(MONEY_PATTERN)]

Time = Annotated[
    float,
    BeforeValidator(parse_time),
    PlainSerializer(format_time),
    WithJsonSchema({"type": "string", "format": "date-time", "maxLength": _TIME_LENGTH}),
]
"""Epoch seconds."""
