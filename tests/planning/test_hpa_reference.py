"""Answers of the real HPA controller's own code, recorded in tests/data/hpa-reference."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from autoscaler.planning.behavior import normalize, normalize_without_behavior
from autoscaler.planning.hpa import Phase, Pod, Unmeasured, replicas_for_pods
from autoscaler.planning.policy import PolicyType, RatePolicy, ScalingRules, SelectPolicy

REFERENCE = Path(__file__).parents[1] / "data" / "hpa-reference"
NOW_S = 1_700_000_000.0


def cases(name: str) -> list[dict[str, Any]]:
    with gzip.open(REFERENCE / name, "rt") as lines:
        return [json.loads(line) for line in lines]


def rules(form: dict[str, Any]) -> ScalingRules:
    return ScalingRules(
        stabilization_s=form["stabilizationWindowSeconds"],
        select=SelectPolicy(form["selectPolicy"]),
        policies=tuple(
            RatePolicy(PolicyType(rate["type"]), rate["value"], rate["periodSeconds"])
            for rate in form["policies"]
        ),
    )


def at(ages: list[tuple[float, int]] | None) -> tuple[tuple[float, int], ...]:
    return tuple((NOW_S - age_s, count) for age_s, count in ages or ())


def answer(case: dict[str, Any]) -> tuple[int, str, str]:
    current, wish = case["current"], case["wish"]
    bounds, recommendations = (case["minReplicas"], case["maxReplicas"]), at(case["recommendations"])
    behavior = case["behavior"]
    if behavior is None:
        normalized = normalize_without_behavior(NOW_S, current, wish, bounds, recommendations)
    else:
        both = (rules(behavior["scaleUp"]), rules(behavior["scaleDown"]))
        ups, downs = at(case["scaleUpEvents"]), at(case["scaleDownEvents"])
        normalized = normalize(NOW_S, current, wish, bounds, both, recommendations, ups, downs)
    return normalized.replicas, normalized.stabilized.value, normalized.limited.value


def test_stabilisation_rate_policies_and_bounds_answer_as_the_controller_with_its_reasons() -> None:
    steps = cases("steps.jsonl.gz")
    assert len(steps) == 2000
    wrong = [
        (case, got)
        for case in steps
        if (got := answer(case))
        != (case["expected"], case["ableToScaleReason"], case["scalingLimitedReason"])
    ]
    assert not wrong, f"{len(wrong)} differ, the first: {wrong[0]}"


def pod(form: dict[str, Any]) -> Pod:
    return Pod(
        phase=Phase(form["phase"]),
        ready=form["ready"],
        age_s=form["ageSeconds"],
        ready_age_s=form["readyConditionAgeSeconds"],
        terminating=form["terminating"],
        usage_milli=None if form["utilization"] is None else 10 * form["utilization"],
    )


def answers_alike(case: dict[str, Any]) -> bool:
    pods = [pod(form) for form in case["pods"]]
    got = replicas_for_pods(case["current"], case["targetUtilization"], pods)
    if isinstance(got, Unmeasured):
        return str(case.get("error", "")).endswith(got.value)
    return "error" not in case and got == case["expected"]


def test_the_cpu_rule_answers_as_the_controller_for_pods_of_every_state() -> None:
    wishes = cases("wishes.jsonl.gz")
    # The README beside the file speaks of 2,000; these are all there are.
    assert len(wishes) == 1982
    assert sum("error" in case for case in wishes) == 44
    wrong = [case for case in wishes if not answers_alike(case)]
    assert not wrong, f"{len(wrong)} differ, the first: {wrong[0]}"
