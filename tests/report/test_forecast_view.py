"""A forecast as text, picture, page, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from fixtures_forecast import HORIZON, fan, history
from rich.console import Console

from autoscaler.cli import forecast_view
from autoscaler.series import Forecast, Grade, Series


@pytest.fixture(scope="module")
def series() -> Series:
    return history()


@pytest.fixture(scope="module")
def forecast(series: Series) -> Forecast:
    return fan(series)


def printed(series: Series, forecast: Forecast, width: int) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, width=width, color_system=None)
    console.print(forecast_view.terminal_view(series, forecast, width))
    return out.getvalue().splitlines()


def unknown(forecast: Forecast) -> Forecast:
    nothing = np.full_like(forecast.values, np.nan)
    return replace(forecast, values=nothing, peaks=nothing, grades=(Grade.NONE,), notes=("3 samples",))


def test_csv_has_one_row_a_step_and_one_column_a_quantile(series: Series, forecast: Forecast) -> None:
    rows = list(csv.reader(io.StringIO(forecast_view.csv_text(forecast))))
    assert rows[0][:4] == ["timestamp", "q0.05", "q0.1", "q0.25"]
    assert rows[0][-1] == "q0.995"
    assert len(rows) == 1 + HORIZON
    assert rows[1][0] == "2024-06-05T00:00:00Z", "the step after the last one recorded"
    read = np.array([[float(cell) for cell in row[1:]] for row in rows[1:]])
    assert np.array_equal(read, forecast.values[0])


def test_csv_leaves_the_unknown_empty(forecast: Forecast) -> None:
    assert forecast_view.csv_text(unknown(forecast)).splitlines()[1] == "2024-06-05T00:00:00Z" + "," * 11


def test_json_reads_back_as_the_same_numbers(series: Series, forecast: Forecast) -> None:
    document = json.loads(forecast_view.json_bytes(series, forecast))
    assert document["model"] == "seasonal-naive"
    assert document["grade"] == "Daily"
    assert document["levels"] == forecast.levels.tolist()
    assert [step["load"] for step in document["steps"]] == forecast.values[0].tolist()
    assert [step["peak"] for step in document["steps"]] == forecast.peaks[0].tolist()
    nothing = json.loads(forecast_view.json_bytes(series, unknown(forecast)))
    assert nothing["steps"][0]["load"] == [None] * len(forecast.levels)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_terminal_chart_fits(series: Series, forecast: Forecast, width: int) -> None:
    lines = printed(series, forecast, width)
    assert max(map(len, lines)) <= width
    assert any("░" in line for line in lines)
    assert any("2h00m" in line for line in lines), "the last lead is in the table"


def test_without_history_the_terminal_says_so(series: Series, forecast: Forecast) -> None:
    text = " ".join(" ".join(printed(series, unknown(forecast), 80)).split())
    assert "not enough history" in text
    assert "3 samples" in text


def test_a_gap_in_the_history_is_blank(series: Series, forecast: Forecast) -> None:
    values = series.values.copy()
    values[-480:-240] = np.nan
    lowest = printed(replace(series, values=values), forecast, 80)[9]
    assert "   " in lowest.rstrip()


def test_names_cannot_steer_the_terminal_or_the_page(series: Series, forecast: Forecast) -> None:
    wicked = replace(series, name="a\x1b[2J<img src=x onerror=alert(1)>$x$")
    assert "\x1b" not in "\n".join(printed(wicked, forecast, 80))
    assert "<img src=x" not in forecast_view.html_page(wicked, forecast)
    assert forecast_view.png_bytes(wicked, forecast).startswith(b"\x89PNG")


@pytest.mark.parametrize("horizon", [1, 2, 1440])
def test_any_horizon_can_be_shown(series: Series, horizon: int) -> None:
    made = fan(series, horizon)
    assert printed(series, made, 80)
    assert len(forecast_view.csv_text(made).splitlines()) == 1 + horizon


def test_one_sample_of_history_can_be_shown(series: Series, forecast: Forecast) -> None:
    assert printed(series.between(0, 1), forecast, 80)
    assert forecast_view.png_bytes(series.between(0, 1), unknown(forecast)).startswith(b"\x89PNG")
