"""Split a recorded CSV into timestamps and numeric columns, naming the line of what does not fit.

Pandas parses; only when it or a later check objects is the file walked line by line to find out
where, since that is slow and good files need no line numbers.
"""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from autoscaler.series import Floats
from autoscaler.signals.errors import InputError

TIMESTAMP, VALUE = "timestamp", "value"
_MISSING = ["", "NaN", "nan"]


@dataclass(frozen=True, slots=True)
class CsvTable:
    """timestamps: as written. values: [row]. columns: further numeric columns by name, each [row]."""

    timestamps: pd.Series[str]
    values: Floats
    columns: dict[str, Floats]


def place_in_csv(content: bytes, row: int) -> str:
    """`line 7` for data row `row`, counted from 0; blank lines are no rows."""
    for index, (line, _) in enumerate(_data_rows(content)):
        if index == row:
            return f"line {line}"
    return f"row {row + 1}"


def split_csv(
    content: bytes, source: str, columns: Sequence[str] | None, wanted: Sequence[str] = ()
) -> CsvTable:
    """Timestamps and numbers of a CSV with the header `timestamp,value[,more]`.

    `columns` names further columns that must be there and be finite numbers; None takes those
    that are and leaves out the others (such as text). `wanted` need not be there, but a column that is
    must be finite numbers, and none may be named so in another case. Raises InputError naming the line.
    """
    try:
        header = _header(content, source)
        _refuse_another_case(header, source, wanted)
        _check_widths(content, source, len(header))
        frame = _frame(content, header)
        for name in columns or ():
            if name not in header:
                raise InputError(f"{source}: has no column {name!r}; it has {', '.join(header)}")
        if frame.empty:
            raise InputError(f"{source}: has a header but no data; record some samples")
        values = _numbers(frame[VALUE], content, source)
        _refuse_negative(values, content, source)
        further = _further(frame, content, source, columns)
        present = [name for name in wanted if name in header and name not in (TIMESTAMP, VALUE)]
        further |= {name: _numbers(frame[name], content, source) for name in present}
    except (csv.Error, pd.errors.ParserError, OverflowError) as error:
        said = " ".join(str(error).split())
        raise InputError(f"{source}: is no readable CSV ({said}); save it as comma-separated text") from error
    return CsvTable(frame[TIMESTAMP], values, further)


def _header(content: bytes, source: str) -> list[str]:
    first = next(_rows(content), (1, [""]))[1]
    header = [name.strip() for name in first]
    if TIMESTAMP not in header or VALUE not in header:
        found = ",".join(header)[:60]
        raise InputError(
            f"{source}: line 1 must be a header with timestamp,value but is {found!r}; "
            "name the columns so, separated by commas"
        )
    for name in header:
        if header.count(name) > 1:
            raise InputError(f"{source}: line 1 names the column {name!r} twice; rename one")
    return header


def _refuse_another_case(header: Sequence[str], source: str, wanted: Sequence[str]) -> None:
    for name in wanted:
        alike = [found for found in header if found.casefold() == name.casefold()]
        if alike and name not in alike:
            raise InputError(
                f"{source}: line 1: did you mean {name!r}, which the policy reads, by {alike[0]!r}? "
                "Name the column so, or something else"
            )


def _check_widths(content: bytes, source: str, width: int) -> None:
    # Pandas would fill short rows and cut long ones in silence.
    if _plainly_as_wide(content, width):
        return
    for line, row in _rows(content):
        if len(row) != width:
            raise InputError(
                f"{source}: line {line} has {len(row)} fields where the header has {width}; "
                "mend or drop the line"
            )


def _plainly_as_wide(content: bytes, width: int) -> bool:
    """Whether every line has the same commas, told without parsing; False where quotes need a parser."""
    if b'"' in content or b"\r" in content:
        return False
    characters = np.frombuffer(content.rstrip(b"\n") + b"\n", dtype=np.uint8)
    commas_before = np.searchsorted(
        np.flatnonzero(characters == ord(",")), np.flatnonzero(characters == ord("\n"))
    )
    return bool((np.diff(commas_before, prepend=0) == width - 1).all())


def _frame(content: bytes, header: list[str]) -> pd.DataFrame:
    return pd.read_csv(
        io.BytesIO(content),
        header=0,
        names=header,
        index_col=False,
        dtype={TIMESTAMP: str},
        keep_default_na=False,
        na_values={name: _MISSING for name in header if name != TIMESTAMP},
        low_memory=False,
    )


def _numbers(column: pd.Series[Any], content: bytes, source: str) -> Floats:
    """The column as floats, NaN where empty; InputError at the first text or infinite number."""
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    suspect = column.dtype.kind not in "iuf" or bool(np.isinf(values).any())
    if suspect:
        for line, text in _texts(content, str(column.name)):
            if not _acceptable(text):
                raise InputError(
                    f"{source}: line {line}: {column.name} {text[:40]!r} is not a finite number; "
                    "write a number or leave it empty"
                )
    return values


def _acceptable(text: str) -> bool:
    if text in _MISSING:
        return True
    try:
        return "_" not in text and math.isfinite(float(text))
    except ValueError:
        return False


def _refuse_negative(values: Floats, content: bytes, source: str) -> None:
    negative = np.flatnonzero(values < 0)
    if len(negative):
        row = int(negative[0])
        raise InputError(
            f"{source}: {place_in_csv(content, row)}: load {values[row]:g} is negative; load is a rate or "
            "amount of at least 0, leave unknown values empty"
        )


def _further(
    frame: pd.DataFrame, content: bytes, source: str, columns: Sequence[str] | None
) -> dict[str, Floats]:
    if columns is not None:
        wanted = [name for name in columns if name not in (TIMESTAMP, VALUE)]
        return {name: _numbers(frame[name], content, source) for name in wanted}
    numeric = {
        str(name): frame[name].to_numpy(dtype=np.float64)
        for name in frame.columns
        if name not in (TIMESTAMP, VALUE) and frame[name].dtype.kind in "iuf"
    }
    return {name: column for name, column in numeric.items() if not np.isinf(column).any()}


def _rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Line number and fields of every row that is not blank, the header included."""
    reader = csv.reader(io.StringIO(content.decode("utf-8"), newline=""))
    for row in reader:
        if row:
            yield reader.line_num, row


def _data_rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    return itertools.islice(_rows(content), 1, None)


def _texts(content: bytes, column: str) -> Iterator[tuple[int, str]]:
    position = [name.strip() for name in next(_rows(content))[1]].index(column)
    return ((line, row[position]) for line, row in _data_rows(content))
