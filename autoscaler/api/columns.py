"""Tables with one row per moment or per workload: column by column in JSON, or as CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import orjson

from autoscaler.api.times import shown_time
from autoscaler.series import Floats, Ints

Format = Literal["json", "csv"]
JSON, CSV = "application/json", "text/csv"
TIMESTAMP = "timestamp"
"""The column of epoch seconds, which CSV shows as RFC 3339."""

_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Table:
    """columns: all of one length; arrays, where NaN is unknown, or lists of plain values, where None is.

    beside: what the JSON answer says besides the columns.
    """

    columns: Mapping[str, Sequence[Any] | Floats | Ints]
    beside: Mapping[str, Any] = field(default_factory=dict)

    def encoded(self, kind: Format) -> bytes:
        """In either format."""
        return self.as_csv() if kind == "csv" else self.as_json()

    def as_json(self) -> bytes:
        """`{…, "columns": {name: [values]}}`, the unknown as null."""
        answer = {**self.beside, "columns": dict(self.columns)}
        return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)

    def as_csv(self) -> bytes:
        """A line of names, then one line per row, the unknown left empty."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(self.columns)
        cells = (_cells(name, values) for name, values in self.columns.items())
        writer.writerows(zip(*cells, strict=True))
        return text.getvalue().encode()


def whole(values: Floats) -> list[int | None]:
    """Counts that may be unknown, without a decimal point."""
    return [None if math.isnan(value) else int(value) for value in values.tolist()]


def rounded(values: Floats) -> Floats:
    """To six significant digits, which is more than any measurement has and half of what it takes to send."""
    with np.errstate(divide="ignore", invalid="ignore"):
        exponent = np.where(values == 0, 0, np.floor(np.log10(np.abs(values))))
    decimals = _DIGITS - 1 - np.nan_to_num(exponent)
    # Powers of ten are exact, their inverses are not: so one divides by the one or by the other.
    up, down = 10.0 ** np.maximum(decimals, 0), 10.0 ** np.maximum(-decimals, 0)
    result: Floats = np.round(values * up / down) / up * down
    return result


def preferred_format(accept: str) -> Format:
    """What an `Accept` header prefers: CSV if that is named and JSON is not named with as high a weight."""
    weights = dict(_weighted(accept))
    csv_weight = weights.get(CSV, 0.0)
    return "csv" if csv_weight > weights.get(JSON, 0.0) else "json"


def _weighted(accept: str) -> Iterable[tuple[str, float]]:
    for part in accept.lower().split(","):
        kind, _, parameters = part.partition(";")
        weight = parameters.replace(" ", "").partition("q=")[2]
        yield kind.strip(), _weight(weight) if weight else 1.0


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _cells(name: str, values: Sequence[Any] | Floats | Ints) -> Iterable[Any]:
    plain = values.tolist() if isinstance(values, np.ndarray) else values
    if name == TIMESTAMP:
        return [shown_time(value) for value in plain]
    return [_cell(value) for value in plain]


def _cell(value: Any) -> Any:
    match value:
        case float() if math.isnan(value):
            return None
        case list() | tuple():
            return " ".join(str(item) for item in value)
        case _:
            return value
