"""Fields of the resource: what their absence means, what a bad value is told."""

from __future__ import annotations

import json
from operator import attrgetter
from typing import Any

import pytest
from resource_cases import CPU, DEFAULTS, ERRORS, FIELDS, LATENCY, MINIMAL, PRICE, QUEUE, RULES, Bad, resource

from autoscaler.spec import PredictiveAutoscaler, read_text


def _valid(**changes: Any) -> PredictiveAutoscaler:
    return PredictiveAutoscaler.model_validate(resource(**changes))


@pytest.mark.parametrize(("attribute", "default"), DEFAULTS, ids=[name for name, _ in DEFAULTS])
def test_a_field_left_out_has_its_default(attribute: str, default: object) -> None:
    assert attrgetter(attribute)(_valid()) == default


def test_null_is_the_same_as_left_out() -> None:
    assert _valid(forecast=None, spend=None, signals=None, minReplicas=None) == _valid()


@pytest.mark.parametrize("fault", [*FIELDS, *RULES], ids=lambda fault: f"{fault.path}: {fault.message[:40]}")
def test_a_bad_value_is_named_with_its_path(fault: Bad) -> None:
    found = read_text(json.dumps(resource(**fault.change)), "file.yaml")
    assert [problem.path for problem in found.problems] == [fault.path]
    assert fault.message in found.problems[0].message
    assert not found.resources


def test_an_unknown_field_is_refused_even_if_null() -> None:
    found = read_text(json.dumps(resource(minReplica=None)), "f")
    assert [problem.path for problem in found.problems] == ["spec.minReplica"]


def test_defaults_of_parts_that_are_there() -> None:
    spec = _valid(outage={}, zones={"count": 3}, spend=PRICE).spec
    assert spec.outage is not None and (spec.outage.drop, spec.outage.recovery_s) == (0.5, 900.0)
    assert spec.zones is not None and spec.zones.survive == 1
    assert spec.spend is not None
    assert (spec.spend.hourly_cap, spec.spend.daily_budget, spec.spend.monthly_budget) == (None, None, None)
    assert spec.spend.on_breach == "Cap"


def test_a_signal_without_a_name_is_named_after_its_type() -> None:
    signals = _valid(signals=[CPU, QUEUE, LATENCY, {**ERRORS, "name": "5xx"}]).spec.signals
    assert [signal.name for signal in signals] == ["cpu", "queuedepth", "latency", "5xx"]
    assert [signal.max_age_s for signal in signals] == [120.0] * 4


def test_cpu_needs_no_query() -> None:
    assert _valid(signals=[CPU]).spec.signals[0].query == ""


@pytest.mark.parametrize(
    ("given", "stabilization", "select", "policies"),
    [
        ({}, 0, "Max", [("Pods", 4, 15), ("Percent", 100, 15)]),
        ({"stabilizationWindowSeconds": 60}, 60, "Max", [("Pods", 4, 15), ("Percent", 100, 15)]),
        ({"selectPolicy": "Min"}, 0, "Min", [("Pods", 4, 15), ("Percent", 100, 15)]),
        ({"policies": [{"type": "Pods", "value": 1, "periodSeconds": 30}]}, 0, "Max", [("Pods", 1, 30)]),
    ],
    ids=["nothing", "window", "select", "policies"],
)
def test_behavior_is_filled_field_by_field_as_hpa_does(
    given: dict[str, Any], stabilization: int, select: str, policies: list[tuple[str, int, int]]
) -> None:
    behavior = _valid(behavior={"scaleUp": given}).spec.behavior
    up = behavior.scale_up
    assert (up.stabilization_window_seconds, up.select_policy) == (stabilization, select)
    assert [(rate.type, rate.value, rate.period_seconds) for rate in up.policies] == policies
    assert behavior.scale_down == _valid().spec.behavior.scale_down


def test_the_resource_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        _valid().spec.min_replicas = 5  # type: ignore[misc]  # exactly this is to fail


def test_a_resource_survives_being_written() -> None:
    written = _valid(signals=[CPU, QUEUE, LATENCY, ERRORS], spend=PRICE, outage={}, zones={"count": 3})
    assert (
        PredictiveAutoscaler.model_validate_json(written.model_dump_json(by_alias=True, exclude_unset=True))
        == written
    )


def test_what_the_cluster_adds_to_an_object_is_no_problem() -> None:
    stored = {
        **MINIMAL,
        "metadata": {"name": "checkout", "uid": "1", "generation": 3, "managedFields": []},
        "status": {"observedGeneration": 3, "desired": 4, "later": {"than": "this"}},
    }
    assert PredictiveAutoscaler.model_validate(stored).spec.max_replicas == 60
