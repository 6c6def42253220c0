"""Constructed loads and recorded traces for the forecasting tests."""

from __future__ import annotations

import csv
import gzip
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from autoscaler.series import Floats, Series

TRACES = Path(__file__).parents[2].parent / "shared" / "traces"
MONDAY_S = 1_700_438_400
"""Monday 2023-11-20, midnight UTC."""


def daily(
    days: float, step_s: int = 300, noise: float = 0.05, seed: int = 1, season_s: int = 86_400
) -> Series:
    """A wave of the given season between 20 and 180, with lognormal noise."""
    times = np.arange(int(days * 86_400 // step_s)) * step_s
    wave = 100 + 80 * np.sin(2 * np.pi * times / season_s)
    return Series(
        "daily", MONDAY_S, step_s, wave * np.random.default_rng(seed).lognormal(0, noise, len(times))
    )


def replaced(series: Series, values: Floats) -> Series:
    """The same series with other values."""
    return Series(series.name, series.start_s, series.step_s, values)


def recorded(name: str) -> Series:
    """A recorded trace; skips the test where the traces are not at hand."""
    path = TRACES / f"{name}.csv.gz"
    if not path.exists():
        pytest.skip(f"recorded traces not found at {TRACES}")
    with gzip.open(path, "rt") as file:
        rows = list(csv.DictReader(file))
    first, second = (int(datetime.fromisoformat(rows[i]["timestamp"]).timestamp()) for i in (0, 1))
    values = np.array([float(row["value"]) if row["value"] else np.nan for row in rows])
    return Series(name, first, second - first, values)
