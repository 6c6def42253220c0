"""The results page says what was measured, and n/a where nothing could be."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path

import pytest

from autoscaler.backtest.yardstick import Point
from autoscaler.forecasting.registry import AUTO, NAMES, SLOW
from tests.bench.bars import Alone, read_alone
from tests.bench.equal_cost import Measured, enough
from tests.bench.peak_forecast_score import Score
from tests.bench.results_text import page


def _measured(trace: str, figure: float, ratios: tuple[float, ...], model: str = "trend") -> Measured:
    return Measured(trace, model, 300.0, figure, ratios, 0.94, 1.4, 2.0, 9.0)


def test_a_front_that_reaches_no_cost_is_not_a_figure() -> None:
    text = page(
        [_measured("noisy", math.nan, (math.nan,) * 5), _measured("calm", 0.5, (0.5,) * 5)], ["trend"]
    )
    assert "| noisy | 9 | n/a (cost from 1.40) |" in text
    assert "| trend | 0.50 | 0.50 | 0.50 | 0.50 | 1 / 0 / 0 | 1 |" in text


def test_a_front_that_reaches_some_costs_says_how_many() -> None:
    text = page([_measured("half", 0.8, (math.nan, math.nan, 0.7, 0.8, 0.9))], ["trend"])
    assert "| half | 9 | 0.80 (3/5) |" in text


def test_a_loss_is_told_in_words() -> None:
    text = page([_measured("lost", 1.5, (1.5,) * 5), _measured("won", 0.5, (0.5,) * 5)], ["trend"])
    assert "better on 1 of 2" in text
    assert "worst on lost (1.50)" in text


def test_a_model_that_was_not_run_on_a_trace_is_named_so() -> None:
    found = [_measured("one", 0.5, (0.5,) * 5), _measured("two", 0.5, (0.5,) * 5, "prophet")]
    assert "| one | 9 | 0.50 | not run |" in page(found, ["trend", "prophet"])


@pytest.mark.parametrize("models", [["auto"], ["trend", "stl"], [*SLOW], [*NAMES]])
def test_every_model_that_was_not_asked_for_is_named_as_left_out(models: list[str]) -> None:
    text = page([_measured("one", 0.5, (0.5,) * 5, models[0])], models)
    left_out = text.split("## What was left out")[1].split("## What to keep in mind")[0]
    lines = [line for line in left_out.splitlines() if line.startswith("- ") and ": " in line]
    named = {name for line in lines for name in line[2:].split(": ")[0].split(", ")}
    assert named & {*NAMES} == {*NAMES} - {*models}


@pytest.mark.parametrize(
    ("costs", "run"),
    [
        pytest.param((1.0, 1.05, 1.2, 1.4, 1.8), (1.05, 1.2, 1.4), id="only what brackets the costs"),
        pytest.param(
            (1.1, 1.12, 1.2, 1.25, 1.3), (1.1, 1.12, 1.2, 1.25, 1.3), id="all where costs are not reached"
        ),
        pytest.param((1.5, 1.6, 1.7, 1.8, 1.9), (1.5, 1.6, 1.7), id="downwards only where all is dear"),
    ],
)
def test_levels_beyond_the_costs_are_not_run(costs: tuple[float, ...], run: tuple[float, ...]) -> None:
    points = enough(range(5), lambda level: Point(costs[int(level)], 0.0))
    assert tuple(point.cost for point in points) == run


def test_a_bar_that_is_missed_is_said_to_be() -> None:
    found = [Measured("one", AUTO, lead_s, 0.6, (0.6,) * 5, 0.95, 1.0, 2.0, 9.0) for lead_s in (300.0, 900.0)]
    alone = [Alone("worldcup", 300, 1.03, 0.98, 0.2), Alone("worldcup", 900, 0.5, 0.95, 1.1)]
    text = page(found, [AUTO], alone)
    assert "0.62, 0.56 | 0.60, met | 0.60, **missed** |" in text
    assert "| 1.03, **missed** | 0.50, met |" in text
    assert "| 0 of 1, **missed** | 1 of 1, met |" in text
    assert "| 0.19 % | 0.200 %, **missed** | – |" in text


def test_what_was_not_measured_is_held_against_no_bar() -> None:
    one = Measured("one", AUTO, 300.0, math.nan, (math.nan,) * 5, 0.95, 1.0, 2.0, 9.0)
    assert "| n/a | not measured |" in page([one], [AUTO])
    assert "Against the bars" not in page([_measured("one", 0.5, (0.5,) * 5)], ["trend"])


def test_what_the_forecaster_alone_gave_is_read_as_it_is_written(tmp_path: Path) -> None:
    score = Score("one", 5, math.nan, (math.nan,), 0.95)
    file = tmp_path / "alone.json"
    file.write_text(json.dumps([{**asdict(score), "lead_s": 300, "unserved": None}]))
    (read,) = read_alone(file)
    assert (read.trace, read.lead_s, read.coverage, read.unserved) == ("one", 300, 0.95, None)
    assert math.isnan(read.figure)
