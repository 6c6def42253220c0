"""Whatever HPA the API server takes becomes a manifest that we take, with the same bounds and rules."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autoscaler.adoption import Wanted, adopt, autoscaler_of, written
from autoscaler.backtest.rivals.behavior_form import read_behavior
from autoscaler.planning.compile import compile_policy
from autoscaler.planning.policy import DEFAULT_SCALE_DOWN, DEFAULT_SCALE_UP, ScalingRules
from autoscaler.spec import read_text

SHORT = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

LABELS = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)
NAMES = st.lists(LABELS, min_size=1, max_size=3).map(".".join)
AMOUNTS = st.one_of(
    st.integers(1, 10**6),
    st.integers(1, 10**6).map(str),
    st.builds("{}{}".format, st.integers(1, 999), st.sampled_from(["m", "k", "M", "Ki", "e2"])),
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=30)


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


RATES = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["Pods", "Percent"]),
        "value": st.integers(1, 2**31 - 1),
        "periodSeconds": st.integers(1, 1800),
    }
)
RULES = optional(
    stabilizationWindowSeconds=st.one_of(st.none(), st.integers(0, 3600)),
    selectPolicy=st.sampled_from(["Max", "Min", "Disabled"]),
    policies=st.lists(RATES, min_size=1, max_size=4),
    tolerance=st.sampled_from(["0", "0.05", "50m", 0.025, 1]),
)
BEHAVIORS = optional(scaleUp=RULES, scaleDown=RULES)

TARGETS = st.one_of(
    st.fixed_dictionaries({"type": st.just("AverageValue"), "averageValue": AMOUNTS}),
    st.fixed_dictionaries({"type": st.just("Value"), "value": AMOUNTS}),
)
UTILIZATION = st.fixed_dictionaries(
    {"type": st.just("Utilization"), "averageUtilization": st.integers(1, 2000)}
)
RESOURCES = st.fixed_dictionaries(
    {"name": st.sampled_from(["cpu", "memory"]), "target": st.one_of(UTILIZATION, TARGETS)}
)
METRICS = st.fixed_dictionaries(
    {"name": st.one_of(TEXTS, LABELS)},
    optional={"selector": st.fixed_dictionaries({"matchLabels": st.dictionaries(TEXTS, TEXTS, max_size=3)})},
)
CUSTOM = st.fixed_dictionaries({"metric": METRICS, "target": TARGETS})
OBJECTS = st.builds(
    lambda custom, kind, name: custom | {"describedObject": {"kind": kind, "name": name}},
    CUSTOM,
    st.sampled_from(["Ingress", "Service"]),
    NAMES,
)
ENTRIES = st.one_of(
    RESOURCES.map(lambda found: {"type": "Resource", "resource": found}),
    st.builds(
        lambda found, name: {"type": "ContainerResource", "containerResource": found | {"container": name}},
        RESOURCES,
        LABELS,
    ),
    CUSTOM.map(lambda found: {"type": "External", "external": found}),
    CUSTOM.map(lambda found: {"type": "Pods", "pods": found}),
    OBJECTS.map(lambda found: {"type": "Object", "object": found}),
)


@st.composite
def hpas(draw: st.DrawFn) -> dict[str, Any]:
    low, high = sorted(draw(st.tuples(st.integers(0, 2**31 - 1), st.integers(1, 2**31 - 1))))
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": draw(NAMES)},
        "maxReplicas": max(high, 1),
        **draw(optional(minReplicas=st.just(low), behavior=st.one_of(st.none(), BEHAVIORS))),
        **draw(optional(metrics=st.lists(ENTRIES, max_size=20))),
    }
    metadata = {"name": draw(NAMES), **draw(optional(namespace=LABELS, labels=st.just({"app": "web"})))}
    version = draw(st.sampled_from(["autoscaling/v2", "autoscaling/v2beta2"]))
    return {"apiVersion": version, "kind": "HorizontalPodAutoscaler", "metadata": metadata, "spec": spec}


@SHORT
@given(hpas())
def test_check_accepts_the_manifest_and_bounds_and_behavior_are_those_of_the_hpa(hpa: dict[str, Any]) -> None:
    read = autoscaler_of(hpa, "hpa/web")
    assert read.problems == []
    adoptions = adopt([found.scaler for found in read.found], Wanted("sum(rate(up[2m]))", 1))
    checked = read_text(written(adoptions), "out.yaml")
    assert [str(problem) for problem in checked.problems] == []
    resource = checked.resources[0].resource
    assert resource.metadata.name == hpa["metadata"]["name"]
    assert resource.metadata.namespace == hpa["metadata"].get("namespace", "default")
    assert resource.spec.scale_target_ref.name == hpa["spec"]["scaleTargetRef"]["name"]
    policy = compile_policy(resource)
    assert policy.min_replicas == hpa["spec"].get("minReplicas", 1)
    assert policy.max_replicas == hpa["spec"]["maxReplicas"]
    up, down = _rules_of(hpa["spec"].get("behavior"))
    assert (policy.scale_up, policy.scale_down) == (up, down)


def _rules_of(behavior: dict[str, Any] | None) -> tuple[ScalingRules, ScalingRules]:
    """The rules as the rival in backtests reads them, whose form has no tolerance."""
    if behavior is None:
        return DEFAULT_SCALE_UP, DEFAULT_SCALE_DOWN
    written_out = {way: dict(rules) for way, rules in behavior.items()}
    tolerances = {way: rules.pop("tolerance", "0.1") for way, rules in written_out.items()}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "behavior.json"
        file.write_text(json.dumps(written_out))
        rival = read_behavior(str(file))
    assert rival is not None
    return (
        _tolerating(rival.up, tolerances.get("scaleUp", "0.1")),
        _tolerating(rival.down, tolerances.get("scaleDown", "0.1")),
    )


def _tolerating(rules: ScalingRules, tolerance: str | float) -> ScalingRules:
    value = 0.05 if tolerance == "50m" else float(tolerance)
    return ScalingRules(rules.stabilization_s, rules.select, rules.policies, value)


@SHORT
@given(hpas())
def test_without_the_load_only_the_load_is_missing(hpa: dict[str, Any]) -> None:
    read = autoscaler_of(hpa, "hpa/web")
    adoptions = adopt([found.scaler for found in read.found], Wanted())
    paths = {problem.path for problem in read_text(written(adoptions), "out.yaml").problems}
    assert paths <= {"spec.load.query", "spec.load.perReplica"}
    asked = {remark.field for remark in adoptions[0].remarks if remark.outcome == "fill in"}
    assert paths <= asked
