"""Whatever valid policy is tried, there is an answer or a reason in words, and never a fault."""

from __future__ import annotations

import math
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded_past import WORKLOAD, manifest, observed, state, without_load

from autoscaler.api.shapes.whatif import WhatIfResult
from autoscaler.api.whatif.comparison import compared
from autoscaler.api.whatif.history import Unanswerable, history_of
from autoscaler.api.whatif.manifest import changed, present
from autoscaler.api.whatif.terms import terms_of
from autoscaler.api.whatif.trial import Foresights
from autoscaler.spec.variation import SpecRefused
from autoscaler.store.rows import Observed

AS_IS = present(manifest())
ROWS = observed(0.1)


def _some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Any of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


_DURATIONS = st.sampled_from(["0s", "1s", "59s", "1m", "90s", "15m", "1h", "1d", "7d", "28d"])
_COUNTS = st.sampled_from([0, 1, 2, 7, 60, 100_000, 2_147_483_647])
_QUANTITIES = st.sampled_from(["1n", "500m", 1, 10, "1E"])
_MONEY = st.sampled_from(["0.000001", "0.12", "999999999999"])
_SHARES = st.sampled_from(["0.000001", "5%", "99%"])
_RATES = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["Pods", "Percent"]),
            "value": st.sampled_from([1, 4, 100, 2_147_483_647]),
            "periodSeconds": st.sampled_from([1, 15, 60, 1800]),
        }
    ),
    min_size=1,
    max_size=2,
)
_RULES = _some(
    stabilizationWindowSeconds=st.sampled_from([0, 60, 3600]),
    selectPolicy=st.sampled_from(["Max", "Min", "Disabled"]),
    policies=_RATES,
    tolerance=st.sampled_from([0, "0.1", 5]),
)
_SIGNALS = st.lists(
    st.sampled_from(
        [
            {"type": "CPU", "targetUtilization": 70},
            {"type": "QueueDepth", "query": "q", "drainWithin": "60s", "perReplica": 15},
            {"type": "Latency", "query": "l", "threshold": "150ms"},
            {"type": "Errors", "query": "e", "threshold": "5%"},
        ]
    ),
    max_size=4,
    unique_by=lambda signal: str(signal["type"]),
)
_EVENT = {"name": "sale", "start": "2023-11-20T01:00:00Z", "end": "2023-11-20T01:30:00Z", "minReplicas": 40}
POLICIES = _some(
    mode=st.sampled_from(["Recommend", "ScaleOutOnly", "Active", "Paused"]),
    minReplicas=_COUNTS,
    maxReplicas=_COUNTS,
    load=_some(perReplica=_QUANTITIES),
    forecast=_some(
        model=st.sampled_from(["auto", "ridge", "trend", "seasonal-naive", "fourier", "none"]),
        quantile=st.sampled_from(["0.000001", "0.5", "0.999999", 99]),
        leadTime=_DURATIONS,
        history=st.sampled_from(["10m", "1h", "400d"]),
        refit=st.sampled_from(["1m", "30d"]),
        step=st.sampled_from(["1s", "1h"]),
        seasons=st.lists(st.sampled_from(["1m", "61s", "1h", "24h", "370d"]), min_size=1, max_size=3),
        timeZone=st.sampled_from(["Europe/Berlin", "Pacific/Apia"]),
        exclude=st.just([{"start": "2023-11-20T00:00:00Z", "end": "2023-11-21T00:00:00Z"}]),
    ),
    signals=_SIGNALS,
    behavior=_some(scaleUp=_RULES, scaleDown=_RULES),
    cooldown=_some(scaleUp=_DURATIONS, scaleDown=_DURATIONS),
    outage=_some(drop=_SHARES, recovery=_DURATIONS),
    zones=st.fixed_dictionaries({"count": st.sampled_from([2, 3, 64]), "survive": st.sampled_from([0, 1])}),
    pendingCap=st.sampled_from([1, 10]),
    spend=st.fixed_dictionaries(
        {"replicaHourPrice": _MONEY},
        optional={"hourlyCap": _MONEY, "dailyBudget": _MONEY, "onBreach": st.sampled_from(["Cap", "Alert"])},
    ),
    events=st.just([_EVENT]),
)


def _answer(patch: dict[str, Any], rows: list[Observed]) -> dict[str, Any] | None:
    """What the service would send; None where there is a reason for no answer."""
    try:
        after = changed(AS_IS, patch)
        history = history_of(WORKLOAD, rows, 1)
        terms = terms_of(AS_IS, after, state())
        answer = compared(AS_IS, after, history, terms, Foresights(), lambda share, message: None)
    except (SpecRefused, Unanswerable) as reason:
        assert str(reason)
        return None
    sent: dict[str, Any] = orjson.loads(orjson.dumps(answer))
    return sent


@given(POLICIES)
@settings(max_examples=100)
def test_any_policy_can_be_tried(patch: dict[str, Any]) -> None:
    answer = _answer(patch, ROWS)
    if answer is not None:
        WhatIfResult.model_validate(answer)


@given(POLICIES, st.sampled_from(["zero", "gaps", "huge", "never ready"]))
@settings(max_examples=30)
def test_any_policy_can_be_tried_on_an_odd_past(patch: dict[str, Any], past: str) -> None:
    odd = {
        "zero": [Observed(row.workload, row.at_s, 0.0, row.ready, row.asked) for row in ROWS],
        "gaps": [without_load(row) if index % 3 else row for index, row in enumerate(observed(0.3))],
        "huge": [Observed(row.workload, row.at_s, 1e300, row.ready, row.asked) for row in ROWS],
        "never ready": [Observed(row.workload, row.at_s, row.load, 0, row.asked) for row in ROWS],
    }
    answer = _answer(patch, odd[past])
    if answer is not None:
        WhatIfResult.model_validate(answer)


@pytest.mark.parametrize("load", [0.0, 50.0])
def test_figures_of_a_steady_load_are_whole(load: float) -> None:
    rows = [Observed(row.workload, row.at_s, load, 5, 5) for row in ROWS]
    answer = _answer({}, rows)
    assert answer is not None
    runs = answer["runs"]
    hours = answer["days"] * 24
    assert runs["happened"]["replicaHours"] == pytest.approx(5 * hours, rel=1e-3)
    assert runs["happened"]["unservedShare"] == 0.0
    assert math.isclose(runs["happened"]["changesPerDay"], 0.0)
