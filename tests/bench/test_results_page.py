"""The results page says what was measured, and n/a where nothing could be."""

from __future__ import annotations

import math

import pytest

from autoscaler.backtest.yardstick import Point
from autoscaler.forecasting.registry import NAMES, SLOW
from tests.bench.equal_cost import Measured, enough
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
