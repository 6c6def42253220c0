"""A forecast as it is kept: enough of it to be shown and judged, and no more."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from autoscaler.controller.forecasts.fan import Fan
from autoscaler.controller.telling.forecast_record import forecast_made
from autoscaler.forecasting.forecaster import LEVELS
from autoscaler.series import Grade

MADE_S = 1_800_000_000.0
STEPS = 63


def fan(steps: int = STEPS, lead: int = 3, levels: tuple[float, ...] = LEVELS) -> Fan:
    """The load at step h (from 1) and level q is 1000 h + 100 q; peaks are 500 more."""
    values = 1000.0 * np.arange(1, steps + 1)[:, np.newaxis] + 100.0 * np.array(levels)
    return Fan(
        made_at_s=MADE_S,
        step_s=60,
        lead=lead,
        levels=np.array(levels),
        values=values,
        peaks=values + 500.0,
        expected=np.arange(steps + 1.0),
        model="ridge",
        grade=Grade.WEEKLY,
        note="of a week",
    )


@pytest.mark.parametrize(
    ("quantile", "levels"),
    [
        (0.95, [0.05, 0.5, 0.9, 0.95, 0.99]),
        (0.98, [0.05, 0.5, 0.9, 0.95, 0.98, 0.99]),
        (0.75, [0.05, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99]),
        (0.999, [0.05, 0.5, 0.9, 0.95, 0.99, 0.995]),
        (0.01, [0.05, 0.5, 0.9, 0.95, 0.99]),
    ],
)
def test_a_policys_own_quantile_can_be_read_off_beside_the_usual_ones(
    quantile: float, levels: list[float]
) -> None:
    payload = forecast_made("shop/web", fan(), quantile).payload
    assert payload["levels"] == levels
    expected = [3000.0 + 100.0 * level for level in levels]
    assert payload["values"][2] == pytest.approx(expected, abs=0.51)
    assert payload["peaks"][2] == pytest.approx([load + 500.0 for load in expected], abs=0.51)


@pytest.mark.parametrize(("steps", "lead", "kept"), [(63, 3, 18), (75, 15, 30), (20, 15, 20), (61, 1, 16)])
def test_it_reaches_fifteen_steps_past_the_lead_time(steps: int, lead: int, kept: int) -> None:
    payload = forecast_made("shop/web", fan(steps, lead), 0.95).payload
    assert (len(payload["values"]), len(payload["peaks"]), len(payload["expected"])) == (kept, kept, kept + 1)
    assert (payload["leadSteps"], payload["stepSeconds"]) == (lead, 60)
    assert payload["expected"][:3] == [0.0, 1.0, 2.0]


def test_it_says_what_made_it_and_when() -> None:
    row = forecast_made("shop/web", fan(), 0.95)
    assert (row.workload, row.made_at_s) == ("shop/web", MADE_S)
    assert (row.payload["model"], row.payload["grade"], row.payload["note"]) == (
        "ridge",
        "Weekly",
        "of a week",
    )


def test_numbers_have_four_digits_and_the_unknown_is_null() -> None:
    whole = fan(steps=2, lead=1, levels=(0.5, 0.9))
    table = np.array([[123_456.0, 0.000123456], [math.nan, math.inf]])
    payload = forecast_made("shop/web", replace(whole, values=table, expected=table[1]), 0.9).payload
    assert payload["values"] == [[123_500.0, 0.0001235], [None, None]]
    assert payload["expected"] == [None, None]
    json.dumps(payload, allow_nan=False)
