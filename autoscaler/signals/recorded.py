"""Recorded files as `Series`: CSV, CSV.gz, and saved Prometheus range answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from autoscaler.series import Series
from autoscaler.signals.csv_table import place_in_csv, split_csv
from autoscaler.signals.errors import InputError
from autoscaler.signals.grid import regular_grid
from autoscaler.signals.opening import read_text_bytes
from autoscaler.signals.saved_answer import series_of_answer
from autoscaler.signals.timestamps import check_time_zone, epoch_micros

MAX_BYTES = 256 * 2**20
_MAX_JSON_BYTES = 64 * 2**20
"""JSON takes many times its size in memory while it is parsed."""


def read_recorded(
    path: str | Path,
    *,
    time_zone: str | None = None,
    columns: Sequence[str] | None = None,
    wanted: Sequence[str] = (),
    max_bytes: int = MAX_BYTES,
) -> Series:
    """Read one recorded load.

    CSV: a header with `timestamp` and `value`, then one row per step; an empty value is NaN, and so
    is a step whose row is missing. A saved `query_range` answer (told by its first character) must
    hold one series. Either may be compressed with gzip. The name is the file's without endings.

    time_zone: whose local time timestamps without offset are. columns: further columns needed by
    name (None: all that are numbers). wanted: columns that must be numbers where they are there, and may be
    missing, but not be written in another case. max_bytes: most the file may hold, decompressed.

    Raises InputError, one line saying what, where and what to do, for anything that is no load on
    a regular grid. A constant or all-zero load is one.
    """
    path = Path(path)
    if time_zone is not None:
        check_time_zone(time_zone)
    content = read_text_bytes(path, max_bytes)
    if content.lstrip()[:1] in (b"{", b"["):
        series = _from_json(path, content, columns)
    else:
        series = _from_csv(path, content, time_zone, columns, wanted)
    if np.isnan(series.values).all():
        raise InputError(f"{path}: every value is missing; check what was recorded")
    return series


def _from_json(path: Path, content: bytes, columns: Sequence[str] | None) -> Series:
    if columns:
        raise InputError(
            f"{path}: a saved answer has no column {columns[0]!r}; record a CSV with that column"
        )
    if len(content) > _MAX_JSON_BYTES:
        raise InputError(f"{path}: holds more than {_MAX_JSON_BYTES / 2**20:g} MiB of JSON; save fewer days")
    return series_of_answer(content, str(path), _name(path))


def _from_csv(
    path: Path, content: bytes, time_zone: str | None, columns: Sequence[str] | None, wanted: Sequence[str]
) -> Series:
    source = str(path)

    def place(row: int) -> str:
        return place_in_csv(content, row)

    table = split_csv(content, source, columns, wanted)
    grid = regular_grid(epoch_micros(table.timestamps, time_zone, source, place), source, place)
    further = {name: grid.spread(column) for name, column in table.columns.items()}
    return Series(_name(path), grid.start_s, grid.step_s, grid.spread(table.values), further)


def _name(path: Path) -> str:
    name = path.name.removesuffix(".gz")
    return name.removesuffix(".csv").removesuffix(".json") or path.name
